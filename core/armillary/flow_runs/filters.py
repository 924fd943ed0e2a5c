"""Which flow runs a client asks for."""

from __future__ import annotations

from uuid import UUID

import msgspec

from armillary.api import Body
from armillary.criteria import (
    AnyTags,
    Choice,
    ChoiceOrNone,
    Combining,
    Ids,
    IdsOrNone,
    Names,
    States,
    Times,
    texts,
)
from armillary.db.filters import TRUE, Condition, TagPlace, any_of, every, is_null


class ParentFlowRuns(Combining):
    """The flow runs whose subflow runs are meant."""

    any_: list[UUID] | None = None

    def on(self, alias: str) -> Condition:
        """Make the condition."""
        if self.any_ is None:
            return every([])
        parents = every(any_of("pt.flow_run_id", texts(self.any_)))
        return Condition(
            f"{alias}.parent_task_run_id in (select pt.id from task_run pt where {parents.sql})",
            parents.args,
        )


class Creators(Combining):
    """Who created a run."""

    id_: list[UUID] | None = None
    type_: list[str] | None = None
    is_null_: bool | None = None

    def on(self, column: str) -> Condition:
        """Make the condition on a column of JSON."""
        return self.combine(
            [
                *any_of(f"{column}{{json}} ->> 'id'", texts(self.id_)),
                *any_of(f"{column}{{json}} ->> 'type'", self.type_),
                *is_null(column, self.is_null_),
            ]
        )


class VersionChoice(Body):
    """``any_`` of versions."""

    any_: list[str] | None = None


class FlowRunFilter(Combining):
    """Conditions on flow runs."""

    id: Ids | None = None
    name: Names | None = None
    tags: AnyTags | None = None
    deployment_id: IdsOrNone | None = None
    work_queue_name: ChoiceOrNone | None = None
    state: States | None = None
    flow_version: VersionChoice | None = None
    start_time: Times | None = None
    end_time: Times | None = None
    expected_start_time: Times | None = None
    next_scheduled_start_time: Times | None = None
    parent_flow_run_id: ParentFlowRuns | None = None
    parent_task_run_id: IdsOrNone | None = None
    idempotency_key: Choice | None = None
    created_by: Creators | None = None

    def on(self, alias: str = "r") -> Condition:
        """Make the condition."""
        return self.combine([*self._plain(alias), *self._times(alias), *self._relations(alias)])

    def _plain(self, alias: str) -> list[Condition]:
        parts = []
        if self.id is not None:
            parts.append(self.id.on(f"{alias}.id"))
        if self.name is not None:
            parts.append(self.name.on(f"{alias}.name"))
        if self.work_queue_name is not None:
            parts.append(self.work_queue_name.on(f"{alias}.work_queue_name"))
        if self.state is not None:
            parts.append(self.state.on(alias))
        if self.flow_version is not None:
            parts.append(every(any_of(f"{alias}.flow_version", self.flow_version.any_)))
        if self.idempotency_key is not None:
            parts.append(self.idempotency_key.on(f"{alias}.idempotency_key"))
        return parts

    def _times(self, alias: str) -> list[Condition]:
        parts = []
        if self.start_time is not None:
            start = f"{alias}.start_time"
            when = f"coalesce({start}, {alias}.expected_start_time)"
            parts.append(self.start_time.on(when, null=start))
        if self.end_time is not None:
            ended = f"{alias}.end_time"
            parts.append(self.end_time.on(ended, null=ended))
        if self.expected_start_time is not None:
            parts.append(self.expected_start_time.on(f"{alias}.expected_start_time"))
        if self.next_scheduled_start_time is not None:
            parts.append(self.next_scheduled_start_time.on(f"{alias}.next_scheduled_start_time"))
        return parts

    def _relations(self, alias: str) -> list[Condition]:
        parts = []
        if self.tags is not None:
            parts.append(self.tags.on(tag_place(alias)))
        if self.deployment_id is not None:
            parts.append(self.deployment_id.on(f"{alias}.deployment_id"))
        if self.parent_flow_run_id is not None:
            parts.append(self.parent_flow_run_id.on(alias))
        if self.parent_task_run_id is not None:
            parts.append(self.parent_task_run_id.on(f"{alias}.parent_task_run_id"))
        if self.created_by is not None:
            parts.append(self.created_by.on(f"{alias}.created_by"))
        return parts

    def only_ids(self) -> list[str] | None:
        """Return the ids to choose from where that is all this asks for."""
        given = [
            name for name in self.__struct_fields__
            if name != "operator" and getattr(self, name) is not None
        ]  # fmt: skip
        return self.id.only() if given == ["id"] and self.id is not None else None

    def is_narrow(self) -> bool:
        """Whether the filter names few runs, by their ids or by what they belong to."""
        return self.names_runs() or self.only_deployments() is not None

    def names_runs(self) -> bool:
        """Whether it names them by their ids or those of what began them."""
        if self.operator != "and_":
            return False
        parents, tasks = self.parent_flow_run_id, self.parent_task_run_id
        return (
            (self.id is not None and self.id.any_ is not None)
            or (tasks is not None and tasks.only() is not None)
            or (parents is not None and parents.any_ is not None)
        )

    def only_deployments(self) -> list[str] | None:
        """Return the deployments to choose from, where there is such a choice."""
        if self.operator != "and_" or self.deployment_id is None:
            return None
        return self.deployment_id.only()

    def required_window(self) -> Times | None:
        """Return the window of expected starts, where that alone says when a run is to start."""
        window = self.expected_start_time
        if self.operator != "and_" or window is None or self.start_time is not None:
            return None
        return None if window.before_ is None and window.after_ is None else window

    def required_state(self) -> States | None:
        """Return the condition on its state that every match meets."""
        return self.state if self.operator == "and_" else None

    def without_state(self) -> FlowRunFilter:
        """Leave out what :meth:`required_state` says."""
        if self.required_state() is None:
            return self
        return msgspec.structs.replace(self, state=None)

    def on_tag(self, alias: str) -> Condition:
        """Make the condition as far as the side table of tags has it: state and expected start."""
        if self.operator != "and_":
            return TRUE
        parts = [] if self.state is None else [self.state.on(alias)]
        if self.expected_start_time is not None:
            parts.append(self.expected_start_time.on(f"{alias}.expected_start_time"))
        return every(parts)

    def beyond_tag(self) -> FlowRunFilter:
        """Leave out what :meth:`on_tag` and a search that starts from the tags have seen to."""
        if self.operator != "and_":
            return self
        tags = None if self.tags_are_driven() else self.tags
        return msgspec.structs.replace(self, state=None, expected_start_time=None, tags=tags)

    def required_tags(self) -> tuple[list[str], list[str]]:
        """Return tags of which all, and tags of which one, every match has."""
        tags = self.tags
        if self.operator != "and_" or tags is None or tags.operator != "and_":
            return [], []
        return tags.all_ or [], tags.any_ or []

    def tags_are_driven(self) -> bool:
        """Whether starting from the required tags leaves nothing of the tags to be checked."""
        tags = self.tags
        if tags is None or tags.is_null_ is not None:
            return False
        every_tag, any_tag = self.required_tags()
        return tags.any_ is None if every_tag else bool(any_tag)


def tag_place(alias: str) -> TagPlace:
    """Say where a flow run's tags are."""
    return TagPlace(f"{alias}.tags", f"flow_run_tag ft where ft.flow_run_id = {alias}.id")
