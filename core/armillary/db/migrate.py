"""Brings the database to the shape this version expects: each step once, with its record."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter

import msgspec

from armillary.db.database import Database
from armillary.db.tables import Tables
from armillary.db.unit import Unit
from armillary.discovery import told
from armillary.errors import ConfigError, Unavailable

_RECORDS = """create table if not exists migration (
    owner text not null, step text not null, applied bigint not null, primary key (owner, step)
)"""
_NAME = re.compile(r"m\d{4}_\w+")


class Step(msgspec.Struct, frozen=True):
    """One migration step: statements in the words of :mod:`armillary.db.dialect`."""

    owner: str
    name: str
    statements: tuple[str, ...]


class StepsFailed(ConfigError):
    """The steps of some owners cannot be read, ordered or applied."""

    def __init__(self, message: str, owners: Iterable[str], reason: str) -> None:
        super().__init__(message)
        self.owners = tuple(owners)
        self.reason = reason


def steps_of(tables: Tables) -> list[Step]:
    """Import an owner's steps, in the order of their names; StepsFailed where that fails."""
    try:
        package = importlib.import_module(tables.package)
        names = sorted(
            found.name
            for found in pkgutil.iter_modules(package.__path__)
            if _NAME.fullmatch(found.name)
        )
        modules = {name: importlib.import_module(f"{tables.package}.{name}") for name in names}
        return [Step(tables.owner, name, tuple(modules[name].STATEMENTS)) for name in names]
    except Exception as error:
        reason = f"its migration steps cannot be read ({told(error)})"
        message = f"{tables.owner}: {reason}."
        raise StepsFailed(message, [tables.owner], reason) from error


def in_order(owners: Iterable[Tables]) -> list[Tables]:
    """Sort owners so that each comes after those it builds on; StepsFailed for a circle."""
    by_name = {tables.owner: tables for tables in owners}
    sorter = TopologicalSorter(
        {
            name: [o for o in tables.after if o in by_name and o != name]
            for name, tables in sorted(by_name.items())
        }
    )
    try:
        return [by_name[name] for name in sorter.static_order()]
    except CycleError as error:
        circle = error.args[1]
        reason = f"its tables are to be made after others in a circle: {' → '.join(circle)}"
        message = f"These owners of tables want to be after another: {' → '.join(circle)}."
        raise StepsFailed(message, circle, reason) from error


async def applied(database: Database) -> set[tuple[str, str]]:
    """Read which steps this database has seen; empty for an empty database."""

    async def look(unit: Unit) -> set[tuple[str, str]]:
        await _prepare(unit)
        return {(row[0], row[1]) for row in await unit.all("select owner, step from migration")}

    return await database.write(look, workspace=None)


async def upgrade(database: Database, owners: Sequence[Tables]) -> list[Step]:
    """Apply what is missing, under a lock; return the steps that were applied.

    Raises ConfigError if the database was made by a newer version, StepsFailed if a step fails.
    """
    ordered = in_order(owners)
    steps = [step for tables in ordered for step in steps_of(tables)]
    seen = await applied(database)
    _refuse_newer(seen, {(step.owner, step.name) for step in steps}, ordered)
    done: list[Step] = []
    for step in steps:
        if (step.owner, step.name) in seen:
            continue
        try:
            if await database.write(_apply(step), workspace=None):
                done.append(step)
        except Exception as error:
            message = (
                f"The migration step {step.owner}/{step.name} failed and nothing of it was kept: "
                f"{error}. Restore a backup or report this with the text above."
            )
            if isinstance(error, Unavailable):  # which is the fault of no plugin
                raise ConfigError(message) from error
            reason = f"its migration step {step.name} fails and nothing of it is kept"
            raise StepsFailed(message, [step.owner], f"{reason} ({told(error)})") from error
    return done


def _refuse_newer(
    seen: set[tuple[str, str]], known: set[tuple[str, str]], owners: Iterable[Tables]
) -> None:
    ships = {tables.owner: tables.steps is None for tables in owners}
    for owner, step in sorted(seen - known):
        if owner not in ships:
            continue
        message = (
            f"This database was made by a newer version of Armillary (it has {owner}/{step}): "
            "start that version, or point ARMILLARY_HOME or database.url somewhere else."
        )
        if ships[owner]:
            raise ConfigError(message)
        reason = f"a newer version of it has made its tables (they have {step}): install that one"
        raise StepsFailed(message, [owner], reason)


def _apply(step: Step):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a unit of work
    async def work(unit: Unit) -> bool:
        await _prepare(unit)
        found = await unit.one(
            "select 1 from migration where owner = ? and step = ?", step.owner, step.name
        )
        if found is not None:
            return False
        for statement in step.statements:
            await unit.run(statement)
        await unit.run(
            "insert into migration (owner, step, applied) values (?, ?, ?)",
            step.owner,
            step.name,
            unit.micros,
        )
        return True

    return work


async def _prepare(unit: Unit) -> None:
    lock = unit.dialect.migration_lock
    if lock is not None:
        await unit.run(lock)
    await unit.run(_RECORDS)
