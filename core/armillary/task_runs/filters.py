"""Which task runs a client asks for."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from armillary.criteria import AllTags, Combining, Ids, Names, Presence, States, Times, texts
from armillary.db.filters import TRUE, Condition, TagPlace, any_of, every, exists, is_null


class OfFlowRun(Combining):
    """Which flow run a task run belongs to; without more it has to belong to one."""

    any_: list[UUID] | None = None
    is_null_: bool | None = False

    def on(self, column: str) -> Condition:
        """Make the condition; asking for those without a flow run overrides the list."""
        if self.is_null_:
            return every(is_null(column, True))
        if self.any_ is not None:
            return every(any_of(column, texts(self.any_)))
        return every(is_null(column, False))


class TaskRunFilter(Combining):
    """Conditions on task runs."""

    id: Ids | None = None
    name: Names | None = None
    tags: AllTags | None = None
    state: States | None = None
    start_time: Times | None = None
    end_time: Times | None = None
    expected_start_time: Times | None = None
    subflow_runs: Presence | None = None
    flow_run_id: OfFlowRun | None = None

    def on(self, alias: str = "t") -> Condition:
        """Make the condition."""
        parts = []
        if self.id is not None:
            parts.append(self.id.on(f"{alias}.id"))
        if self.name is not None:
            parts.append(self.name.on(f"{alias}.name"))
        if self.tags is not None:
            parts.append(self.tags.on(TagPlace(f"{alias}.tags")))
        if self.state is not None:
            parts.append(self.state.on(alias))
        if self.subflow_runs is not None:
            parts.append(_has_subflow(alias, self.subflow_runs.exists_))
        if self.flow_run_id is not None:
            parts.append(self.flow_run_id.on(f"{alias}.flow_run_id"))
        return self.combine([*parts, *self._times(alias)])

    def _times(self, alias: str) -> list[Condition]:
        parts = []
        if self.start_time is not None:
            started = f"{alias}.start_time"
            parts.append(self.start_time.on(started, null=started))
        if self.end_time is not None:
            ended = f"{alias}.end_time"
            parts.append(self.end_time.on(ended, null=ended))
        if self.expected_start_time is not None:
            parts.append(self.expected_start_time.on(f"{alias}.expected_start_time"))
        return parts

    def is_narrow(self) -> bool:
        """Whether few task runs are named outright, by themselves or by their flow runs."""
        if self.operator != "and_":
            return False
        if self.id is not None and self.id.any_ is not None:
            return True
        of_run = self.flow_run_id
        return of_run is not None and not of_run.is_null_ and of_run.any_ is not None

    def required_states(self) -> Sequence[str] | None:
        """Return the state types to choose from, if no others can match."""
        if self.operator != "and_" or self.state is None:
            return None
        return self.state.required_types()


def _has_subflow(alias: str, wanted: bool | None) -> Condition:  # noqa: FBT001 - as on the wire
    if wanted is None:
        return TRUE
    source = (
        f"flow_run sr where sr.parent_task_run_id = {alias}.id"
        f" and {{no_index}}sr.workspace = {alias}.workspace"
    )
    return exists(source, TRUE, wanted=wanted)
