"""Task runs made of events that come in any order, repeated, in batches, of two workspaces."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.api import OTHER_PREFIX
from tests.model import wire
from tests.model.effort import effort
from tests.model.server import Request, Server

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PREFIXES = {1: "", 2: OTHER_PREFIX.removeprefix("/api")}
KINDS = ("PENDING", "RUNNING", "COMPLETED", "FAILED", "SCHEDULED", "CRASHED")
DEFAULTS: dict[str, Any] = {
    "run_count": 0, "flow_run_run_count": 0, "total_run_time": 0.0, "start_time": None,
    "end_time": None, "expected_start_time": None, "tags": [], "labels": {}, "cache_key": None,
    "task_version": None, "task_inputs": {}, "name": "?",
}  # fmt: skip


def uuid(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012}"


def written(second: int) -> str:
    return (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


seconds = st.integers(0, 40)
moments = st.builds(written, seconds)
values = st.fixed_dictionaries(
    {"name": st.sampled_from(["say-0", "say-1"])},
    optional={
        "run_count": st.integers(0, 3),
        "flow_run_run_count": st.integers(0, 2),
        "total_run_time": st.sampled_from([0.0, 1.5]),
        "start_time": moments,
        "end_time": moments,
        "expected_start_time": moments,
        "tags": st.sampled_from([[], ["a"], ["b", "a"]]),
        "labels": st.sampled_from([{}, {"k": 1}]),
        "cache_key": st.just("c"),
        "task_version": st.just("v"),
        "task_inputs": st.just({"x": [{"input_type": "constant", "type": "int"}]}),
    },
)


@dataclass(frozen=True)
class Told:
    """What somebody reports: which run, when, and what of it."""

    number: int
    owner: int
    run: int
    at: int
    kind: str
    values: dict[str, Any]
    message: str | None

    @property
    def run_id(self) -> str:
        return uuid(self.owner * 1000 + self.run)

    @property
    def place(self) -> int:
        """Of three runs one has no flow run."""
        return self.run % 3

    @property
    def keys(self) -> tuple[str, str]:
        """Run 0 and run 6 share a flow run and keys, and so are one."""
        return "t", str(self.run // 3 % 2)

    def document(self, flow_run: str | None) -> dict[str, Any]:
        related = []
        if flow_run:
            one = {"prefect.resource.id": f"prefect.flow-run.{flow_run}"}
            related = [{**one, "prefect.resource.role": "flow-run"}]
        name = self.kind.capitalize()
        state: dict[str, Any] = {"type": self.kind, "name": name, "message": self.message}
        return {
            "id": uuid(10**6 + self.number),
            "occurred": written(self.at),
            "event": f"prefect.task-run.{name}",
            "resource": {
                "prefect.resource.id": f"prefect.task-run.{self.run_id}",
                "prefect.orchestration": "client",
            },
            "related": related,
            "payload": {
                "intended": {"from": None, "to": self.kind},
                "initial_state": None,
                "validated_state": {**state, "state_details": {}, "data": {"n": self.number}},
                "task_run": {
                    "task_key": self.keys[0], "dynamic_key": self.keys[1], **self.values,
                },
            },
        }  # fmt: skip


@st.composite
def reports(draw: st.DrawFn, number: int, workspace: int) -> Told:
    owner = workspace if draw(st.integers(0, 7)) else 3 - workspace
    return Told(
        number, owner, draw(st.integers(0, 8)), draw(seconds), draw(st.sampled_from(KINDS)),
        draw(values), draw(st.sampled_from([None, "", "m"])),
    )  # fmt: skip


@dataclass
class Row:
    workspace: int
    flow_run: str | None
    keys: tuple[str, str]
    columns: dict[str, Any]
    head: Told
    states: dict[int, Told] = field(default_factory=dict)


class Recorded:
    """What 2.10 makes of the events, one after the other."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.flow_runs: dict[tuple[int, int], str] = {}
        self.states: set[int] = set()

    def natural(self, workspace: int, flow_run: str, keys: tuple[str, str]) -> str | None:
        wanted = (workspace, flow_run, keys)
        found = ((each.workspace, each.flow_run, each.keys) for each in self.rows.values())
        return dict(zip(found, self.rows, strict=True)).get(wanted)

    def record(self, workspace: int, told: Told) -> None:
        flow_run = self.flow_runs.get((told.owner, told.place))
        if told.place < 2 and (flow_run is None or told.owner != workspace):
            return
        canonical = told.run_id
        if flow_run:
            canonical = self.natural(workspace, flow_run, told.keys) or canonical
        row = self.rows.get(canonical)
        if row is None:
            columns = {**DEFAULTS, **told.values}
            row = self.rows[canonical] = Row(workspace, flow_run, told.keys, columns, told)
        elif row.workspace != workspace:
            return
        elif row.head.at < told.at:
            row.columns.update(told.values)
            row.head = told
        if told.number not in self.states:
            row.states[told.number] = told
            self.states.add(told.number)

    def forget(self, run_id: str) -> None:
        self.rows.pop(run_id)


