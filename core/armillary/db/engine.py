"""From a URL to a database."""

from __future__ import annotations

from pathlib import Path

from armillary.clock import Clock
from armillary.db.database import Database
from armillary.errors import ConfigError


def database_for(url: str, clock: Clock, *, synchronous: str = "full") -> Database:
    """Make the database a URL names; its driver is imported only then.

    ``sqlite:///path`` or ``postgresql://user:password@host:port/name``.  Raises ConfigError for
    any other scheme.
    """
    scheme, _, rest = url.partition("://")
    if scheme.startswith("sqlite"):
        from armillary.db.sqlite import SqliteDatabase  # noqa: PLC0415

        return SqliteDatabase(Path(rest.removeprefix("/")), clock, synchronous=synchronous)
    if scheme.startswith("postgres"):
        from armillary.db.postgres import PostgresDatabase  # noqa: PLC0415

        return PostgresDatabase(f"postgresql://{rest}", clock)
    message = (
        f"The database URL {url!r} is of no known kind: write sqlite:///path/to/file.db or "
        "postgresql://user:password@host/name."
    )
    raise ConfigError(message)
