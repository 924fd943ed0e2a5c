"""Automations in a sentence: what they wait for, and what they do then."""

from __future__ import annotations

from typing import Any

import msgspec

from armillary_plugins.automations.schemas import Written
from armillary_web.filters import duration

_SHOWN = 3
"""Names in a row before the others are only counted."""


class _Action(msgspec.Struct):
    """What is told of an action; what else it has may be anything, numbers of any size too."""

    type: str


_actions = msgspec.json.Decoder(list[_Action]).decode


def told_trigger(automation: Written) -> str:
    """Say what an automation waits for."""
    return _trigger(msgspec.json.decode(automation.trigger))


def told_actions(automation: Written) -> str:
    """Say what an automation does."""
    every = [
        action
        for actions in (
            automation.actions,
            automation.actions_on_trigger,
            automation.actions_on_resolve,
        )
        for action in _actions(actions)
    ]
    kinds = list(dict.fromkeys(action.type.replace("-", " ") for action in every))
    return _row(kinds, "and")


def _trigger(trigger: dict[str, Any]) -> str:
    kind = trigger.get("type")
    if kind in ("compound", "sequence"):
        return _several(trigger, in_order=kind == "sequence")
    if kind == "metric" or "metric" in trigger:
        metric = trigger.get("metric") or {}
        return (
            f"{metric.get('name')} {metric.get('operator')} {metric.get('threshold')}"
            f" of {_resources(trigger)}"
        )
    return _event(trigger)


def _event(trigger: dict[str, Any]) -> str:
    expected = _row(trigger.get("expect") or ["any event"], "or")
    times = trigger.get("threshold", 1)
    seconds = float(trigger.get("within") or 0)
    span = f" within {duration(seconds)}" if seconds else ""
    often = f" {times} times" if times != 1 else ""
    if trigger.get("posture") == "Proactive":
        return f"{expected} of {_resources(trigger)} does not happen{often}{span}"
    return f"{expected} of {_resources(trigger)}{often}{span if often else ''}"


def _several(trigger: dict[str, Any], *, in_order: bool) -> str:
    parts = [f"({_trigger(each)})" for each in trigger.get("triggers") or ()]
    if in_order:
        return ", then ".join(parts) or "nothing"
    needed = trigger.get("require", "all")
    word = f"{needed} of" if needed not in ("any", "all") else str(needed)
    return f"{word}: {_row(parts, 'or' if needed == 'any' else 'and')}"


def _resources(trigger: dict[str, Any]) -> str:
    match = trigger.get("match") or {}
    given = match.get("prefect.resource.id") if isinstance(match, dict) else None
    if given is None:
        return "anything"
    return _row([given] if isinstance(given, str) else [str(each) for each in given], "or")


def _row(texts: list[str], word: str) -> str:
    """Write texts in a row; beyond a few the others are counted."""
    if not texts:
        return "nothing"
    shown = [str(each) for each in texts[:_SHOWN]]
    if len(texts) > _SHOWN:
        return f"{', '.join(shown)} {word} {len(texts) - _SHOWN} more"
    return f" {word} ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
