"""The one object that plugins receive: what they work with, and nothing of a domain."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from armillary.broker.embedded import EmbeddedBroker
from armillary.clock import Clock, SystemClock
from armillary.db.core_belongs import BELONGS
from armillary.db.database import Database
from armillary.db.engine import database_for
from armillary.db.migrate import Step, StepsFailed, upgrade
from armillary.db.tables import Tables
from armillary.deleting.deletions import Deletions
from armillary.discovery import Found, discover, told
from armillary.errors import PluginFailed, Unavailable
from armillary.ids import Ids
from armillary.metrics import Metrics
from armillary.orchestration.engine import Gate
from armillary.orchestration.policy import Policies
from armillary.orchestration.rules import RULES
from armillary.plugins import Plugins, enabled_among
from armillary.settings import Settings
from armillary.shared_reads import SharedReads
from armillary.workspaces import Workspaces

if TYPE_CHECKING:
    from armillary.deployments.blocks import Blocks
    from armillary.deployments.variables import Variables
    from armillary.events.intake import Intake
    from armillary.flow_runs.graph import ArtifactsOfRun
    from armillary.flow_runs.graph_reading import KnownGraphs
    from armillary.flow_runs.known import KnownFlowRuns
    from armillary.services.check import Check

T = TypeVar("T")


class Core:
    """Settings, plugins, database, broker, and the injected clock, ids and chance."""

    address = ""
    """Where this process answers requests, once that is known."""

    def __init__(
        self,
        *,
        settings: Settings,
        plugins: Plugins,
        database: Database,
        clock: Clock,
        chance: random.Random,
    ) -> None:
        self.settings = settings
        self.plugins = plugins
        self.database = database
        self.clock = clock
        self.chance = chance
        self.ids = Ids(clock, chance)
        self.metrics = Metrics()
        self.broker = EmbeddedBroker(database, clock, self.metrics)
        self.gate = Gate(
            database,
            Policies([*RULES, *self.collect("register_rules")]),
            clock=clock,
            ids=self.ids,
            chance=chance,
            limits=settings.orchestration,
        )

    @classmethod
    def create(
        cls,
        settings: Settings,
        *,
        found: Mapping[str, Found] | None = None,
        failed: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        chance: random.Random | None = None,
    ) -> Core:
        """Put a core together from settings, without plugins that ``failed`` for some reason.

        Tests inject a clock and a chance.
        """
        found = discover() if found is None else found
        enabled = enabled_among(
            found, enable=settings.plugins.enable, disable=settings.plugins.disable
        )
        clock = clock or SystemClock()
        return cls(
            settings=settings,
            plugins=Plugins(found, enabled=enabled, targets=settings.targets, failed=failed),
            database=database_for(
                settings.database_url, clock, synchronous=settings.database.synchronous
            ),
            clock=clock,
            chance=chance or random.Random(),  # noqa: S311 - jitter and ids, no secrets
        )

    @cached_property
    def shared_reads(self) -> SharedReads:
        """What is read once for many."""
        return SharedReads(self.clock)

    @cached_property
    def workspaces(self) -> Workspaces:
        """Which workspace an address names."""
        return Workspaces(self.database)

    @cached_property
    def deletions(self) -> Deletions:
        """What goes with what is deleted."""
        return Deletions(self)

    @cached_property
    def intake(self) -> Intake:
        """Where events from outside come in."""
        from armillary.events.intake import Intake  # noqa: PLC0415 - only where events come in

        return Intake(self)

    @cached_property
    def graph_artifacts(self) -> list[ArtifactsOfRun]:
        """What reads the artifacts that the graph of a flow run shows."""
        return self.collect("register_graph_artifacts")

    @cached_property
    def known_flow_runs(self) -> KnownFlowRuns:
        """Flow runs that were listed already."""
        from armillary.flow_runs.known import KnownFlowRuns  # noqa: PLC0415 - where shown

        return KnownFlowRuns()

    @cached_property
    def known_graphs(self) -> KnownGraphs:
        """Graphs of flow runs that were drawn already."""
        from armillary.flow_runs.graph_reading import KnownGraphs  # noqa: PLC0415 - where shown

        return KnownGraphs()

    @cached_property
    def variables(self) -> Variables:
        """What replaces references to variables by their values."""
        from armillary.deployments.variables import Variables  # noqa: PLC0415 - where runs are made

        return Variables(self.collect("register_variable_sources"))

    @cached_property
    def blocks(self) -> Blocks:
        """What job variables and result storage refer to."""
        from armillary.deployments.blocks import Blocks  # noqa: PLC0415 - where runs are made

        return Blocks(self.collect("register_block_sources", self))

    @cached_property
    def checks(self) -> list[Check]:
        """What must be well for this process to be ready."""
        return self.collect("register_checks", self)

    async def open(self) -> list[Step]:
        """Open the database and bring it to this version's shape; return the steps that took."""
        await self.database.open()
        try:
            steps = await self.upgrade()
            await self.deletions.open()
        except BaseException:
            await self.database.close()
            raise
        return steps

    async def upgrade(self) -> list[Step]:
        """Bring an open database to this version's shape; PluginFailed names whose step fails."""
        try:
            steps = await upgrade(self.database, self.tables())
        except StepsFailed as error:
            plugins = {owner.owner: plugin for plugin, owner in self._plugins_tables()}
            guilty = [plugins[owner] for owner in error.owners if owner in plugins]
            if not guilty:
                raise
            raise PluginFailed(max(guilty, key=self._is_foreign), error.reason) from error
        await self._check_belongings()
        return steps

    async def _check_belongings(self) -> None:
        """See that what others' tables say they belong to can be asked for: deleting needs it."""
        for plugin, tables in self._plugins_tables():
            for each in tables.belongs if self._is_foreign(plugin) else ():
                try:
                    await self.database.read(None).all(
                        f"explain {self.deletions.family.orphans_of(each)}"
                    )
                except Unavailable:
                    raise
                except Exception as error:
                    place = f"{each.table}.{each.by} belongs to {each.to}"
                    raise PluginFailed(plugin, f"that {place} is not so ({told(error)})") from error

    async def left_behind(self) -> list[str]:
        """Name the owners of tables in the database of whom nothing is installed any more."""
        here = {tables.owner for tables in self.tables()} | self.plugins.found.keys()
        rows = await self.database.read(None).all("select distinct owner from migration")
        return sorted({row[0] for row in rows} - here)

    async def close(self) -> None:
        """Let what is queued finish, then let go of the database."""
        await self.broker.close()
        await self.database.close()

    def tables(self) -> list[Tables]:
        """Return the tables of the core and of every enabled plugin."""
        return [Tables(owner="core", after=(), belongs=BELONGS), *self.collect("register_tables")]

    def _plugins_tables(self) -> list[tuple[str, Tables]]:
        return self.plugins.collect("register_tables")

    def config(self, kind: type[T]) -> T:
        """Return the settings section that is decoded into ``kind``."""
        return self.settings.section(kind)

    def collect(self, hook: str, *arguments: object) -> list[Any]:
        """Call a hook and put together what it returns; PluginFailed for a name twice."""
        seen: dict[str, str] = {}
        collected: list[Any] = []
        for plugin, entry in self.plugins.collect(hook, *arguments):
            name = _name_of(entry)
            if name is not None and seen.setdefault(name, plugin) is not plugin:
                other, guilty = sorted((seen[name], plugin), key=self._is_foreign)
                reason = f"{other} hands over {name!r} as well ({hook}): rename one"
                raise PluginFailed(guilty, reason)
            collected.append(entry)
        return collected

    def _is_foreign(self, plugin: str) -> bool:
        return bool(self.plugins.found[plugin].distribution)


def _name_of(entry: object) -> str | None:
    for attribute in ("owner", "name", "__name__"):
        name = getattr(entry, attribute, None)
        if isinstance(name, str):
            return name
    return None
