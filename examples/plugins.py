"""A host of plugins: whoever wrote the plugin, all that it can do is to answer, within limits.

    python examples/plugins.py [PLUGIN]

Functions of a component are called with Python values and return Python values; docs/values.md has all types.
"""

import sys
from pathlib import Path

import branes
from branes import Case

plugin = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("plugin.wat")
files = {"notes.txt": 120, "video.mp4": 90_000}

with branes.open(plugin, memory="16MiB", timeout="2s") as app:
    for signature in app.functions.values():
        print(signature)
    for name, size in files.items():
        match app.call("judge", name, size):
            case Case("keep"):
                print(f"{name}: keep")
            case Case("drop", reason):
                print(f"{name}: drop, {reason}")
