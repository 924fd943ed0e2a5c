"""Flow runs that were listed before are shown as they are now."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.db.unit import Row
from armillary.flow_runs import known as known_runs
from armillary.flow_runs.known import KnownFlowRuns
from armillary.flow_runs.reading import flow_run_from_row
from armillary.orchestration.states import StateType

HOUR = 3_600_000_000
NOW = 1_795_000_000_000_000


def row_of(
    run: str = "a", *, state: str | None = "COMPLETED", start: int | None = 1, **more: Any
) -> Row:
    """A row of COLUMNS, with what its times are told from."""
    row: list[Any] = [None] * 41
    row[0], row[1], row[2], row[3], row[4] = run, 1, 1, "name", "flow"
    row[11:17] = [more.get("parameters", "{}"), None, "{}", "{}", "[]", "{}"]
    row[12:14] = [None, "{}"]
    row[18], row[20], row[21], row[23] = state, 1, more.get("expected", 1), start
    row[25], row[26] = 2.5, 0
    if state is not None:
        row[34:41] = ["s", state, "Named", more.get("entered", 1), None, None, "{}"]
    return tuple(row)


def encoded(row: Row, now: int) -> bytes:
    return msgspec.json.encode(flow_run_from_row(row, now=now))


@given(
    times=st.lists(st.integers(NOW - HOUR, NOW + HOUR), min_size=2, max_size=4),
    state=st.sampled_from([None, *(str(each.value) for each in StateType)]),
    start=st.none() | st.integers(NOW - HOUR, NOW + HOUR),
    expected=st.none() | st.integers(NOW - HOUR, NOW + HOUR),
)
def test_a_run_is_shown_as_it_is_at_the_time(
    times: list[int], state: str | None, start: int | None, expected: int | None
) -> None:
    known = KnownFlowRuns()
    row = row_of(state=state, start=start, expected=expected, entered=NOW - HOUR)
    for now in times:
        assert bytes(known.shown([row], now=now)[0]) == encoded(row, now)


def test_a_run_that_has_changed_is_shown_as_it_is() -> None:
    known = KnownFlowRuns()
    for row in (row_of(), row_of(parameters='{"a": 1}'), row_of(state="RUNNING"), row_of()):
        assert bytes(known.shown([row], now=NOW)[0]) == encoded(row, NOW)


def test_what_has_not_changed_is_shaped_once_unless_it_is_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shaped: list[str] = []

    def counted(row: Row, *, now: int) -> Any:
        shaped.append(row[0])
        return flow_run_from_row(row, now=now)

    monkeypatch.setattr(known_runs, "flow_run_from_row", counted)
    known = KnownFlowRuns()
    large = row_of("large", parameters=f'{{"a": "{"x" * 10_000}"}}')
    for _ in range(2):
        known.shown([row_of("a"), row_of("b"), row_of("c", state="RUNNING"), large], now=NOW)
    assert shaped == ["a", "b", "c", "large", "large"]
    known.shown([row_of(str(number)) for number in range(1000)], now=NOW)
    shaped.clear()
    known.shown([row_of("a"), row_of("999")], now=NOW)
    assert shaped == ["a"]
