"""Orchestration cases as text: read, played, and written down again with what came out.

A case is a claim, what is given, a line of dashes, and what came of it:

    a run that is due later waits
    cites     2.4 #14
    initial   SCHEDULED scheduled_time=+10s
    proposed  RUNNING
    ----
    WAIT      10 s
    reason    The scheduled time of the run is in the future.

Given are `policy` (`flow_run core` unless said otherwise), `run`, `initial`, `proposed`,
`client`, `around` (the flow run of a task run), `cached`, `limits` and `leases`.  Times are told
from now; a run that has begun did so 60 s ago, its state is 30 s old.  Among the facts of a run are
those of its retries and, by `id`, `collision_strategy` and `grace_period_seconds`, of its
deployment's limit.
"""

import re
import sys
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from armillary.orchestration.decision import Outcome, decide
from armillary.orchestration.derive import derive, policy_after, timestamp_after
from armillary.orchestration.driving import afterwards, conclude, driven, undo
from armillary.orchestration.policies import FlowRunPolicy, RunChange, TaskRunPolicy
from armillary.orchestration.policy import Policies, Policy
from armillary.orchestration.rules import RULES
from armillary.orchestration.states import TERMINAL, Proposal, State, StateType
from armillary.orchestration.transition import (
    DeploymentLimit,
    FlowRunFacts,
    Limits,
    TaskRunFacts,
    Transition,
)
from armillary.orchestration.verdicts import Wait
from tests.core.orchestration.store import Store
from tests.core.orchestration.vocabulary import (
    NOW,
    client_of,
    differences,
    show,
    show_state,
    state_of,
    words,
)

POLICIES = Policies(RULES)


@dataclass
class Case:
    """A case as it was read; ``given`` by key, ``text`` all of it."""

    title: str
    given: dict[str, str]
    text: str

    @property
    def cites(self) -> list[str]:
        return [row.strip() for row in self.given.get("cites", "").split(",") if row.strip()]

    @property
    def of_flow_run(self) -> bool:
        return self.given.get("policy", "flow_run").startswith("flow_run")

    def policy(self, policies: Policies) -> Policy:
        _, name = self.given.get("policy", "flow_run core").split()
        return (policies.flow_run if self.of_flow_run else policies.task_run)[name]


def read_cases(text: str) -> list[Case]:
    """Take a file of cases apart; blank lines stand between them, `#` lines before the first."""
    cases = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.splitlines()
        if all(line.startswith("#") for line in lines):
            continue
        until = lines.index("----") if "----" in lines else len(lines)
        given = {key: rest for key, _, rest in (line.partition(" ") for line in lines[1:until])}
        given = {key: rest.strip() for key, rest in given.items()}
        cases.append(Case(title=lines[0], given=given, text=block))
    return cases


async def play(
    case: Case, monkeypatch: pytest.MonkeyPatch, *, policies: Policies = POLICIES
) -> tuple[str, Outcome]:
    """Decide the case, and write it down with its outcome.

    A plugin with rules of its own plays its cases with its policies.
    """
    transition = transition_of(case)
    store = Store(
        case.given,
        cached=state_of(case.given.get("cached", "")),
        holder="r" if case.of_flow_run else "t",
    )
    await store.begin()
    repository = SimpleNamespace(
        cached_state=store.cached_state, store_cached_state=store.store_cached_state
    )
    monkeypatch.setitem(sys.modules, "armillary.task_runs.repository", repository)
    outcome = await driven(decide(case.policy(policies), transition), store)
    await undo(outcome, store)
    lines = [*case.text.split("\n----")[0].splitlines(), "----"]
    lines += await told(transition, outcome, store)
    return "\n".join(lines), outcome


