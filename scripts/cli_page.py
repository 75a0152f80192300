"""Writes docs/cli.md from what the commands say of themselves: `python scripts/cli_page.py > docs/cli.md`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = """# The command line

What `--help` says of each command. Written by `scripts/cli_page.py`; a test holds it to that.

Options end at the program; what follows is the guest's. Sizes are written like `256MiB`, times like `30s`. Exit
codes are in the [README](../README.md#command-line), and `--json` tells a guest's own 126 from a layer's. On a
terminal, control characters of a guest are shown escaped; through a pipe its output is byte-exact.
`brane --install-completion` completes commands, options and presets.
"""


def page() -> str:
    """The whole page."""
    # Both are looked at when Typer is loaded, which the import does.
    os.environ |= {"COLUMNS": "100", "TERMINAL_WIDTH": "100"}
    from branes.cli import app  # noqa: PLC0415 -- after what it looks at

    parts = [f"## {path}\n\n```text\n{text.rstrip()}\n```\n" for path, text in _helps("brane", app.make(), None)]
    return "\n".join([HEAD, *parts])


def _helps(path: str, command: Any, parent: Any) -> Iterator[tuple[str, str]]:
    context = command.context_class(command, info_name=path.rpartition(" ")[2], parent=parent, terminal_width=100)
    yield path, command.get_help(context)
    for name, inner in getattr(command, "commands", {}).items():
        yield from _helps(f"{path} {name}", inner, context)


if __name__ == "__main__":
    sys.stdout.write(page())
