"""What the options about directories mean: `--tree DIR:/PATH`, `--scratch /PATH[=DIR]`, `--file NAME=FILE`.

Nothing is read here but whether a folder or file is there, so that a slip is told before anything is compiled.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from branes.errors import InputError, UsageError
from branes.mounts import by_path, guest_path
from branes.text import escape

if TYPE_CHECKING:
    from branes.filework import Mounts
    from branes.trees.late import Content


def mounts(trees: list[str], scratch: list[str], files: list[str]) -> Mounts:
    """The directories that the words mean.

    Raises:
        UsageError: they mean none. InputError: a folder or file is not there.
    """
    from branes.filework import Mounts

    return Mounts(
        trees=by_path(_tree(word) for word in trees),
        scratch=by_path(_scratch(word) for word in scratch),
        files=_files(files) if files else None,
    )


def _tree(word: str) -> tuple[str, str]:
    folder, separator, path = word.rpartition(":/")
    if not separator or not folder:
        raise UsageError(f"--tree {word!a} names no folder and path", hint="write it like --tree share:/share")
    return f"/{path}", str(_folder("--tree", folder))


def _scratch(word: str) -> tuple[str, Path | None]:
    path, separator, folder = word.partition("=")
    if not path.startswith("/") or (separator and not folder):
        raise UsageError(
            f"--scratch {word!a} names no path of the guest", hint="write it like --scratch /work or --scratch /work=in"
        )
    return guest_path(path), _folder("--scratch", folder) if separator else None


def _folder(option: str, name: str) -> Path:
    if Path(name).is_dir():
        return Path(name)
    what = "is not a folder" if os.path.lexists(name) else "there is no such folder"
    raise InputError(f"{option} {escape(name)}: {what}")


def _files(words: list[str]) -> dict[str, Content]:
    found: dict[str, Content] = {}
    for word in words:
        name, separator, file = word.partition("=")
        if not separator or not name or not file:
            raise UsageError(f"--file {word!a} names no file", hint="write it like --file in.csv=data/in.csv")
        if name in found:
            raise UsageError(f"--file {escape(name)} is given twice", hint="one file of each name")
        if not Path(file).exists():
            raise InputError(f"--file {escape(file)}: there is no such file")
        found[name] = Path(file)
    return found
