"""Automations as clients send them."""

from __future__ import annotations

from typing import Any

Json = Any

EVENT: dict[str, Json] = {
    "type": "event", "match": {"prefect.resource.id": "prefect.flow-run.*"},
    "match_related": [{"prefect.resource.name": ["a", "!b"], "prefect.resource.role": "flow"}],
    "after": [], "expect": ["prefect.flow-run.Failed"], "for_each": ["prefect.resource.id"],
    "posture": "Reactive", "threshold": 2, "within": 60.0,
}  # fmt: skip
SILENCE: dict[str, Json] = {
    **EVENT, "posture": "Proactive", "after": ["prefect.flow-run.heartbeat"], "within": 90.5,
    "match_related": {},
}  # fmt: skip
METRIC: dict[str, Json] = {
    "type": "metric", "match": {}, "match_related": {}, "posture": "Metric",
    "metric": {
        "name": "successes", "threshold": 0.5, "operator": "<", "range": 300.0,
        "firing_for": 600.0,
    },
}  # fmt: skip
COMPOUND: dict[str, Json] = {
    "type": "compound", "triggers": [EVENT, SILENCE], "within": 3600.0, "require": "all",
}  # fmt: skip
SEQUENCE: dict[str, Json] = {"type": "sequence", "triggers": [EVENT, COMPOUND], "within": None}
TRIGGERS = {
    "event": EVENT, "silence": SILENCE, "metric": METRIC, "compound": COMPOUND,
    "sequence": SEQUENCE,
}  # fmt: skip


def automation(**more: Json) -> dict[str, Json]:
    return {"name": "watch", "trigger": EVENT, "actions": [{"type": "do-nothing"}], **more}


def without_ids(trigger: Json) -> Json:
    """A trigger as a client sent it: ids are the server's."""
    plain = {name: value for name, value in trigger.items() if name != "id"}
    if "triggers" in plain:
        plain["triggers"] = [without_ids(each) for each in plain["triggers"]]
    return plain


def ids_of(trigger: Json) -> list[str]:
    """The ids of a trigger and all inside it."""
    inner = [found for each in trigger.get("triggers", ()) for found in ids_of(each)]
    return [trigger["id"], *inner]
