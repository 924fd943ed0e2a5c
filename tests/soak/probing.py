"""Requests of every kind, asked over and over while something is away, and what they are told."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.soak.asking import Answer, Asker, Gone, Hung
from tests.soak.load import LIMIT, POOL

_PACE = 0.05


@dataclass(frozen=True)
class Question:
    """A request, and whether it changes anything."""

    method: str
    path: str
    body: Any = None
    writes: bool = False

    @property
    def name(self) -> str:
        return f"{self.method} {self.path.partition('?')[0]}"


def questions(flow_id: str, run_id: str, deployment_id: str) -> list[Question]:
    """One of each kind that clients depend on."""
    now = datetime.now(UTC).isoformat()
    event = {
        "id": str(uuid4()), "occurred": now, "event": "probe",
        "resource": {"prefect.resource.id": "probe"},
    }  # fmt: skip
    line = {"name": "probe", "level": 20, "message": "probe", "timestamp": now}
    lease = {"names": [LIMIT], "slots": 1, "lease_duration": 60}
    reads = [
        ("GET", f"/flow_runs/{run_id}", None),
        ("GET", f"/flows/{flow_id}", None),
        ("POST", "/flow_runs/filter", {"limit": 5}),
        ("POST", "/flow_runs/count", {}),
        ("POST", "/logs/filter", {"limit": 5}),
        ("POST", "/events/filter", {"limit": 5}),
        ("POST", "/work_pools/filter", {}),
        ("POST", "/v2/concurrency_limits/filter", {}),
        ("GET", "/ready", None),
    ]
    writes = [
        ("POST", "/flows/", {"name": f"probe {uuid4()}"}),
        ("POST", "/flow_runs/", {"flow_id": flow_id}),
        ("POST", f"/flow_runs/{run_id}/set_state", {"state": {"type": "RUNNING"}}),
        ("POST", "/logs/", [line]),
        ("POST", "/events", [event]),
        ("POST", f"/deployments/{deployment_id}/create_flow_run", {}),
        ("POST", "/v2/concurrency_limits/increment-with-lease", lease),
        ("POST", f"/work_pools/{POOL}/get_scheduled_flow_runs", {}),
        ("PATCH", f"/flow_runs/{run_id}", {"name": "probed"}),
    ]
    return [
        *(Question(*each) for each in reads),
        *(Question(*each, writes=True) for each in writes),
    ]


@dataclass
class Told:
    """What probes were told."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def complain(self, sentence: str) -> None:
        if sentence not in self.wrong:
            self.wrong.append(sentence)

    def __str__(self) -> str:
        return f"{dict(self.answers)}, the slowest {self.slowest:.2f} s"


class Probes:
    """Asks every question, each over a connection of its own, as long as the block lasts."""

    def __init__(self, port: int, asked: list[Question]) -> None:
        self.told = Told()
        self._port = port
        self._asked = asked
        self._ending = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Told:
        self._tasks = [asyncio.create_task(self._ask(question)) for question in self._asked]
        return self.told

    async def __aexit__(self, *_: object) -> None:
        self._ending = True
        await asyncio.gather(*self._tasks)

    async def _ask(self, question: Question) -> None:
        asker = Asker(self._port)
        while not self._ending:
            began = time.monotonic()
            try:
                answer = await asker.ask(question.method, question.path, question.body)
            except Hung as hung:
                self.told.complain(str(hung))
                continue
            except Gone:
                self.told.complain(f"{question.name}: the connection broke")
                continue
            if not self._ending:  # else what was away may be there again
                self._hear(question, answer)
            self.told.slowest = max(self.told.slowest, time.monotonic() - began)
            await asyncio.sleep(_PACE)
        asker.close()

    def _hear(self, question: Question, answer: Answer) -> None:
        self.told.answers[str(answer.status)] += 1
        if answer.status != 503:
            self.told.complain(f"{question.name} was answered {answer.status}: {answer.document}")
        elif "retry-after" not in answer.headers:
            self.told.complain(f"{question.name}: 503 without Retry-After")
