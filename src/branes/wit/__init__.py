"""Types and functions of a component, out of the description that `brane-compile` prints. Pure.

The description is authenticated, but what it tells comes from a hostile component: names are text and nothing else, and
what does not have the documented form is a `HostFault`. Types nest at most `MAX_DEPTH` deep, so that whatever follows
them ends. `model` has the types, `functions` what a component exports and how it is found by name, `render` says it in
WIT (the component model's interface language, design/mvp/WIT.md).
"""

from __future__ import annotations

from branes.wit.functions import Exports, Function, NamedType, functions
from branes.wit.model import (
    INTEGERS,
    MAX_DEPTH,
    PRIMITIVES,
    Enum,
    FixedList,
    Flags,
    Handle,
    List,
    Option,
    Primitive,
    Reader,
    Record,
    Result,
    Tuple,
    Type,
    Unsupported,
    Variant,
    children,
    unsupported,
)
from branes.wit.render import declaration, label, quoted, signature, type_text

__all__ = [
    "INTEGERS",
    "MAX_DEPTH",
    "PRIMITIVES",
    "Enum",
    "Exports",
    "FixedList",
    "Flags",
    "Function",
    "Handle",
    "List",
    "NamedType",
    "Option",
    "Primitive",
    "Reader",
    "Record",
    "Result",
    "Tuple",
    "Type",
    "Unsupported",
    "Variant",
    "children",
    "declaration",
    "functions",
    "label",
    "quoted",
    "signature",
    "type_text",
    "unsupported",
]
