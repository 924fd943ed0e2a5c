"""Artifacts ``a`` by their own properties and by those of the runs they belong to."""

from __future__ import annotations

from uuid import UUID

import msgspec

from armillary.api import Body
from armillary.criteria import Combining, Names, texts
from armillary.db.filters import (
    TRUE,
    Condition,
    any_of,
    every,
    exists,
    is_null,
    none_of,
)
from armillary.deployments.filters import DeploymentFilter
from armillary.flow_runs.filters import FlowRunFilter
from armillary.flows.filters import FlowFilter
from armillary.task_runs.filters import TaskRunFilter


class _Relation(msgspec.Struct, frozen=True):
    """How an artifact belongs to something: by a column, looked at from either end."""

    column: str
    from_artifact: str
    from_there: str

    def on(self, condition: Condition, *, workspace: int, narrow: bool) -> Condition:
        """What it belongs to meets a condition; a ``narrow`` one is met by few, found first."""
        if not narrow:
            return exists(self.from_artifact, condition)
        return Condition(
            f"{self.column} in (select {self.from_there} and {condition.sql})",
            (workspace, *condition.args),
        )


_BY_FLOW_RUN = _Relation(
    "a.flow_run_id",
    "flow_run r where r.id = a.flow_run_id and {no_index}r.workspace = a.workspace",
    "r.id from flow_run r where {no_index}r.workspace = ?",
)
_BY_FLOW = _Relation(
    "a.flow_run_id",
    "flow_run r join flow f on f.id = r.flow_id"
    " where r.id = a.flow_run_id and {no_index}f.workspace = a.workspace",
    "r.id from flow f join flow_run r on r.flow_id = f.id where f.workspace = ?",
)
_BY_DEPLOYMENT = _Relation(
    "a.flow_run_id",
    "flow_run r join deployment d on d.id = r.deployment_id"
    " where r.id = a.flow_run_id and {no_index}d.workspace = a.workspace",
    "r.id from deployment d join flow_run r on r.deployment_id = d.id where d.workspace = ?",
)
_BY_TASK_RUN = _Relation(
    "a.task_run_id",
    "task_run t where t.id = a.task_run_id and {no_index}t.workspace = a.workspace",
    "t.id from task_run t where {no_index}t.workspace = ?",
)


class SomeIds(Body):
    """``any_`` of ids."""

    any_: list[UUID] | None = None

    def on(self, column: str) -> list[Condition]:
        """Make the conditions."""
        return any_of(column, texts(self.any_))


class Keys(Names):
    """``any_``, ``like_`` and ``exists_``."""

    exists_: bool | None = None

    def on(self, column: str) -> Condition:
        """Make the condition."""
        wanted = None if self.exists_ is None else not self.exists_
        return every([super().on(column), *is_null(column, wanted)])


class Types(Body):
    """``any_`` and ``not_any_`` of texts."""

    any_: list[str] | None = None
    not_any_: list[str] | None = None

    def on(self, column: str) -> Condition:
        """Make the condition."""
        return every([*any_of(column, self.any_), *none_of(column, self.not_any_)])


class _Properties(Combining):
    """What an artifact and the latest of a collection have in common."""

    key: Keys | None = None
    flow_run_id: SomeIds | None = None
    task_run_id: SomeIds | None = None
    type: Types | None = None

    def ids(self) -> SomeIds | None:
        """Return the ids that are asked for."""
        return None

    def on(self, *, identity: str, key: str, kind: str) -> Condition:
        """Make the condition, of the columns that are not those of the runs."""
        parts = []
        ids = self.ids()
        if ids is not None:
            parts.append(every(ids.on(identity)))
        if self.key is not None:
            parts.append(self.key.on(key))
        if self.flow_run_id is not None:
            parts.append(every(self.flow_run_id.on("a.flow_run_id")))
        if self.task_run_id is not None:
            parts.append(every(self.task_run_id.on("a.task_run_id")))
        if self.type is not None:
            parts.append(self.type.on(kind))
        return self.combine(parts)

    def is_named(self) -> bool:
        """Whether few artifacts are named by their ids."""
        return self._requires(self.ids())

    def is_narrow(self) -> bool:
        """Whether few artifacts are named by their ids or by their runs."""
        return self._requires(self.ids(), self.flow_run_id, self.task_run_id)

    def is_indexed(self) -> bool:
        """Whether an index that begins with the workspace has them together."""
        return self._requires(self.key, self.type)

    def _requires(self, *choices: SomeIds | Keys | Types | None) -> bool:
        """Whether all that is found is among what one of these names."""
        named = (each is not None and each.any_ is not None for each in choices)
        return self.operator == "and_" and any(named)

    def is_plain(self) -> bool:
        """Whether a collection itself has all that is asked of it."""
        return (self.flow_run_id, self.task_run_id, self.type) == (None, None, None)


