"""Which deployments a client asks for."""

from __future__ import annotations

from armillary.api import Body
from armillary.criteria import AnyTags, Choice, Combining, Flag, Ids, Likeness, Names
from armillary.db.filters import Condition, TagPlace, equals, every, exists, like, some


class Limits(Body):
    """Conditions on a deployment's limit: accepted, without effect, as clients know it."""

    ge_: int | None = None
    le_: int | None = None
    is_null_: bool | None = None


class DeploymentFilter(Combining):
    """Conditions on deployments."""

    id: Ids | None = None
    name: Names | None = None
    flow_or_deployment_name: Likeness | None = None
    paused: Flag | None = None
    tags: AnyTags | None = None
    work_queue_name: Choice | None = None
    concurrency_limit: Limits | None = None

    def on(self, alias: str = "d") -> Condition:
        """Make the condition."""
        parts = []
        if self.id is not None:
            parts.append(self.id.on(f"{alias}.id"))
        if self.name is not None:
            parts.append(self.name.on(f"{alias}.name"))
        if self.flow_or_deployment_name is not None:
            parts.append(_either_name(alias, self.flow_or_deployment_name.like_))
        if self.paused is not None:
            parts.append(every(equals(f"{alias}.paused", self.paused.eq_)))
        if self.tags is not None:
            parts.append(self.tags.on(TagPlace(f"{alias}.tags")))
        if self.work_queue_name is not None:
            parts.append(self.work_queue_name.on(f"{alias}.work_queue_name"))
        return self.combine(parts)

    def only_ids(self) -> list[str] | None:
        """Return the ids to choose from where that is all this asks for."""
        others = (
            self.name, self.flow_or_deployment_name, self.paused, self.tags, self.work_queue_name,
        )  # fmt: skip
        if self.id is None or any(other is not None for other in others):
            return None
        return self.id.only()

    def is_narrow(self) -> bool:
        """Whether few deployments are named outright."""
        return self.operator == "and_" and bool(
            (self.id is not None and self.id.any_ is not None)
            or (self.name is not None and self.name.any_ is not None)
        )


def _either_name(alias: str, text: str | None) -> Condition:
    if not text:
        return every([])
    source = (
        f"flow df where df.id = {alias}.flow_id and {{no_index}}df.workspace = {alias}.workspace"
    )
    return some(
        [
            *like(f"{alias}.name", text),
            exists(source, every(like("df.name", text))),
        ]
    )
