"""Limits of both APIs, with leases and without, against the model."""

from __future__ import annotations

import sys
from copy import deepcopy
from datetime import UTC, datetime
from fractions import Fraction
from itertools import permutations
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from armillary_plugins.concurrency.config import Config
from tests.model.effort import effort
from tests.model.limit_model import LOCKED, SECOND, Lease, Limit, LimitModel
from tests.model.reaping import TakeSlotsBackInTime
from tests.model.server import Server

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAIN = ("a", "b", "c")
TAGS = ("x", "y")
NAMES = (*PLAIN, "tag:x", "tag:y", "unknown")
USUAL = ("a", "a", "b", "tag:x", *NAMES)
LONG = 90 * 365 * 86400 * SECOND
names = st.lists(st.sampled_from(USUAL), min_size=1, max_size=3, unique=True)
tags = st.lists(st.sampled_from([*TAGS, "z"]), min_size=1, max_size=2, unique=True)
slots = st.sampled_from([1, 1, 1, 2, 3])
place = st.integers(0, 9)
V2 = "/v2/concurrency_limits"
V1 = "/concurrency_limits"


class Limits(RuleBasedStateMachine):
    server: Server

    def __init__(self) -> None:
        super().__init__()
        self.server.begin(START)
        self.model = LimitModel()
        self.holders: list[str] = []
        self.empty: list[str] = []
        self.ended: list[str] = []

    @property
    def now(self) -> int:
        return self.server.clock.micros()

    @initialize(limit=st.integers(1, 3), decay=st.sampled_from([0.5, 2]))
    def begin(self, limit: int, decay: float) -> None:
        for number in range(3):
            body = {"task_key": "t", "dynamic_key": str(number), "name": "t"}
            self.holders.append(self.server.ok("POST", "/task_runs/", body)["id"])
        self.create("a", limit, decay=0, taken=0, active=True)
        self.create("b", limit, decay=decay, taken=0, active=True)
        self.create_for_tag("x", limit)

    # -- limits --------------------------------------------------------------------------

    @rule(
        name=st.sampled_from(PLAIN),
        limit=st.integers(0, 4),
        decay=st.sampled_from([0, 0, 0.5, 2]),
        taken=st.sampled_from([0, 0, 1]),
        active=st.sampled_from([True, True, False]),
    )
    def create(self, name: str, limit: int, decay: float, taken: int, active: bool) -> None:  # noqa: FBT001
        body = {
            "name": name, "limit": limit, "slot_decay_per_second": decay, "active_slots": taken,
            "active": active,
        }  # fmt: skip
        status, _ = self.server.call("POST", f"{V2}/", body)
        assert status == (409 if name in self.model.limits else 201)
        if status == 201:
            made = Limit(name, limit, active, taken, Fraction(decay), Fraction(self.now))
            self.model.limits[name] = made
        self.compare()

    @rule(tag=st.sampled_from(TAGS), limit=st.integers(0, 3))
    def create_for_tag(self, tag: str, limit: int) -> None:
        status, _ = self.server.call("POST", f"{V1}/", {"tag": tag, "concurrency_limit": limit})
        known = self.model.limits.get(f"tag:{tag}")
        assert status == (200 if known else 201)
        if known:
            known.limit = limit
        else:
            self.model.limits[f"tag:{tag}"] = Limit(f"tag:{tag}", limit)
        self.compare()

    @rule(
        name=st.sampled_from(NAMES),
        change=st.fixed_dictionaries(
            {},
            optional={
                "limit": st.integers(0, 4),
                "active": st.booleans(),
                "active_slots": st.integers(0, 3),
            },
        ),
    )
    def edit(self, name: str, change: dict[str, Any]) -> None:
        status, _ = self.server.call("PATCH", f"{V2}/{name}", change)
        limit = self.model.limits.get(name)
        assert status == (204 if limit else 404)
        if limit:
            limit.settle(self.now)
            limit.limit = change.get("limit", limit.limit)
            limit.active = change.get("active", limit.active)
            if "active_slots" in change:
                limit.count, limit.since = change["active_slots"], Fraction(self.now)
        self.compare()

    @rule(name=st.sampled_from(NAMES), really=st.integers(0, 2))
    def delete(self, name: str, really: int) -> None:
        if really:
            return
        status, _ = self.server.call("DELETE", f"{V2}/{name}")
        assert status == (204 if name in self.model.limits else 404)
        if name in self.model.limits:
            self.model.forget(name)
        self.compare()

    @rule(tag=st.sampled_from(TAGS), kept=st.integers(0, 3))
    def reset(self, tag: str, kept: int) -> None:
        override = self.holders[:kept]
        limit = self.model.limits.get(f"tag:{tag}")
        if limit is None or kept > limit.limit or not limit.active:
            return
        body = {"slot_override": override} if kept else {}
        status, answer = self.server.call("POST", f"{V1}/tag/{tag}/reset", body)
        assert (status, answer) == (200, None)
        for lease_id, lease in list(self.model.leases.items()):
            if any(each is limit for each in lease.counted):
                self.model.end(lease_id, self.now)
        limit.count = 0
        known = set(self.model.leases)
        for row in self.server.rows("select id, holder_id from concurrency_lease"):
            if row[0] not in known:
                self.model.leases[row[0]] = Lease([limit], 1, None, row[1])
                limit.count += 1
        assert limit.count == kept
        self.compare()

    # -- taking and giving back ----------------------------------------------------------

    @rule(names=names, slots=slots, rate=st.sampled_from([False, False, True]))
    def increment(self, names: list[str], slots: int, rate: bool) -> None:  # noqa: FBT001
        body = {
            "names": names, "slots": slots, "mode": "rate_limit" if rate else "concurrency"
        }  # fmt: skip
        refusal = self.model.refusal(names, slots, rate=rate, now=self.now)
        status, answer = self.server.call("POST", f"{V2}/increment", body)
        self.check(status, refusal)
        if refusal is None:
            self.check_named(answer, names)
            self.model.take(names, slots, self.now)
        self.compare()

    @rule(
        names=names,
        slots=slots,
        duration=st.sampled_from([60, 61, 300]),
        holder=st.none() | place,
    )
    def increment_with_lease(
        self, names: list[str], slots: int, duration: int, holder: int | None
    ) -> None:
        body: dict[str, Any] = {"names": names, "slots": slots, "lease_duration": duration}
        held_by = None if holder is None else self.holders[holder % 3]
        if held_by:
            body["holder"] = {"type": "task_run", "id": held_by}
        refusal = self.model.refusal(names, slots, rate=False, now=self.now)
        status, answer = self.server.call("POST", f"{V2}/increment-with-lease", body)
        self.check(status, refusal)
        if refusal is None:
            self.check_named(answer["limits"], names)
            assert answer["lease_id"] not in self.model.leases
            self.hold(answer["lease_id"], names, slots, self.now + duration * SECOND, held_by)
        self.compare()

    @rule(several=st.lists(st.tuples(names, slots), min_size=2, max_size=4))
    def increment_together(self, several: list[tuple[list[str], int]]) -> None:
        """As many are granted as would be one after the other."""
        path = f"{V2}/increment-with-lease"
        bodies = [{"names": names, "slots": slots} for names, slots in several]
        answers = self.server.together([("POST", path, body, {}) for body in bodies])
        for order in permutations(range(len(several))):
            if self.explained(order, several, answers):
                break
        else:
            raise AssertionError(f"no order explains {answers} of {several}")
        self.compare()

    def explained(
        self,
        order: tuple[int, ...],
        several: list[tuple[list[str], int]],
        answers: list[tuple[int, Any]],
    ) -> bool:
        before = deepcopy((self.model, self.empty))
        for place in order:
            names, slots = several[place]
            status, answer = answers[place]
            refusal = self.model.refusal(names, slots, rate=False, now=self.now)
            if status != (refusal or 200):
                self.model, self.empty = before
                return False
            if refusal is None:
                ends = self.now + 300 * SECOND
                self.hold(answer["lease_id"], names, slots, ends, None)
        return True

    def hold(
        self, lease_id: str, names: list[str], slots: int, ends: int | None, holder: str | None
    ) -> None:
        counted = self.model.take(names, slots, self.now)
        if self.model.found(names):
            self.model.leases[lease_id] = Lease(counted, slots, ends, holder)
        else:
            self.empty.append(lease_id)

    @rule(tags=tags, holder=place)
    def increment_for_tags(self, tags: list[str], holder: int) -> None:
        held_by = self.holders[holder % 3]
        wanted = [f"tag:{tag}" for tag in tags]
        # Asked again, as clients do when no answer came, a task run takes nothing twice.
        counted = [
            each
            for each in self.model.found(wanted)
            if each.active and not self.model.holds(held_by, each)
        ]
        full = [each for each in counted if each.used(self.now) + 1 > each.limit]
        before = {row[0] for row in self.server.rows("select id from concurrency_lease")}
        body = {"names": tags, "task_run_id": held_by}
        status, answer = self.server.call("POST", f"{V1}/increment", body)
        if full:
            assert status == LOCKED
            zero = any(each.limit == 0 for each in full)
            assert ("retry-after" in self.server.headers) != zero
        else:
            assert status == 200
            known = sorted(
                name.removeprefix("tag:") for name in wanted if name in self.model.limits
            )
            assert sorted(each["name"] for each in answer) == known
            after = {row[0] for row in self.server.rows("select id from concurrency_lease")}
            new = sorted(after - before)
            assert len(new) <= 1
            if counted:
                self.hold(new[0], [each.name for each in counted], 1, None, held_by)
        self.compare()

    @rule(tags=tags, holder=place)
    def decrement_for_tags(self, tags: list[str], holder: int) -> None:
        held_by = self.holders[holder % 3]
        wanted = self.model.found(f"tag:{tag}" for tag in tags)
        body = {"names": tags, "task_run_id": held_by}
        self.server.ok("POST", f"{V1}/decrement", body)
        for lease_id, lease in list(self.model.leases.items()):
            touched = any(each is limit for each in lease.counted for limit in wanted)
            if lease.holder == held_by and touched:
                self.model.end(lease_id, self.now)
        self.compare()

    @rule(names=names, slots=slots, occupied=st.none() | st.sampled_from([0, 1.5, 100]))
    def decrement(self, names: list[str], slots: int, occupied: float | None) -> None:
        body = {"names": names, "slots": slots, "occupancy_seconds": occupied}
        self.check_named(self.server.ok("POST", f"{V2}/decrement", body), names)
        self.model.give(names, slots, self.now)
        self.compare()

    @precondition(lambda self: self.model.leases)
    @rule(place=place)
    def end(self, place: int) -> None:
        lease_id = list(self.model.leases)[place % len(self.model.leases)]
        status, _ = self.server.call("POST", f"{V2}/decrement-with-lease", {"lease_id": lease_id})
        assert status == 204
        self.model.end(lease_id, self.now)
        self.ended.append(lease_id)
        self.compare()

    @precondition(lambda self: self.ended or self.empty)
    @rule(place=place)
    def end_again(self, place: int) -> None:
        gone = [*self.ended, *self.empty]
        body = {"lease_id": gone[place % len(gone)]}
        assert self.server.call("POST", f"{V2}/decrement-with-lease", body)[0] == 204
        self.compare()

    @precondition(lambda self: self.model.leases or self.ended)
    @rule(place=place, duration=st.sampled_from([60, 120]))
    def renew(self, place: int, duration: int) -> None:
        every = [*self.model.leases, *self.ended]
        lease_id = every[place % len(every)]
        path = f"{V2}/leases/{lease_id}/renew"
        status, _ = self.server.call("POST", path, {"lease_duration": duration})
        lease = self.model.leases.get(lease_id)
        assert status == (204 if lease else 410)
        if lease:
            lease.ends = self.now + duration * SECOND
        self.compare()

    # -- time ----------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.25, 0.5, 1, 1.75, 7, 60, 61]))
    def wait(self, seconds: float) -> None:
        self.server.advance(seconds)
        self.compare()

    @rule()
    def reap(self) -> None:
        self.server.turn(TakeSlotsBackInTime(self.server.core, Config()))
        self.model.reap(self.now)
        self.compare()

    # -- comparing -----------------------------------------------------------------------

    def check(self, status: int, refusal: int | None) -> None:
        assert status == (refusal or 200)
        if refusal == LOCKED:
            assert float(self.server.headers["retry-after"]) >= 0

    def check_named(self, answered: list[dict[str, Any]], names: list[str]) -> None:
        assert sorted(each["name"] for each in answered) == [
            each.name for each in self.model.found(names)
        ]

    def compare(self) -> None:
        rows = self.server.ok("POST", f"{V2}/filter", {})
        assert [
            (row["name"], row["limit"], row["active"], row["active_slots"]) for row in rows
        ] == [
            (each.name, each.limit, each.active, each.used(self.now))
            for each in self.model.found(NAMES)
        ]
        leases = self.server.rows("select id, expires from concurrency_lease")
        stored = {row[0]: row[1] for row in leases if row[0] not in self.empty}
        assert set(stored) == set(self.model.leases)
        for lease_id, lease in self.model.leases.items():
            if lease.ends is None:
                assert stored[lease_id] > self.now + LONG
            else:
                assert stored[lease_id] == lease.ends
        for row in self.server.ok("POST", f"{V1}/filter", {}):
            assert sorted(row["active_slots"]) == self.model.holders(f"tag:{row['tag']}")

    def teardown(self) -> None:
        """Nothing is held once everybody has ended, but for what was taken without a lease."""
        if sys.exc_info()[0] is not None:
            return
        for lease_id in list(self.model.leases):
            body = {"lease_id": lease_id}
            assert self.server.call("POST", f"{V2}/decrement-with-lease", body)[0] == 204
            self.model.end(lease_id, self.now)
        self.compare()


def test_limits_count_as_the_specification_says(server: Server, dialect: str) -> None:
    class Machine(Limits):
        pass

    Machine.server = server
    run_state_machine_as_test(Machine, settings=effort(dialect, examples=50, steps=40))
