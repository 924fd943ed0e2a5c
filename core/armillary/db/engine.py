"""From a URL to a database."""

from __future__ import annotations

from pathlib import Path

from armillary.clock import Clock
from armillary.db.database import Database
from armillary.errors import ConfigError


def file_of(url: str) -> Path | None:
    """Return the file a URL names; None for a database that is no file.

    Raises ConfigError for a URL that should name one and does not.
    """
    scheme, _, rest = url.partition("://")
    if not scheme.startswith("sqlite"):
        return None
    file = Path(rest.removeprefix("/"))
    if not file.name:
        message = f"The database URL {url!r} names no file: write sqlite:///path/to/file.db."
        raise ConfigError(message)
    return file


def database_for(url: str, clock: Clock, *, synchronous: str = "full") -> Database:
    """Make the database a URL names; its driver is imported only then.

    ``sqlite:///path`` or ``postgresql://user:password@host:port/name``.  Raises ConfigError for
    any other scheme.
    """
    if (file := file_of(url)) is not None:
        from armillary.db.sqlite import SqliteDatabase  # noqa: PLC0415

        return SqliteDatabase(file, clock, synchronous=synchronous)
    scheme, _, rest = url.partition("://")
    if scheme.startswith("postgres"):
        from armillary.db.postgres import PostgresDatabase  # noqa: PLC0415

        return PostgresDatabase(f"postgresql://{rest}", clock)
    message = (
        f"The database URL {url!r} is of no known kind: write sqlite:///path/to/file.db or "
        "postgresql://user:password@host/name."
    )
    raise ConfigError(message)
