"""What belongs to what, as statements: deletes from the leaves up, and the search for orphans."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from armillary.db.filters import json_list
from armillary.db.tables import Belongs
from armillary.db.unit import Reader, Unit

Release: TypeAlias = Callable[[Unit, Sequence[str]], Awaitable[None]]
"""Gives back what rows hold that are about to be deleted; may be called again for some of them."""

_STEP = 50
"""Rows that have others below them and are taken at a time."""


class Family:
    """The tables of an installation by what they belong to."""

    def __init__(self, belongs: Iterable[Belongs], releases: Mapping[str, Release]) -> None:
        self.belongs = tuple(belongs)
        self._releases = releases
        self._below: dict[str, list[Belongs]] = {}
        for each in self.belongs:
            self._below.setdefault(each.to, []).append(each)

    async def delete_below(self, unit: Unit, table: str, ids: Sequence[str], room: int) -> int:
        """Delete up to about ``room`` rows below some of a table; 0 if that was too little.

        What is left over of the room is returned; the rows themselves are the caller's.
        """
        for each in self._below.get(table, ()):
            if room <= 0:
                break
            if each.clears or each.key is None or not self._is_parent(each.table):
                room -= await unit.run(_delete(each), *_arguments(each, unit, ids, room))
            else:
                room = await self._delete_parents(unit, each, ids, room)
        return max(room, 0)

    def _is_parent(self, table: str) -> bool:
        return table in self._below or table in self._releases

    async def _delete_parents(
        self, unit: Unit, each: Belongs, ids: Sequence[str], room: int
    ) -> int:
        """Delete rows that have others below them, some at a time, each after what is below it."""
        while room > 0:
            some = min(room, _STEP)
            rows = await unit.all(_find(each), *_arguments(each, unit, ids, some))
            if not rows:
                break
            keys = [row[0] for row in rows]
            await self.release(unit, each.table, keys)
            room = await self.delete_below(unit, each.table, keys, room)
            if room > 0:
                room -= await unit.run(
                    f"delete from {each.table} where {each.key} {{in_list}}", json_list(keys)
                )
        return room

    async def release(self, unit: Unit, table: str, ids: Sequence[str]) -> None:
        """Give back what rows hold that are about to be deleted."""
        release = self._releases.get(table)
        if release is not None:
            await release(unit, ids)

    async def orphans(self, reader: Reader) -> dict[str, int]:
        """Count rows that belong to what is gone, by table and column; none are left out.

        What hangs below something doomed has not been deleted yet and is no orphan.
        """
        found: dict[str, int] = {}
        for each in self.belongs:
            if not each.audited:
                continue
            count = await reader.value(self.orphans_of(each))
            if count:
                found[f"{each.table}.{each.by}"] = count
        return found

    def orphans_of(self, each: Belongs) -> str:
        """Write the statement that counts rows whose owner is gone and not doomed."""
        only = f" and {each.only}" if each.only else ""
        return (
            f"select count(*) from {each.table} c where c.{each.by} is not null{only}"
            f" and not exists (select 1 from {each.to} p where p.id = c.{each.by})"
            f" and not coalesce({self.doomed(each.table, 'c')}, false)"
        )

    def doomed(self, table: str, alias: str) -> str:
        """Write the condition that a row hangs below something doomed; ``false`` where none can."""
        return self._doomed(table, alias, ()) or "false"

    def _doomed(self, table: str, alias: str, seen: tuple[str, ...]) -> str:
        parts: list[str] = []
        for each in self.belongs:
            if each.table != table or each.clears or each.to in seen:
                continue
            by = f"{alias}.{each.by}"
            own = [f"{by} in (select id from doomed)"]
            above = f"{alias}p"
            further = self._doomed(each.to, above, (*seen, table))
            if further:
                own.append(
                    f"exists (select 1 from {each.to} {above} where {above}.id = {by}"
                    f" and ({further}))"
                )
            condition = " or ".join(own)
            parts.append(f"({condition}) and {each.only}" if each.only else condition)
        return " or ".join(f"({part})" for part in parts)


def _where(each: Belongs) -> str:
    scope = "workspace = ? and " if each.scoped else ""
    only = f" and {each.only}" if each.only else ""
    return f"{scope}{each.by} {{in_list}}{only}"


def _find(each: Belongs) -> str:
    return f"select {each.key} from {each.table} where {_where(each)} limit ?"


def _delete(each: Belongs) -> str:
    if each.key is None:
        return f"delete from {each.table} where {_where(each)}"
    some = f"{each.key} in ({_find(each)})"
    if each.clears:
        return f"update {each.table} set {each.by} = null where {some}"
    return f"delete from {each.table} where {some}"


def _arguments(each: Belongs, unit: Unit, ids: Sequence[str], limit: int) -> list[object]:
    scope: list[object] = [unit.workspace] if each.scoped else []
    return [*scope, json_list(ids), *([] if each.key is None else [limit])]
