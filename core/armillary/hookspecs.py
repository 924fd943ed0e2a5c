"""The core's hooks: what a plugin can hand to the core, and when it is asked.

Every hook is synchronous, called once at start, and returns a list; the lists are put together
in the order of the plugins.  *Enabled* hooks are called in every process of a deployment alike,
*targeted* ones only where the plugin runs.  A hook is added together with its first user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from armillary.command import Command
    from armillary.core import Core
    from armillary.db.tables import Tables
    from armillary.deployments.blocks import BlockSource
    from armillary.deployments.variables import VariableSource
    from armillary.events.catalogue import EventType
    from armillary.flow_runs.graph import ArtifactsOfRun
    from armillary.jobs import Job
    from armillary.orchestration.rule import Rule
    from armillary.services.check import Check
    from armillary.services.consumer import Consumer
    from armillary.services.service import Service

hookspec = pluggy.HookspecMarker("armillary")
hookimpl = pluggy.HookimplMarker("armillary")


@hookspec
def register_tables() -> list[Tables]:  # type: ignore[empty-body]  # a declaration
    """Tables with their migration steps.  Enabled plugins, before the database is opened."""


@hookspec
def register_events() -> list[EventType]:  # type: ignore[empty-body]  # a declaration
    """Types of events the plugin emits.  Enabled plugins, when the catalogue is asked for."""


@hookspec
def register_rules() -> list[type[Rule]]:  # type: ignore[empty-body]  # a declaration
    """Orchestration rules.  Enabled plugins, when the policies are compiled."""


@hookspec
def register_graph_artifacts() -> list[ArtifactsOfRun]:  # type: ignore[empty-body]  # a declaration
    """What reads the artifacts a flow run's graph shows.  Enabled plugins, at the first graph."""


@hookspec
def register_variable_sources() -> list[VariableSource]:  # type: ignore[empty-body]  # a declaration
    """Where variables of a workspace are read.  Enabled plugins, before requests are answered."""


@hookspec
def register_block_sources(core: Core) -> list[BlockSource]:  # type: ignore[empty-body]  # a declaration
    """Where blocks of a workspace are read.  Enabled plugins, before requests are answered."""


@hookspec
def register_commands() -> list[Command]:  # type: ignore[empty-body]  # a declaration
    """Words of the command line.  Enabled plugins, before it is parsed."""


@hookspec
def register_routes(core: Core) -> list[Any]:  # type: ignore[empty-body]  # a declaration
    """Routes to serve: `armillary.api.Routes` or Litestar's.  Targeted plugins."""


@hookspec
def register_checks(core: Core) -> list[Check]:  # type: ignore[empty-body]  # a declaration
    """What must be well for this process to be ready.  Targeted plugins."""


@hookspec
def register_services(core: Core) -> list[Service]:  # type: ignore[empty-body]  # a declaration
    """Services to run in this process.  Targeted plugins."""


@hookspec
def register_consumers(core: Core) -> list[Consumer]:  # type: ignore[empty-body]  # a declaration
    """Consumers of topics to run in this process.  Targeted plugins."""


@hookspec
def register_jobs(core: Core) -> list[Job]:  # type: ignore[empty-body]  # a declaration
    """Jobs this process does; their queue is named after the plugin.  Targeted plugins."""
