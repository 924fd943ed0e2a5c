"""Schedules, the edits of deployments and the loops that create runs, against the model."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from armillary.clock import from_micros, to_micros
from armillary_plugins.scheduler.config import Config
from armillary_plugins.scheduler.services import ScheduleDeployments, ScheduleRecentDeployments
from tests.model.effort import effort
from tests.model.schedule_model import Deployment, Run, Schedule, ScheduleModel
from tests.model.server import Server

STARTS = [
    datetime(2026, 3, 7, 11, tzinfo=UTC),
    datetime(2026, 10, 31, 20, 59, 7, 250_000, tzinfo=UTC),
    datetime(2026, 3, 28, 22, 30, tzinfo=UTC),
    datetime(2026, 4, 4, 3, 0, 1, tzinfo=UTC),
]
ZONES = [None, "UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu"]
RULES = [
    "FREQ=DAILY;BYHOUR=9",
    "FREQ=DAILY;BYHOUR=2;BYMINUTE=30",
    "DTSTART:20260301T013000\nRRULE:FREQ=HOURLY;INTERVAL=6",
    "DTSTART:20260301T013000\nRRULE:FREQ=HOURLY",
    "DTSTART:20260302T090000\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE",
    "DTSTART:20260307T090000\nRRULE:FREQ=DAILY;COUNT=3",
    "DTSTART:20260101T000000\nRRULE:FREQ=MONTHLY;BYMONTHDAY=-1",
]
crons = st.builds(
    lambda *fields: " ".join(fields),
    st.sampled_from(["0", "*", "*/7", "30", "0,45", "5-20/5"]),
    st.sampled_from(["*", "0", "2", "1,3", "*/6", "9-17"]),
    st.sampled_from(["*", "*", "1", "8,29", "28-31"]),
    st.sampled_from(["*", "*", "3,11", "4-10/2"]),
    st.sampled_from(["*", "*", "1-5", "0", "7", "SUN", "MON,SAT"]),
    st.sampled_from(["", "", "", "0,30"]),
).map(str.strip)
zones = st.sampled_from(ZONES)
rules = st.one_of(
    st.fixed_dictionaries({"cron": crons, "timezone": zones, "day_or": st.booleans()}),
    st.fixed_dictionaries(
        {
            "interval": st.sampled_from([600, 3600, 5400, 86400, 3 * 86400, 7 * 86400]),
            "anchor_date": st.sampled_from(
                ["2026-01-01T12:00:00+00:00", "2026-06-15T20:15:00+00:00"]
            ),
            "timezone": zones,
        }
    ),
    st.fixed_dictionaries({"rrule": st.sampled_from(RULES), "timezone": zones}),
)
parameters = st.sampled_from([{}, {"a": 1}, {"a": 2, "b": [1]}])
tags = st.sampled_from([(), ("t",), ("t", "u")])
SLUGS = ("one", "two")
entries = st.fixed_dictionaries(
    {"schedule": rules, "active": st.sampled_from([True, True, False]), "parameters": parameters},
    optional={"max_scheduled_runs": st.sampled_from([None, 1, 50])},
)
"""Schedules as clients give them; how many runs are to be ahead is stored and never looked at."""
changes = st.fixed_dictionaries(
    {},
    optional={
        "parameters": parameters,
        "tags": tags,
        "paused": st.booleans(),
        "description": st.just("x"),
    },
)
place = st.integers(0, 9)


@st.composite
def several(draw: st.DrawFn, most: int = 2) -> list[dict[str, Any]]:
    """Schedules of a deployment, with slugs of their own or without."""
    found = draw(st.lists(entries, max_size=most))
    if draw(st.booleans()):
        return [{**each, "slug": slug} for each, slug in zip(found, SLUGS, strict=False)]
    return found


class Schedules(RuleBasedStateMachine):
    server: Server

    def __init__(self) -> None:
        super().__init__()
        self.model = ScheduleModel()

    @initialize(start=st.sampled_from(STARTS), schedules=several())
    def begin(self, start: datetime, schedules: list[dict[str, Any]]) -> None:
        self.server.begin(start)
        self.flow = self.server.ok("POST", "/flows/", {"name": "f"})["id"]
        self.deploy("d", schedules, paused=False, parameters={}, tags=())

    @property
    def now(self) -> datetime:
        return self.server.clock.now()

    def pick(self, place: int) -> Deployment:
        return list(self.model.deployments.values())[place % len(self.model.deployments)]

    def some(self) -> bool:
        return bool(self.model.deployments)

    # -- deployments ---------------------------------------------------------------------

    @rule(
        name=st.sampled_from("de"),
        schedules=several(),
        paused=st.sampled_from([False, False, True]),
        parameters=parameters,
        tags=tags,
    )
    def deploy(
        self,
        name: str,
        schedules: list[dict[str, Any]],
        paused: bool,  # noqa: FBT001
        parameters: dict[str, Any],
        tags: tuple[str, ...],
    ) -> None:
        body = {
            "name": name, "flow_id": self.flow, "schedules": schedules, "paused": paused,
            "parameters": parameters, "tags": tags,
        }  # fmt: skip
        found = self.server.ok("POST", "/deployments/", body)
        deployment = self.model.deployments.setdefault(found["id"], Deployment(found["id"]))
        self.model.clear(deployment, after=self.now)
        deployment.paused, deployment.parameters, deployment.tags = paused, parameters, tags
        deployment.schedules = self.told(schedules, found["schedules"])
        self.model.fill_unpaused(deployment, self.now)
        self.compare()

    def told(self, given: list[dict[str, Any]], answered: list[dict[str, Any]]) -> list[Schedule]:
        """Learn the ids of new schedules; two that are alike may have each other's."""
        assert len(given) == len(answered)
        left = list(answered)
        found = []
        for each in given:
            match = next(
                other
                for other in left
                if (other["slug"], other["active"], other["parameters"])
                == (each.get("slug"), each["active"], each["parameters"])
                and same_rule(each["schedule"], other["schedule"])
            )
            left.remove(match)
            found.append(
                Schedule(
                    match["id"], each["schedule"], each["active"], each["parameters"],
                    each.get("slug"),
                )
            )  # fmt: skip
        return found

    @precondition(some)
    @rule(place=place, change=changes)
    def patch(self, place: int, change: dict[str, Any]) -> None:
        deployment = self.pick(place)
        self.server.ok("PATCH", f"/deployments/{deployment.id}", change)
        self.patched(deployment, change)
        self.compare()

    def patched(self, deployment: Deployment, change: dict[str, Any]) -> None:
        self.model.clear(deployment, after=self.now)
        deployment.parameters = change.get("parameters", deployment.parameters)
        deployment.tags = change.get("tags", deployment.tags)
        deployment.paused = change.get("paused", deployment.paused)
        self.model.fill_unpaused(deployment, self.now)

    @precondition(some)
    @rule(place=place, schedules=several())
    def patch_schedules(self, place: int, schedules: list[dict[str, Any]]) -> None:
        deployment = self.pick(place)
        path = f"/deployments/{deployment.id}"
        status, _ = self.server.call("PATCH", path, {"schedules": schedules})
        known = deployment.schedules
        by_slug = bool(known) and all(each.slug for each in known)
        if by_slug and not all(each.get("slug") for each in schedules):
            assert status == 422
            return
        assert status == 204
        self.model.clear(deployment, after=self.now)
        answered = self.server.ok("GET", f"{path}/schedules")
        if by_slug:
            self.targeted(deployment, schedules, answered)
        else:
            deployment.schedules = self.told(schedules, answered)
        self.model.fill_unpaused(deployment, self.now)
        self.compare()

    def targeted(
        self, deployment: Deployment, given: list[dict[str, Any]], answered: list[dict[str, Any]]
    ) -> None:
        for each in given:
            schedule = deployment.slugged(each["slug"])
            if schedule is None:
                found = next(other["id"] for other in answered if other["slug"] == each["slug"])
                schedule = Schedule(found, each["schedule"], slug=each["slug"])
                deployment.schedules.append(schedule)
            schedule.rule, schedule.active = each["schedule"], each["active"]
            schedule.parameters = each["parameters"]

    @precondition(some)
    @rule(place=place, pause=st.booleans())
    def switch(self, place: int, pause: bool) -> None:  # noqa: FBT001
        deployment = self.pick(place)
        verb = "pause" if pause else "resume"
        self.server.ok("POST", f"/deployments/{deployment.id}/{verb}_deployment", {})
        deployment.paused = pause
        if pause:
            self.model.clear(deployment)
        else:
            self.model.fill(deployment, self.now)
        self.compare()

    @precondition(some)
    @rule(place=place, really=st.integers(0, 4))
    def delete(self, place: int, really: int) -> None:
        if really:
            return
        deployment = self.pick(place)
        self.server.ok("DELETE", f"/deployments/{deployment.id}")
        self.model.clear(deployment, auto=False)
        del self.model.deployments[deployment.id]
        self.compare()

    @precondition(some)
    @rule(place=place)
    def schedule_now(self, place: int) -> None:
        deployment = self.pick(place)
        self.server.ok("POST", f"/deployments/{deployment.id}/schedule", {})
        self.model.fill(deployment, self.now)
        self.compare()

    # -- schedules -----------------------------------------------------------------------

    @precondition(some)
    @rule(place=place, schedules=several(1))
    def add(self, place: int, schedules: list[dict[str, Any]]) -> None:
        deployment = self.pick(place)
        path = f"/deployments/{deployment.id}/schedules"
        status, answer = self.server.call("POST", path, schedules)
        if any(deployment.slugged(each.get("slug")) for each in schedules):
            assert status == 409
            return
        assert status == 201
        deployment.schedules += self.told(schedules, answer)
        self.model.fill_unpaused(deployment, self.now)
        self.compare()

    @precondition(lambda self: any(each.schedules for each in self.model.deployments.values()))
    @rule(
        place=place,
        which=place,
        change=st.fixed_dictionaries(
            {},
            optional={
                "schedule": rules,
                "active": st.booleans(),
                "parameters": parameters,
                "max_scheduled_runs": st.sampled_from([None, 1, 50]),
            },
        ),
    )
    def edit(self, place: int, which: int, change: dict[str, Any]) -> None:
        deployment = self.pick(place)
        if not deployment.schedules:
            return
        schedule = deployment.schedules[which % len(deployment.schedules)]
        path = f"/deployments/{deployment.id}/schedules/{schedule.id}"
        self.server.ok("PATCH", path, change)
        self.model.clear(deployment, after=self.now)
        schedule.rule = change.get("schedule", schedule.rule)
        schedule.active = change.get("active", schedule.active)
        schedule.parameters = change.get("parameters", schedule.parameters)
        self.model.fill_unpaused(deployment, self.now)
        self.compare()

    @precondition(lambda self: any(each.schedules for each in self.model.deployments.values()))
    @rule(place=place, which=place, really=st.integers(0, 2))
    def remove(self, place: int, which: int, really: int) -> None:
        deployment = self.pick(place)
        if really or not deployment.schedules:
            return
        schedule = deployment.schedules[which % len(deployment.schedules)]
        self.server.ok("DELETE", f"/deployments/{deployment.id}/schedules/{schedule.id}")
        deployment.schedules.remove(schedule)
        self.model.clear(deployment)
        self.model.fill_unpaused(deployment, self.now)
        self.compare()

    # -- runs ----------------------------------------------------------------------------

    @precondition(lambda self: self.model.runs)
    @rule(place=st.integers(0, 300), verb=st.sampled_from(["claim", "end", "wait", "delete"]))
    def work(self, place: int, verb: str) -> None:
        run = self.model.runs[place % len(self.model.runs)]
        if verb == "delete":
            self.server.ok("DELETE", f"/flow_runs/{run.id}")
            self.model.runs.remove(run)
        else:
            name = {"claim": "Pending", "end": "Completed", "wait": "AwaitingConcurrencySlot"}[verb]
            kind = {"wait": "SCHEDULED"}.get(verb, name.upper())
            details = {"scheduled_time": run.at.isoformat()} if verb == "wait" else {}
            state = {"type": kind, "name": name, "state_details": details}
            body = {"state": state, "force": True}
            self.server.ok("POST", f"/flow_runs/{run.id}/set_state", body)
            run.type, run.name = kind, name
        self.compare()

    @precondition(some)
    @rule(place=place)
    def run_by_hand(self, place: int) -> None:
        deployment = self.pick(place)
        found = self.server.ok("POST", f"/deployments/{deployment.id}/create_flow_run", {})
        parameters, tags = deployment.parameters, deployment.tags
        made = Run(deployment.id, self.now, parameters=parameters, tags=tags, id=found["id"])
        self.model.runs.append(made)
        self.compare()

    # -- time and the loops --------------------------------------------------------------

    @rule(seconds=st.sampled_from([3, 60, 600, 1800, 7200, 43200, 86400, 5 * 86400]))
    def wait(self, seconds: int) -> None:
        self.server.advance(seconds)

    @precondition(some)
    @rule(place=place, change=changes, recent=st.booleans())
    def patch_during_turn(self, place: int, change: dict[str, Any], recent: bool) -> None:  # noqa: FBT001
        """What a loop found before an edit is not created after it."""
        deployment = self.pick(place)
        kind = ScheduleRecentDeployments if recent else ScheduleDeployments
        path = f"/deployments/{deployment.id}"
        service = kind(self.server.core, Config())
        self.server.together([("PATCH", path, change, {})], service=service)
        before = deepcopy(self.model)
        self.patched(deployment, change)
        self.turned(recent=recent)
        if self.missing() or self.missing(too_many=True):
            self.model = before
            self.turned(recent=recent)
            self.patched(self.model.deployments[deployment.id], change)
        self.compare()

    @rule(recent=st.booleans())
    def turn(self, recent: bool) -> None:  # noqa: FBT001
        kind = ScheduleRecentDeployments if recent else ScheduleDeployments
        self.server.turn(kind(self.server.core, Config()))
        self.turned(recent=recent)
        self.compare()

    def turned(self, *, recent: bool) -> None:
        since = to_micros(self.now - timedelta(seconds=6))
        changed = self.server.rows("select id from deployment where updated >= ?", since)
        lately = {row[0] for row in changed}
        for deployment in self.model.deployments.values():
            if recent and deployment.id in lately:
                self.model.fill_unpaused(deployment, self.now)
            if not recent and self.model.needy(deployment, self.now):
                self.model.fill(deployment, self.now)

    # -- comparing -----------------------------------------------------------------------

    def stored(self) -> dict[tuple[Any, ...], list[str]]:
        """The ids of the runs there are, by what they show."""
        rows = self.server.rows(
            "select id, deployment_id, expected_start_time, created_by, parameters, tags,"
            " state_type, state_name, auto_scheduled from flow_run"
        )
        seen: dict[tuple[Any, ...], list[str]] = {}
        for row in rows:
            creator = msgspec.json.decode(row[3])["id"] if row[3] else None
            assert bool(row[8]) == (creator is not None)
            values = repr(sorted(msgspec.json.decode(row[4]).items()))
            tags = tuple(msgspec.json.decode(row[5]))
            at = from_micros(row[2])
            shown = (row[1], at, creator, values, tags, row[6], row[7])
            seen.setdefault(shown, []).append(row[0])
        return seen

    def missing(self, *, too_many: bool = False) -> Counter[tuple[Any, ...]]:
        found = Counter({shown: len(ids) for shown, ids in self.stored().items()})
        expected = self.model.shown()
        return found - expected if too_many else expected - found

    def compare(self) -> None:
        """The runs there are, and no two of one slot."""
        missing, more = self.missing(), self.missing(too_many=True)
        assert not missing, f"missing {missing}, too many {more}"
        assert not more, f"too many {more}"
        seen = self.stored()
        for run in self.model.runs:
            run.id = seen[run.shown()].pop()
        slots = [run.slot for run in self.model.runs if run.slot]
        assert len(slots) == len(set(slots)), "one run for each slot"


def same_rule(given: dict[str, Any], answered: dict[str, Any]) -> bool:
    """Whether an answered schedule is the given one; a rule may have got its beginning."""
    if "rrule" in given:
        return given["rrule"].rpartition("RRULE:")[2] in answered.get("rrule", "") and given[
            "timezone"
        ] in {None, answered["timezone"]}
    if (
        given.get("anchor_date")
        and given["anchor_date"][:19] != (answered.get("anchor_date") or "")[:19]
    ):
        return False
    return all(
        answered.get(key) == value
        for key, value in given.items()
        if key not in {"anchor_date", "timezone"}
    ) and given["timezone"] in {None, answered["timezone"]}


def test_schedules_have_the_runs_the_specification_says(server: Server, dialect: str) -> None:
    class Machine(Schedules):
        pass

    Machine.server = server
    run_state_machine_as_test(Machine, settings=effort(dialect, examples=40, steps=20))
