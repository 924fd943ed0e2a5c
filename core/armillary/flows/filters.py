"""Which flows a client asks for."""

from __future__ import annotations

from armillary.criteria import AbsenceOnly, AllTags, Combining, Ids, Names
from armillary.db.filters import TRUE, Condition, TagPlace, exists


class FlowFilter(Combining):
    """Conditions on flows."""

    id: Ids | None = None
    deployment: AbsenceOnly | None = None
    name: Names | None = None
    tags: AllTags | None = None

    def on(self, alias: str = "f") -> Condition:
        """Make the condition."""
        parts = []
        if self.id is not None:
            parts.append(self.id.on(f"{alias}.id"))
        if self.deployment is not None:
            parts.append(_deployed(alias, self.deployment.is_null_))
        if self.name is not None:
            parts.append(self.name.on(f"{alias}.name"))
        if self.tags is not None:
            parts.append(self.tags.on(TagPlace(f"{alias}.tags")))
        return self.combine(parts)

    def only_ids(self) -> list[str] | None:
        """Return the ids to choose from where that is all this asks for."""
        if self.id is None or self.deployment or self.name or self.tags:
            return None
        return self.id.only()

    def is_narrow(self) -> bool:
        """Whether few flows are named outright."""
        return self.operator == "and_" and bool(
            (self.id is not None and self.id.any_ is not None)
            or (self.name is not None and self.name.any_ is not None)
        )


def _deployed(alias: str, is_null: bool | None) -> Condition:  # noqa: FBT001 - as on the wire
    if is_null is None:
        return TRUE
    source = (
        f"deployment fd where fd.flow_id = {alias}.id"
        f" and {{no_index}}fd.workspace = {alias}.workspace"
    )
    return exists(source, TRUE, wanted=not is_null)
