"""The folder a server keeps its data in, and the lock that lets one server have it."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from armillary.errors import ConfigError

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


_AT = " at "
"""Stands in the lock file between who has it and where that is reached."""


def served_at(database: Path) -> str | None:
    """Find where the server is reached that has these data; None where there is none, or no say."""
    path = database.with_suffix(".lock")
    try:
        with path.open("a+", encoding="utf-8") as file:
            try:
                _lock(file)
            except OSError:
                file.seek(0)
                return file.read().partition(_AT)[2] or None
    except OSError:
        return None
    return None


class HomeLock:
    """Held by the one server of an embedded database; the system lets go of it when that dies."""

    def __init__(self, database: Path, address: str = "") -> None:
        self.path = database.with_suffix(".lock")
        self._holder = f"process {os.getpid()}{_AT}{address}".removesuffix(_AT)
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        """Take the lock; ConfigError if the folder cannot be written or another server has it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+", encoding="utf-8")
        except OSError as error:
            message = (
                f"The folder {self.path.parent} cannot be written ({error.strerror or error}): "
                "change its rights, or choose another with --home."
            )
            raise ConfigError(message) from error
        try:
            _lock(self._file)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read().strip() or "another process"
            self._file.close()
            message = (
                f"A server already runs on {self.path.parent} ({holder}): stop it, or give this "
                "one a folder of its own with --home."
            )
            raise ConfigError(message) from error
        with contextlib.suppress(OSError):  # the lock is what counts, also where the disk is full
            self._file.truncate(0)
            self._file.write(self._holder)
            self._file.flush()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the lock; the file stays, so that nobody locks one that is being removed."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.truncate(0)
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
