"""Automations as clients send them and as they are answered, and filters of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from armillary.api import Body, OrDefault
from armillary.criteria import AnyTags, Combining, Ids, Names, Times
from armillary.db.filters import Condition, TagPlace
from armillary.errors import Invalid
from armillary_plugins.automations.action_reading import read_action
from armillary_plugins.automations.action_schemas import AnyAction
from armillary_plugins.automations.loops import check_loops
from armillary_plugins.automations.trigger_schemas import Trigger
from armillary_plugins.automations.triggers import read_trigger

MAX_NAME = 500
"""Characters of a name, and of that of an owner."""
MAX_DOCUMENT = 512 * 1024
"""Bytes of trigger and actions together, all of which whoever looks for triggers keeps at hand."""

AutomationSort: TypeAlias = Literal["CREATED_DESC", "UPDATED_DESC", "NAME_ASC", "NAME_DESC"]
_encode = msgspec.json.Encoder().encode


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An automation that was looked through and found in order."""

    name: str
    description: str
    enabled: bool
    tags: list[str]
    trigger: Trigger
    actions: list[AnyAction]
    actions_on_trigger: list[AnyAction]
    actions_on_resolve: list[AnyAction]


class UpdateAutomation(Body, kw_only=True):
    """What an automation shall be from now on; ``trigger`` and the actions are read by kind."""

    name: str
    description: OrDefault[str] = ""
    enabled: OrDefault[bool] = True
    tags: OrDefault[list[str]] = msgspec.field(default_factory=list)
    trigger: msgspec.Raw
    actions: list[msgspec.Raw]
    actions_on_trigger: OrDefault[list[msgspec.Raw]] = msgspec.field(default_factory=list)
    actions_on_resolve: OrDefault[list[msgspec.Raw]] = msgspec.field(default_factory=list)

    def draft(self, new_id: Callable[[], str]) -> Draft:
        """Look it through; Invalid says what is wrong with it, and where."""
        check_length(self.name, "name")
        self._check_size(
            len(self.trigger),
            *map(len, (*self.actions, *self.actions_on_trigger, *self.actions_on_resolve)),
        )
        draft = Draft(
            name=self.name,
            description=self.description,
            enabled=self.enabled,
            tags=self.tags,
            trigger=read_trigger(self.trigger, new_id, ("body", "trigger")),
            actions=_actions(self.actions, "actions"),
            actions_on_trigger=_actions(self.actions_on_trigger, "actions_on_trigger"),
            actions_on_resolve=_actions(self.actions_on_resolve, "actions_on_resolve"),
        )
        self._check_size(len(_encode(draft)))
        if draft.enabled:
            check_loops(draft.trigger, draft.actions)
        return draft

    def _check_size(self, *sizes: int) -> None:
        if sum(sizes) > MAX_DOCUMENT:
            raise Invalid(
                f"The trigger and the actions take {sum(sizes)} bytes as JSON; "
                f"{MAX_DOCUMENT} is the limit."
            )


class CreateAutomation(UpdateAutomation, kw_only=True):
    """An automation to create; ``owner_resource`` is what it goes with, such as a deployment."""

    owner_resource: str | None = None


class PatchAutomation(Body):
    """Whether an automation is in force; without it all stays."""

    enabled: bool | None = None


class AutomationFilter(Combining):
    """Conditions on automations."""

    id: Ids | None = None
    name: Names | None = None
    created: Times | None = None
    tags: AnyTags | None = None

    def on(self, alias: str = "a") -> Condition:
        """Make the condition."""
        parts = []
        if self.id is not None:
            parts.append(self.id.on(f"{alias}.id"))
        if self.name is not None:
            parts.append(self.name.on(f"{alias}.name"))
        if self.created is not None:
            parts.append(self.created.on(f"{alias}.created"))
        if self.tags is not None:
            parts.append(self.tags.on(TagPlace(f"{alias}.tags")))
        return self.combine(parts)


class CountAutomations(Body):
    """Which automations to count."""

    automations: AutomationFilter | None = None


class FilterAutomations(CountAutomations):
    """Which automations to list."""

    sort: OrDefault[AutomationSort] = "NAME_ASC"
    limit: int | None = None
    offset: OrDefault[int] = 0


class Automation(msgspec.Struct, frozen=True, kw_only=True):
    """An automation as answered."""

    id: str
    created: datetime
    updated: datetime
    name: str
    description: str
    enabled: bool
    tags: list[str]
    trigger: Trigger
    actions: list[AnyAction]
    actions_on_trigger: list[AnyAction]
    actions_on_resolve: list[AnyAction]


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """An automation as answered, of parts that stay as they are stored."""

    id: str
    created: datetime
    updated: datetime
    name: str
    description: str
    enabled: bool
    tags: msgspec.Raw
    trigger: msgspec.Raw
    actions: msgspec.Raw
    actions_on_trigger: msgspec.Raw
    actions_on_resolve: msgspec.Raw


class TemplateFaultTold(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a template; the line is 0 where it is no one line's fault."""

    line: int
    message: str
    source: str


class TemplateRefusal(msgspec.Struct, frozen=True):
    """The answer to what is no template."""

    error: TemplateFaultTold


def check_length(text: str, member: str) -> None:
    """Raise Invalid for a name that no index could hold."""
    if len(text) > MAX_NAME:
        raise Invalid(
            f"{member} has {len(text)} characters; {MAX_NAME} is the limit.",
            loc=("body", member),
            kind="string_too_long",
        )


def _actions(raw: list[msgspec.Raw], member: str) -> list[AnyAction]:
    return [read_action(each, ("body", member, place)) for place, each in enumerate(raw)]
