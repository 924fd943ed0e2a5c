"""The filters of the list of runs: from the query of its address to criteria, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from armillary.criteria import AnyTags, EitherChoice, Ids, Names, States, StateTypes
from armillary.db.filters import Condition
from armillary.deployments.filters import DeploymentFilter
from armillary.flow_runs.criteria import FlowRunCriteria, Selection
from armillary.flow_runs.filters import FlowRunFilter
from armillary.flows.filters import FlowFilter
from armillary.work_pools.filters import WorkPoolFilter, WorkQueueFilter
from armillary_plugins.ui.repository.runs import Place
from armillary_plugins.ui.schemas import Choice, FilterChip, RunFilterForm
from armillary_web.filters import STATE_TYPES, state_look

RANGES: Mapping[str, tuple[str, int]] = {
    "1h": ("Past hour", 3600),
    "1d": ("Past day", 86400),
    "7d": ("Past week", 7 * 86400),
    "30d": ("Past 30 days", 30 * 86400),
}
SHOWN = (
    "RUNNING", "PENDING", "SCHEDULED", "PAUSED", "CANCELLING", "COMPLETED", "FAILED", "CRASHED",
    "CANCELLED",
)  # fmt: skip
ALWAYS_SHOWN = frozenset(SHOWN) - {"PAUSED", "CANCELLING"}
_NAMES: Mapping[str, str] = {
    "Late": "SCHEDULED",
    "AwaitingRetry": "SCHEDULED",
    "AwaitingConcurrencySlot": "SCHEDULED",
    "Retrying": "RUNNING",
    "Cached": "COMPLETED",
    "TimedOut": "FAILED",
}
"""Names of states with their types, by which an index finds them."""
_MARGIN = 60_000_000
"""Microseconds by which a start may lie ahead and the run is shown: clocks differ."""
_LONGEST = 200
_MOST_IDS = 50
_PLACE = re.compile(r"(\d{1,18})\.([0-9a-f-]{36})")
_QUERY = {
    "name": "flow-run-search", "state": "state", "flow": "flow", "tags": "tags", "range": "range",
    "flows": "flows", "deployments": "deployments", "pools": "work-pools",
    "queues": "work-queues",
}  # fmt: skip


class RunsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, as text, and where the page is cut."""

    name: str = ""
    state: str = ""
    flow: str = ""
    tags: str = ""
    range: str = ""
    flows: str = ""
    deployments: str = ""
    pools: str = ""
    queues: str = ""
    before: Place | None = None
    after: Place | None = None

    @property
    def searches(self) -> bool:
        """Whether it is something that no index counts by state."""
        return bool(self.name or self.flow or self.tags)

    @property
    def state_types(self) -> list[str]:
        """The types of state asked for."""
        return [each.upper() for each in _split(self.state) if each.upper() in STATE_TYPES]

    @property
    def state_names(self) -> list[str]:
        """The names of state asked for."""
        return [each for each in _split(self.state) if each.upper() not in STATE_TYPES]

    def selection(self, workspace: int, *, now: int, upcoming: bool | None = None) -> Selection:
        """Say which runs are meant.  Those to come are left out unless their state is asked for."""
        shown = self._shows_upcoming if upcoming is None else upcoming
        found = FlowRunCriteria(
            flow_runs=self._runs(),
            flows=self._flows(),
            deployments=self._deployments(),
            work_pools=WorkPoolFilter(id=Ids(any_=_ids(self.pools))) if self.pools else None,
            work_pool_queues=(
                WorkQueueFilter(id=Ids(any_=_ids(self.queues))) if self.queues else None
            ),
        ).selection(workspace)
        if not shown:
            found = _cut(found, "<=", now + _MARGIN)
        if self.range:
            found = _cut(found, ">=", now - RANGES[self.range][1] * 1_000_000)
        return found

    @property
    def _shows_upcoming(self) -> bool:
        return "SCHEDULED" in self.state_types

    def _runs(self) -> FlowRunFilter:
        types, names = self.state_types, self.state_names
        either = bool(types and names)
        if names and not types and _NAMES.keys() >= set(names):
            types = list(dict.fromkeys(_NAMES[name] for name in names))
        state: Any = None
        if types or names:
            state = States(
                operator="or_" if either else "and_",
                type=StateTypes(any_=types) if types else None,  # type: ignore[arg-type]
                name=EitherChoice(any_=names) if names else None,
            )
        return FlowRunFilter(
            name=Names(like_=self.name) if self.name else None,
            tags=AnyTags(all_=_split(self.tags)) if _split(self.tags) else None,
            state=state,
        )

    def _flows(self) -> FlowFilter | None:
        if self.flows:
            return FlowFilter(id=Ids(any_=_ids(self.flows)))
        return FlowFilter(name=Names(like_=self.flow)) if self.flow else None

    def _deployments(self) -> DeploymentFilter | None:
        return DeploymentFilter(id=Ids(any_=_ids(self.deployments))) if self.deployments else None

    def path(self, base: str = "/runs", **changes: Any) -> str:
        """The address of this list, or of it with changes; changes begin at the first page."""
        meant = self
        if changes:
            meant = msgspec.structs.replace(self, **{"before": None, "after": None, **changes})
        given = [
            (word, getattr(meant, field)) for field, word in _QUERY.items() if getattr(meant, field)
        ]
        given += [
            (word, f"{place.expected}.{place.id}")
            for word, place in (("before", meant.before), ("after", meant.after))
            if place is not None
        ]
        return f"{base}?{urlencode(given)}" if given else base

    def first_page(self) -> RunsQuery:
        """The same, from the beginning."""
        return msgspec.structs.replace(self, before=None, after=None)

    def any_state(self) -> RunsQuery:
        """The same in any state."""
        return msgspec.structs.replace(self, state="")

    def form(self, names: Mapping[str, str]) -> RunFilterForm:
        """The form as it was sent; ``names`` are those of flows and deployments by id."""
        words = [state_look(state).word for state in SHOWN] + list(_NAMES)
        if self.state and self.state not in words:
            words.append(self.state)
        return RunFilterForm(
            name=self.name,
            state=self.state,
            flow=self.flow,
            tags=self.tags,
            range=self.range,
            states=tuple(Choice(value=word, text=_state_text(word)) for word in words),
            ranges=tuple(Choice(value=key, text=text) for key, (text, _) in RANGES.items()),
            hidden=tuple(
                Choice(value=_QUERY[field], text=getattr(self, field))
                for field in ("flows", "deployments", "pools", "queues")
                if getattr(self, field)
            ),
            chips=self._chips(names),
        )

    def _chips(self, names: Mapping[str, str]) -> tuple[FilterChip, ...]:
        texts = {
            "name": f"Name has {self.name}",
            "state": f"State {', '.join(_state_text(each) for each in _split(self.state))}",
            "flow": f"Flow has {self.flow}",
            "tags": f"Tags {', '.join(_split(self.tags))}",
            "range": RANGES[self.range][0] if self.range else "",
            "flows": f"Flow {_named(self.flows, names)}",
            "deployments": f"Deployment {_named(self.deployments, names)}",
            "pools": f"Pool {_named(self.pools, names)}",
            "queues": f"Queue {_named(self.queues, names)}",
        }
        return tuple(
            FilterChip(text=text, remove_path=self.path(**{field: ""}))
            for field, text in texts.items()
            if getattr(self, field)
        )


