"""Runs that would lead to runs without end are refused, as long as the automation is in force."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from armillary.errors import Invalid
from armillary_plugins.automations.schemas import UpdateAutomation
from tests.api import NOBODY
from tests.plugins.automations.samples import automation

EVERY = {"prefect.resource.id": "prefect.flow-run.*"}
ONE = {"prefect.resource.id": "prefect.flow.1"}
INFERRED = {"type": "run-deployment", "source": "inferred"}
SELECTED = {"type": "run-deployment", "deployment_id": NOBODY}


def look_through(action: Any, *, enabled: bool = True, **trigger: Any) -> None:
    given = {"posture": "Reactive", "expect": ["prefect.flow-run.Running"], **trigger}
    body = automation(trigger=given, actions=[action], enabled=enabled)
    update = msgspec.json.decode(msgspec.json.encode(body), type=UpdateAutomation)
    update.draft(lambda: NOBODY)


@pytest.mark.parametrize("state", ["Scheduled", "Pending", "Running", "*"])
def test_the_deployment_of_the_run_itself_is_always_a_loop(state: str) -> None:
    with pytest.raises(Invalid, match="infinite loop"):
        look_through(INFERRED, expect=[f"prefect.flow-run.{state}"], match=ONE)


@pytest.mark.parametrize(
    "trigger",
    [
        {},
        {"match": EVERY},
        {"match": {"prefect.resource.id": ["x", "prefect.flow-run.*"]}, "match_related": EVERY},
        {"match": EVERY, "match_related": [ONE, {}]},
    ],
)
def test_a_named_deployment_for_every_run_is_a_loop(trigger: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="narrow down"):
        look_through(SELECTED, **trigger)


@pytest.mark.parametrize(
    ("action", "trigger"),
    [
        (SELECTED, {"match_related": ONE}),
        (SELECTED, {"match": {**EVERY, "a": "b"}}),
        (SELECTED, {"match": EVERY, "match_related": [ONE]}),
        (INFERRED, {"expect": ["prefect.flow-run.Failed"]}),
        (INFERRED, {"expect": []}),
        (INFERRED, {"posture": "Proactive"}),
        (INFERRED, {"enabled": False}),
        ({"type": "cancel-flow-run"}, {}),
    ],
)
def test_what_comes_to_an_end_is_let_in(action: Any, trigger: dict[str, Any]) -> None:
    look_through(action, **trigger)


def test_what_is_done_on_the_change_alone_is_not_looked_at() -> None:
    trigger = {"posture": "Reactive", "expect": ["prefect.flow-run.Running"]}
    body = automation(trigger=trigger, actions=[], actions_on_trigger=[INFERRED])
    update = msgspec.json.decode(msgspec.json.encode(body), type=UpdateAutomation)
    assert update.draft(lambda: NOBODY).actions == []
