"""Canaries: what an attack would touch. The harness owns each, and looks at it itself afterwards.

A canary gives its values to the words of an attempt, and says whether it was touched. `Nonce` is for attacks without
an effect outside of their process: the payload writes a nonce on success only, and writing is allowed in the cage.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import resource
import secrets
import select
import shutil
import socket
import subprocess
import termios
from typing import TYPE_CHECKING, Any, Self

from escapes import lab

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

#: Seconds that an effect which does not wait for its cause may take to show.
SECONDS = 10.0


class Nonce:
    """Touched when the payload's nonce arrives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nonce = secrets.token_hex(16)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Take away what was set up."""

    @property
    def values(self) -> Mapping[str, object]:
        """Values for the words of an attempt."""
        return {"folder": self.folder}

    @property
    def program(self) -> Path | None:
        """The program to attack with, if it must be one of its own."""
        return None

    @property
    def options(self) -> Mapping[str, Any]:
        """How the control's process is started, beyond the usual."""
        return {}

    def touched(self, outcome: lab.Ended | lab.Bare, *, wait: bool) -> bool:  # noqa: ARG002 -- others wait
        """Whether the attack had its effect. `wait`: it must have had, and may need a moment to show."""
        return self.nonce.encode() in outcome.output


class Word(Nonce):
    """Touched when the guest writes the word that it was built with."""

    def touched(self, outcome: lab.Ended | lab.Bare, *, wait: bool) -> bool:  # noqa: ARG002
        return b"canary" in outcome.output


class Secret(Nonce):
    """A file of the host; touched when what is in it arrives."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.secret = secrets.token_hex(16)
        self.path = folder / "secret"
        self.path.write_text(self.secret)

    @property
    def values(self) -> Mapping[str, object]:
        return {"folder": self.folder, "path": self.path}

    def touched(self, outcome: lab.Ended | lab.Bare, *, wait: bool) -> bool:  # noqa: ARG002
        return self.secret.encode() in outcome.output


class Leak(Secret):
    """A secret file that the owner holds open, inheritable, while it starts the template."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._open = os.open(self.path, os.O_RDONLY)
        os.set_inheritable(self._open, True)  # noqa: FBT003 -- it has no other form

    def clear(self) -> None:
        os.close(self._open)

    @property
    def program(self) -> Path | None:
        return lab.program()

    @property
    def options(self) -> Mapping[str, Any]:
        return {"pass_fds": (self._open,)}


class Executable(Nonce):
    """A program on disk; touched when its bytes are others."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._path = folder / "program"
        shutil.copy2(lab.program(), self._path)
        self._digest = self._look()

    def _look(self) -> str:
        return hashlib.sha256(self._path.read_bytes()).hexdigest()

    @property
    def program(self) -> Path | None:
        return self._path

    def touched(self, outcome: lab.Ended | lab.Bare, *, wait: bool) -> bool:  # noqa: ARG002
        return self._look() != self._digest


class Node(Nonce):
    """A path; touched when there is something."""

    @property
    def values(self) -> Mapping[str, object]:
        return {"path": self.folder / "node"}

    def touched(self, outcome: lab.Ended | lab.Bare, *, wait: bool) -> bool:  # noqa: ARG002
        return os.path.lexists(self.folder / "node")


class Bystander(Nonce):
    """A process of the host, as an argument."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        # It reads until its input is closed, that is until it is to go.
        self._process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def clear(self) -> None:
        with self._process as process:
            process.kill()

    @property
    def values(self) -> Mapping[str, object]:
        return {"pid": self._process.pid}


class Victim(Bystander):
    """A process of the host; touched when it is dead."""

    def touched(self, outcome: lab.Ended | lab.Bare, *, wait: bool) -> bool:  # noqa: ARG002
        if wait:
            self._process.wait(SECONDS)
        return self._process.poll() is not None


class Listener(Nonce):
    """A listener in the abstract namespace; touched when somebody connects."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(f"\0{self.nonce}-listener")
        self._socket.listen()

    def clear(self) -> None:
        self._socket.close()

    @property
    def values(self) -> Mapping[str, object]:
        return {"address": f"{self.nonce}-listener"}

    def touched(self, outcome: lab.Ended | lab.Bare, *, wait: bool) -> bool:  # noqa: ARG002
        return bool(select.select([self._socket], [], [], SECONDS if wait else 0)[0])


class Terminal(Nonce):
    """A terminal that is the control's own, and its standard input."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._ours, self._theirs = os.openpty()

    def clear(self) -> None:
        os.close(self._ours)
        os.close(self._theirs)

    @property
    def options(self) -> Mapping[str, Any]:
        def adopt() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        return {"stdin": self._theirs, "start_new_session": True, "preexec_fn": adopt}


class Core(Nonce):
    """A dump of memory; touched when the kernel makes one, in a file or for a program."""

    @property
    def options(self) -> Mapping[str, Any]:
        def allow() -> None:
            most = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (most, most))

        return {"cwd": self.folder, "preexec_fn": allow}

    def touched(self, outcome: lab.Ended | lab.Bare, *, wait: bool) -> bool:  # noqa: ARG002
        return outcome.dumped or bool(list(self.folder.iterdir()))