def _cut(selection: Selection, sign: str, moment: int) -> Selection:
    return selection.cut(
        Condition(f"r.expected_start_time {sign} ?", (moment,)),
        Condition(f"ft.expected_start_time {sign} ?", (moment,)),
    )


def read_query(query: Mapping[str, str]) -> RunsQuery:
    """Read a query; what makes no sense is left out."""
    given = {field: _clean(query.get(word, "")) for field, word in _QUERY.items()}
    if given["range"] not in RANGES:
        given["range"] = ""
    if not _split(given["state"]):
        given["state"] = ""
    if not _split(given["tags"]):
        given["tags"] = ""
    return RunsQuery(**given, before=_place(query.get("before")), after=_place(query.get("after")))


def _clean(text: str) -> str:
    most = _LONGEST if len(text) < 36 else _LONGEST * 10
    return text.replace("\0", "").strip()[:most]


def _place(text: str | None) -> Place | None:
    found = _PLACE.fullmatch(text or "")
    return None if found is None else Place(int(found[1]), found[2])


def _split(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _ids(text: str) -> list[UUID]:
    """Read ids; what is none matches nothing."""
    found = []
    for part in _split(text)[:_MOST_IDS]:
        try:
            found.append(UUID(part))
        except ValueError:
            continue
    return found


def id_texts(text: str) -> list[str]:
    """Read a comma list of ids in canonical form."""
    return [str(each) for each in _ids(text)]


def _named(text: str, names: Mapping[str, str]) -> str:
    return ", ".join(names.get(each, each) for each in id_texts(text)) or text


def _state_text(word: str) -> str:
    return (
        state_look(word.upper()).word
        if word.upper() in STATE_TYPES
        else state_look(None, word).word
    )