async def told(transition: Transition, outcome: Outcome, store: Store) -> list[str]:
    """Write an outcome down: verdict, reason, what changes on the run."""
    written = None
    lines = [f"{outcome.status:<9} stays"]
    if outcome.state is not None:
        written = State(
            id="new",
            timestamp=timestamp_after(transition.initial, transition.now),
            **{
                f: getattr(outcome.state, f) for f in ("type", "name", "message", "data", "details")
            },
        )
        lines = [f"{outcome.status:<9} {show_state(written)}"]
    if isinstance(outcome.refusal, Wait):
        lines = [f"{outcome.status:<9} {outcome.refusal.seconds} s"]
    if outcome.refusal is not None:
        lines.append(f"reason    {outcome.refusal.reason}")
    change = changes(outcome, transition, written)
    lines += [f"run       {words}" for words in [show_change(transition, change)] if words]
    if written is not None:
        words = show_columns(transition, outcome, written)
        lines += [f"columns   {words}"] if words else []
        await conclude(outcome, transition, written, store)
    return lines + await store.told()


def changes(outcome: Outcome, transition: Transition, written: State | None) -> RunChange:
    """Sum up what changes on the run beside its columns, as the engine does."""
    change = outcome.change
    if written is not None and transition.flow_run is not None:
        change = policy_after(transition.flow_run, written, change, client=transition.client)
    return afterwards(outcome, transition, written, change)


def transition_of(case: Case) -> Transition:
    """Put together what rules look at from what the case gives."""
    given = case.given
    initial = state_of(given.get("initial", ""))
    flow = case.of_flow_run
    facts = {**_begun(initial), **words(given.get("run", ""))}
    policy_type = FlowRunPolicy if flow else TaskRunPolicy
    names = set(policy_type.__struct_fields__)
    facts["policy"] = policy_type(**{key: facts.pop(key) for key in list(facts) if key in names})
    limit = {key: facts.pop(key) for key in DeploymentLimit.__struct_fields__ if key in facts}
    if limit:
        facts["deployment_limit"] = DeploymentLimit(**limit)
    if not flow:
        around = state_of(given.get("around", ""))
        facts |= {"flow_run_found": "around" in given, "flow_run_state": around}
    proposed = state_of(given["proposed"])
    assert proposed is not None
    return Transition(
        initial=initial,
        proposed=Proposal(
            type=proposed.type,
            name=proposed.name,
            message=proposed.message,
            data=proposed.data,
            details=proposed.details,
        ),
        now=NOW,
        flow_run=FlowRunFacts(id="r", **facts) if flow else None,
        task_run=None if flow else TaskRunFacts(id="t", **facts),
        client=client_of(given.get("client", "")),
        limits=Limits(max_cache_key_length=20),
    )


def _begun(initial: State | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"expected_start_time": NOW - timedelta(seconds=90)}
    if initial is None:
        return {}
    if initial.type not in {StateType.SCHEDULED, StateType.PENDING}:
        facts["start_time"] = NOW - timedelta(seconds=60)
    if initial.type in TERMINAL:
        facts["end_time"] = initial.timestamp
    if initial.type is StateType.SCHEDULED:
        facts["next_scheduled_start_time"] = initial.details.scheduled_time or initial.timestamp
    return facts


def show_change(transition: Transition, change: RunChange) -> str:
    """Write down what differs on the run itself."""
    told = []
    if transition.flow_run is not None and change.policy is not None:
        told += differences(transition.flow_run.policy, change.policy)
    if change.flow_run_run_count is not None:
        told.append(f"flow_run_run_count={change.flow_run_run_count}")
    return " ".join(told)


def show_columns(transition: Transition, outcome: Outcome, written: State) -> str:
    """Write down which derived columns differ."""
    run = transition.flow_run or transition.task_run
    assert run is not None
    columns = derive(run, transition.initial, written, outcome.change, client=transition.client)
    before = {name: getattr(run, name) for name in msgspec.structs.asdict(columns)}
    after = msgspec.structs.asdict(columns)
    return " ".join(f"{key}={show(after[key])}" for key in after if after[key] != before[key])
