"""What was let in does no harm later: runs with the strangest policies are read and led on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import NOBODY, Api
from tests.contracts.world import World

POLICIES: list[dict[str, Any]] = [
    {name: value}
    for name in ("retries", "max_retries", "retry_delay", "retry_delay_seconds",
                 "retry_jitter_factor", "pause_keys")
    for value in ("nan", "inf", "-inf", "1e300", -1, 10**9, 2**31, 2**63, 10**30, 1e300, [10**12],
                  ["nan"], ["1e300"], 1.5)
]  # fmt: skip
DETAILS: list[dict[str, Any]] = [
    {name: value}
    for name in ("scheduled_time", "pause_timeout", "cache_expiration", "pause_key", "cache_key",
                 "run_input_keyset", "transition_id", "task_parameters_id", "child_flow_run_id")
    for value in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
                  253402300800, 0, "é" * 5000, {}, {"a": "b"}, NOBODY)
]  # fmt: skip


async def led(api: Api, kind: str, run: dict[str, Any]) -> list[str]:
    """What is a fault while a run fails, is retried and is looked at."""
    wrong = []
    for state in ("PENDING", "RUNNING", "FAILED", "RUNNING", "PAUSED", "CANCELLING", "CANCELLED"):
        body = {"state": {"type": state, "state_details": {"pause_key": "k"}}}
        answers = (
            await api.client.post(f"/api/{kind}/{run['id']}/set_state", json=body),
            await api.client.get(f"/api/{kind}/{run['id']}"),
        )
        wrong += [f"{kind} {state}: {each.text}" for each in answers if each.status_code >= 500]
    return wrong


@pytest.mark.parametrize("kind", ["flow_runs", "task_runs"])
async def test_no_policy_spoils_a_run(api: Api, world: World, kind: str) -> None:
    wrong = []
    for number, policy in enumerate(POLICIES):
        full = {"retries": 3, **policy} if "retry_delay" in str(policy) else policy
        body = {
            "flow_run_id": None, "flow_id": world.flow, "task_key": "k",
            "dynamic_key": str(number), "empirical_policy": full,
        }  # fmt: skip
        made = await api.client.post(f"/api/{kind}/", json=body)
        if made.status_code >= 500:
            wrong.append(f"{full}: {made.status_code} {made.text}")
        elif made.is_success:
            wrong += [f"{full}: {each}" for each in await led(api, kind, made.json())]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("kind", ["flow_runs", "task_runs"])
@pytest.mark.parametrize("state", ["SCHEDULED", "PAUSED", "COMPLETED", "RUNNING"])
async def test_no_details_spoil_a_run(api: Api, world: World, kind: str, state: str) -> None:
    wrong = []
    for number, details in enumerate(DETAILS):
        proposed = {"type": state, "state_details": details}
        body = {
            "flow_run_id": None, "flow_id": world.flow, "task_key": "k",
            "dynamic_key": str(number), "state": proposed,
        }  # fmt: skip
        made = await api.client.post(f"/api/{kind}/", json=body)
        if made.status_code >= 500:
            wrong.append(f"{details}: {made.status_code} {made.text}")
        elif made.is_success:
            run = made.json()
            again = await api.client.post(
                f"/api/{kind}/{run['id']}/set_state", json={"state": proposed, "force": True}
            )
            if again.status_code >= 500:
                wrong.append(f"{details} again: {again.text}")
            resumed = await api.client.post(f"/api/flow_runs/{run['id']}/resume", json={})
            if resumed.status_code >= 500:
                wrong.append(f"{details} resumed: {resumed.text}")
            wrong += [f"{details}: {each}" for each in await led(api, kind, run)]
    for path in (
        "flow_runs/filter", "task_runs/filter", "flow_runs/lateness",
        "work_pools/pool/get_scheduled_flow_runs",
    ):  # fmt: skip
        answer = await api.client.post(f"/api/{path}", json={})
        if answer.status_code >= 500:
            wrong.append(f"{path} afterwards: {answer.text}")
    for path in ("/", "/runs", f"/runs/flow-run/{world.run}"):
        answer = await api.client.get(path)
        if answer.status_code >= 500:
            wrong.append(f"{path} afterwards: {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)
