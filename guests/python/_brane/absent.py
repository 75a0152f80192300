"""What code looks for and a brane has not: the answers say so, and say what to do.

A module that is not there raises ModuleNotFoundError, as ever, with the reason in the same line. A test for
its presence (`importlib.util.find_spec`) still gets None.
"""

import errno
import os
import sys
from typing import Any

from _brane import modules


class AbsentModules:
    """The last finder: nobody else had the module."""

    @staticmethod
    def find_spec(name: str, path: Any, target: object = None) -> None:
        """Raise where a module is being imported and there is something to say; else None, as finders do."""
        known = path is None or name in modules.REASONS
        if known and sys._getframe(2).f_code.co_name == "_find_and_load_unlocked":
            raise ModuleNotFoundError(f"No module named {name!r}: {modules.why_absent(name)}", name=name)


def install() -> None:
    """Answer for absent modules and for `os.system`, which WASI's `os` lacks altogether."""
    # The import system cuts its own frames off an ImportError's traceback, recognised by their file name.
    function = AbsentModules.find_spec
    function.__code__ = function.__code__.replace(co_filename="<frozen importlib._bootstrap>")
    sys.meta_path.append(AbsentModules)
    os.system = no_processes


def no_processes(command: str) -> int:
    """Fail the way `subprocess` does."""
    raise OSError(errno.ENOTSUP, "a brane has no other programs and cannot start processes")
