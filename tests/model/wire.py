"""Moments, states and runs as the wire has them, and as the models have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from armillary.clock import EPOCH, to_micros
from tests.model.runs import SECOND, Run, State

DETAILS = {
    "scheduled_time": "scheduled_time",
    "pause_timeout": "pause_timeout",
    "pause_reschedule": "pause_reschedule",
    "pause_key": "pause_key",
    "transition_id": "transition_id",
    "cache_key": "cache_key",
    "cache_expiration": "cache_expiration",
    "refresh_cache": "refresh_cache",
    "deferred": "deferred",
    "retriable": "retriable",
    "task_parameters_id": "task_parameters_id",
    "lease": "deployment_concurrency_lease_id",
}
"""What the models call a detail, and what it is called on the wire."""
_MOMENTS = {"scheduled_time", "pause_timeout", "cache_expiration"}
_FLAGS = {"pause_reschedule", "deferred"}


def text(micros: int | None) -> str | None:
    """A moment as the server writes it."""
    if micros is None:
        return None
    return (EPOCH + timedelta(microseconds=micros)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def micros(written: str | None) -> int | None:
    """A moment as the models have it."""
    return None if written is None else to_micros(datetime.fromisoformat(written).astimezone(UTC))


def body(proposed: State, *, named: bool = True) -> dict[str, Any]:
    """A proposal as a client sends it."""
    details = {
        DETAILS[key]: text(value) if key in _MOMENTS else value
        for key, value in proposed.details.items()
    }
    found: dict[str, Any] = {"type": proposed.type, "state_details": details}
    for key in ("message", "data"):
        if getattr(proposed, key) is not None:
            found[key] = getattr(proposed, key)
    return {**found, "name": proposed.name} if named else found


def details_of(state: State) -> dict[str, Any]:
    """What the details of a state should be, but for the ids of its runs."""
    found = {}
    for key, name in DETAILS.items():
        value = state.details.get(key)
        empty = False if key in _FLAGS else None
        found[name] = text(value) if key in _MOMENTS else (empty if value is None else value)
    return found


def state_document(state: State) -> dict[str, Any]:
    """What the server should answer about a state."""
    return {
        "id": state.id, "type": state.type, "name": state.name, "message": state.message,
        "data": state.data, "timestamp": text(state.at), "details": details_of(state),
    }  # fmt: skip


def state_seen(answered: dict[str, Any], expected: State) -> dict[str, Any]:
    """What the server answered, in the same form; a message the model leaves open is its own."""
    message = expected.message if expected.message == "*" else answered["message"]
    given = answered["state_details"]
    return {
        **{key: answered[key] for key in ("id", "type", "name", "data", "timestamp")},
        "message": message,
        "details": {name: given[name] for name in DETAILS.values()},
    }


def columns_document(run: Run, now: int) -> dict[str, Any]:
    """What the server should answer about the columns that follow from states."""
    return {
        "run_count": run.run_count,
        "total_run_time": run.ran / SECOND,
        "estimated_run_time": run.estimated(now) / SECOND,
        "estimated_start_time_delta": run.lateness(now) / SECOND,
        "start_time": text(run.start),
        "end_time": text(run.end),
        "expected_start_time": text(run.expected),
        "next_scheduled_start_time": text(run.due),
        "state_type": run.state.type if run.state else None,
        "state_name": run.state.name if run.state else None,
        "state_id": run.state.id if run.state else None,
    }


def columns_seen(answered: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """The same members of an answer, times of running rounded as microseconds are."""
    return {
        key: round(answered[key], 6) if isinstance(answered[key], float) else answered[key]
        for key in expected
    }


def same(seen: Any, expected: Any, about: object = "") -> None:
    """Fail with what differs, and nothing else."""
    if seen == expected:
        return
    if isinstance(seen, dict) and isinstance(expected, dict):
        keys = {key for key in {*seen, *expected} if seen.get(key) != expected.get(key)}
        seen = {key: seen.get(key) for key in sorted(keys)}
        expected = {key: expected.get(key) for key in sorted(keys)}
    raise AssertionError(f"{about}: the server has {seen}, the model {expected}")
