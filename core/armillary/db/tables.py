"""What an owner of tables declares: its tables, whom it builds on, and its migration steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from piccolo.table import Table

    from armillary.core import Core
    from armillary.db.unit import Unit

Releasing: TypeAlias = "Callable[[Core, Unit, Sequence[str]], Awaitable[None]]"
"""Sees to what depends on rows that are about to be deleted; may meet some of them again."""


class Belongs(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of ``table`` go when the row of ``to`` goes whose id is in their column ``by``."""

    table: str
    to: str
    by: str
    key: str | None = "id"
    """The column by which some of the rows are taken at a time; None where they are few."""
    clears: bool = False
    """The rows stay and only lose what is in ``by``."""
    only: str = ""
    """A condition on the rows, in terms of their columns; others may name what is gone."""
    audited: bool = True
    """Whether such a row that names what is gone is an orphan."""
    scoped: bool = False
    """Whether the index that finds the rows begins with the workspace."""


class Tables(msgspec.Struct, frozen=True):
    """The tables of one owner.

    ``steps`` is the package whose modules ``mNNNN_name`` are the migration steps; by default
    ``armillary_migrations.<owner>``.  ``after`` names owners that are migrated before.
    ``belongs`` says what goes with what when it is deleted, in that order; ``releases`` what is
    called before rows of a table are deleted with what they belong to.
    """

    owner: str
    classes: tuple[type[Table], ...] = ()
    after: tuple[str, ...] = ("core",)
    steps: str | None = None
    belongs: tuple[Belongs, ...] = ()
    releases: Mapping[str, Releasing] = msgspec.field(default_factory=dict)

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
