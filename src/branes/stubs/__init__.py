"""What a component exports, as the text of a `.pyi`: typed calls for whoever writes `app: App = ...`. Pure.

`App` is a protocol whose `call` has an overload for every function that can be called, under each of its names;
`AsyncApp` is the same for asyncio. A type `T` of the component is what comes back, `TIn` what may be given. Names are
hostile: they become identifiers of ASCII letters and digits, or string literals in ASCII, and nothing else of them is
in the text. A field whose name cannot be an attribute is left to `r["name"]`.
"""

from __future__ import annotations

from branes.stubs.write import stub

__all__ = ["stub"]
