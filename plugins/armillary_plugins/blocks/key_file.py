"""The file of the keys: one a line, the first encrypts; nobody but its owner reads it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from armillary.errors import ConfigError
from armillary_plugins.blocks.encryption import is_key, new_key


def keys_in(path: Path) -> list[str]:
    """Read the keys; none where there is no file, ConfigError where it cannot be used."""
    try:
        lines = path.read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The key file {path} cannot be read: {error}.") from error
    if not lines or not all(map(is_key, lines)):
        raise ConfigError(
            f"The key file {path} holds something else than keys: put back the file that was "
            "there; without its keys no block can be read."
        )
    return lines


def made(path: Path) -> list[str]:
    """Make the file with a new key; return the keys of one that somebody made meanwhile."""
    beside = _written(path, [new_key()])
    try:
        os.link(beside, path)  # unlike a rename, this replaces nothing
    except FileExistsError:
        return keys_in(path)
    except OSError as error:
        raise ConfigError(f"The key file {path} cannot be made: {error}.") from error
    finally:
        beside.unlink()
    _sync(path.parent)
    return keys_in(path)


def replace(path: Path, keys: Iterable[str]) -> None:
    """Put other keys into the file; at every moment it holds all the old or all the new ones."""
    beside = _written(path, keys)
    beside.replace(path)
    _sync(path.parent)


def _written(path: Path, keys: Iterable[str]) -> Path:
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        beside.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as text:
            text.write("".join(f"{key}\n" for key in keys))
            text.flush()
            os.fsync(text.fileno())
    except OSError as error:
        raise ConfigError(f"The key file {path} cannot be written: {error}.") from error
    return beside


def _sync(folder: Path) -> None:
    """Have the name of a file survive a failure of the power, where folders can be opened."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
