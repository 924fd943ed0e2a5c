"""What an owner of tables declares: its tables, whom it builds on, and its migration steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from piccolo.table import Table


class Tables(msgspec.Struct, frozen=True):
    """The tables of one owner.

    ``steps`` is the package whose modules ``mNNNN_name`` are the migration steps; by default
    ``armillary_migrations.<owner>``.  ``after`` names owners that are migrated before.
    """

    owner: str
    classes: tuple[type[Table], ...] = ()
    after: tuple[str, ...] = ("core",)
    steps: str | None = None

    @property
    def package(self) -> str:
        """The import name of the package of migration steps."""
        return self.steps or f"armillary_migrations.{self.owner}"


def columns(table: type[Table]) -> tuple[str, ...]:
    """Return the names of a table's columns as they are in the database."""
    return tuple(
        column._meta.db_column_name  # noqa: SLF001 - Piccolo's own way to ask
        for column in table._meta.columns  # noqa: SLF001
    )