class Recording(RuleBasedStateMachine):
    server: Server

    told = 0
    """The server remembers ids of events for minutes: each example has its own."""

    def __init__(self) -> None:
        super().__init__()
        self.server.begin(START)
        self.model = Recorded()
        self.sent: list[tuple[int, Told]] = []

    @initialize()
    def begin(self) -> None:
        for workspace, prefix in PREFIXES.items():
            flow = self.server.ok("POST", f"{prefix}/flows/", {"name": "f"})["id"]
            for place in range(2):
                run = self.server.ok("POST", f"{prefix}/flow_runs/", {"flow_id": flow})
                self.model.flow_runs[workspace, place] = run["id"]

    @rule(
        data=st.data(),
        workspace=st.sampled_from([1, 1, 2]),
        size=st.integers(1, 6),
        repeated=st.integers(0, 3),
    )
    def send(self, data: st.DataObject, workspace: int, size: int, repeated: int) -> None:
        batch = [data.draw(self.reports(workspace)) for _ in range(size)]
        old = [told for sent_to, told in self.sent if sent_to == workspace]
        if old:
            batch += data.draw(st.lists(st.sampled_from(old), max_size=repeated))
        batch = data.draw(st.permutations(self.without_ties(batch)))
        self.sent += [(workspace, told) for told in batch]
        documents = [
            told.document(self.flow_run_of(told) if told.place < 2 else None) for told in batch
        ]
        self.server.ok("POST", f"{PREFIXES[workspace]}/events", documents)
        for told in batch:
            self.model.record(workspace, told)
        self.compare()

    @rule(data=st.data(), workspaces=st.lists(st.sampled_from([1, 1, 2]), min_size=2, max_size=3))
    def send_together(self, data: st.DataObject, workspaces: list[int]) -> None:
        """Batches of one moment: the rows are those of some order of their events."""
        told = []
        for workspace in workspaces:
            batch = [data.draw(self.reports(workspace)) for _ in range(2)]
            told += [(workspace, each) for each in batch]
        told = self.apart(told)
        self.sent += told
        requests: list[Request] = []
        for workspace in dict.fromkeys(workspace for workspace, _ in told):
            for each in [each for sent_to, each in told if sent_to == workspace]:
                document = each.document(self.flow_run_of(each) if each.place < 2 else None)
                requests.append(("POST", f"{PREFIXES[workspace]}/events", [document], {}))
        assert {status for status, _ in self.server.together(requests)} == {204}
        for workspace, each in told:
            self.model.record(workspace, each)
        self.compare()

    def apart(self, told: list[tuple[int, Told]]) -> list[tuple[int, Told]]:
        """Of each run, however it is called, one event: then the order makes no difference."""
        found: dict[Any, tuple[int, Told]] = {}
        for workspace, each in told:
            found.setdefault((each.place, each.keys), (workspace, each))
        return list(found.values())

    def reports(self, workspace: int) -> st.SearchStrategy[Told]:
        Recording.told += 1
        return reports(Recording.told, workspace)

    def flow_run_of(self, told: Told) -> str:
        """A flow run that is gone is named all the same."""
        return self.model.flow_runs.get((told.owner, told.place)) or uuid(77)

    def without_ties(self, batch: list[Told]) -> list[Told]:
        """Of one batch nobody can say which of two of one moment came first."""
        found: dict[Any, Told] = {}
        for told in batch:
            found.setdefault((told.owner, told.place, told.keys, told.at), told)
        return list(found.values())

    @precondition(lambda self: self.model.rows)
    @rule(place=st.integers(0, 9), really=st.integers(0, 4))
    def delete_task_run(self, place: int, really: int) -> None:
        if really:
            return
        run_id = list(self.model.rows)[place % len(self.model.rows)]
        row = self.model.rows[run_id]
        self.server.ok("DELETE", f"{PREFIXES[row.workspace]}/task_runs/{run_id}")
        self.model.forget(run_id)
        self.sent = [each for each in self.sent if each[1].number not in row.states]
        self.compare()

    @rule(workspace=st.sampled_from([1, 2]), place=st.integers(0, 1), really=st.integers(0, 8))
    def delete_flow_run(self, workspace: int, place: int, really: int) -> None:
        flow_run = self.model.flow_runs.get((workspace, place))
        if really or flow_run is None:
            return
        self.server.ok("DELETE", f"{PREFIXES[workspace]}/flow_runs/{flow_run}")
        del self.model.flow_runs[workspace, place]
        for run_id, row in list(self.model.rows.items()):
            if row.flow_run == flow_run:
                self.model.forget(run_id)
        self.compare()

    @rule(run=st.integers(0, 8), workspace=st.sampled_from([1, 2]))
    def create(self, run: int, workspace: int) -> None:
        """Over REST, of the same natural key: what is there is answered, else it is new."""
        told = Told(0, workspace, run, 0, "PENDING", {"name": "rest"}, None)
        flow_run = self.model.flow_runs.get((workspace, told.place))
        if flow_run is None or self.model.natural(workspace, flow_run, told.keys) is None:
            return
        body = {
            "id": told.run_id, "flow_run_id": flow_run, "name": "rest", "task_key": told.keys[0],
            "dynamic_key": told.keys[1],
        }  # fmt: skip
        status, answer = self.server.call("POST", f"{PREFIXES[workspace]}/task_runs/", body)
        assert status == 200
        assert answer["id"] == self.model.natural(workspace, flow_run, told.keys)
        self.compare()

    def compare(self) -> None:
        for workspace, prefix in PREFIXES.items():
            found = self.server.ok("POST", f"{prefix}/task_runs/filter", {"limit": 200})
            expected = {
                run_id: row for run_id, row in self.model.rows.items() if row.workspace == workspace
            }
            assert {each["id"] for each in found} == set(expected)
            for each in found:
                self.compare_row(expected[each["id"]], each)

    def compare_row(self, row: Row, found: dict[str, Any]) -> None:
        assert {key: found[key] for key in DEFAULTS} == row.columns
        assert (found["task_key"], found["dynamic_key"]) == row.keys
        assert found["flow_run_id"] == row.flow_run
        head = row.head
        assert (found["state_id"], found["state_type"]) == (uuid(10**6 + head.number), head.kind)

    def teardown(self) -> None:
        if sys.exc_info()[0] is not None:
            return
        for run_id, row in self.model.rows.items():
            path = f"{PREFIXES[row.workspace]}/task_run_states/?task_run_id={run_id}"
            found = self.server.ok("GET", path)
            assert [wire.micros(each["timestamp"]) for each in found] == sorted(
                wire.micros(written(told.at)) or 0 for told in row.states.values()
            )
            seen = {
                each["id"]: (
                    each["type"], each["message"], each["data"],
                    each["state_details"]["task_run_id"], each["state_details"]["flow_run_id"],
                )
                for each in found
            }  # fmt: skip
            assert seen == {
                uuid(10**6 + number): (
                    told.kind, told.message, {"n": number}, run_id, row.flow_run
                )
                for number, told in row.states.items()
            }  # fmt: skip
            newest = max(told.at for told in row.states.values())
            assert row.head.at == newest, "the newest is the head, in whatever order it came"


def test_task_runs_are_what_the_specification_makes_of_the_events(
    server: Server, dialect: str
) -> None:
    class Machine(Recording):
        pass

    Machine.server = server
    run_state_machine_as_test(Machine, settings=effort(dialect, examples=50, steps=15))