class ArtifactFilter(_Properties):
    """Conditions on artifacts."""

    id: SomeIds | None = None

    def ids(self) -> SomeIds | None:
        """Return the ids that are asked for."""
        return self.id


class ArtifactCollectionFilter(_Properties):
    """Conditions on collections and their latest artifacts."""

    latest_id: SomeIds | None = None

    def ids(self) -> SomeIds | None:
        """Return the ids that are asked for."""
        return self.latest_id


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which artifacts are meant.

    ``narrow`` says that few are named by an index, ``named`` that these are named by their ids,
    ``indexed`` that an index has them together; ``plain`` that nothing is asked of the artifact
    behind a collection.
    """

    condition: Condition
    named: bool
    narrow: bool
    indexed: bool
    plain: bool


class _OfRuns(Body):
    """The filters of what artifacts belong to."""

    flow_runs: FlowRunFilter | None = None
    task_runs: TaskRunFilter | None = None
    flows: FlowFilter | None = None
    deployments: DeploymentFilter | None = None

    def selected(self, own: Condition, properties: _Properties, workspace: int) -> Selection:
        """Put the conditions together, and say how they are best met."""
        parts: list[Condition] = []
        if self.flow_runs is not None:
            parts += _of_flow_runs(self.flow_runs, workspace)
        for each, relation, alias in (
            (self.task_runs, _BY_TASK_RUN, "t"),
            (self.flows, _BY_FLOW, "f"),
            (self.deployments, _BY_DEPLOYMENT, "d"),
        ):
            if each is not None:
                found = each.on(alias)
                parts.append(relation.on(found, workspace=workspace, narrow=each.is_narrow()))
        return Selection(
            condition=every([own, *parts]),
            named=properties.is_named(),
            narrow=properties.is_narrow() or self._is_narrow(),
            indexed=properties.is_indexed(),
            plain=not parts and properties.is_plain(),
        )

    def _is_narrow(self) -> bool:
        filters = (self.flow_runs, self.task_runs, self.flows, self.deployments)
        return any(each is not None and each.is_narrow() for each in filters)


def _of_flow_runs(flow_runs: FlowRunFilter, workspace: int) -> list[Condition]:
    ids = flow_runs.only_ids()
    if ids is not None:
        return [*any_of("a.flow_run_id", ids), exists(_BY_FLOW_RUN.from_artifact, TRUE)]
    narrow = flow_runs.is_narrow()
    return [_BY_FLOW_RUN.on(flow_runs.on("r"), workspace=workspace, narrow=narrow)]


class ArtifactCriteria(_OfRuns):
    """The filters a request for artifacts may have."""

    artifacts: ArtifactFilter | None = None

    def selection(self, workspace: int) -> Selection:
        """Say which artifacts ``a`` are meant."""
        asked = self.artifacts or ArtifactFilter()
        own = asked.on(identity="a.id", key="a.key", kind="a.type")
        return self.selected(own, asked, workspace)


class LatestCriteria(_OfRuns):
    """The filters a request for collections may have."""

    artifacts: ArtifactCollectionFilter | None = None

    def selection(self, workspace: int) -> Selection:
        """Say which collections ``c`` with their latest artifacts ``a`` are meant."""
        asked = self.artifacts or ArtifactCollectionFilter()
        own = asked.on(identity="c.latest_id", key="c.key", kind="{no_index}a.type")
        return self.selected(own, asked, workspace)
