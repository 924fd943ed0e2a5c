"""Triggers: whatever is in order comes back as it was sent; what is not is told, and where."""

from __future__ import annotations

from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.errors import Invalid
from armillary_plugins.automations.triggers import MAX_DEPTH, read_trigger
from tests.plugins.automations.samples import EVENT, TRIGGERS, ids_of, without_ids

LABELS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
SPECIFICATIONS = st.dictionaries(LABELS, LABELS | st.lists(LABELS, max_size=3), max_size=3)
NAMES = st.lists(LABELS, max_size=3, unique=True)


def spans(least: int = 0) -> st.SearchStrategy[float]:
    """Seconds, to the microsecond."""
    return st.integers(least * 10**6, 10**13).map(lambda micros: micros / 10**6)


EVENTS = st.fixed_dictionaries(
    {
        "type": st.just("event"),
        "match": SPECIFICATIONS,
        "match_related": SPECIFICATIONS | st.lists(SPECIFICATIONS, max_size=3),
        "after": NAMES,
        "expect": NAMES,
        "for_each": NAMES,
        "threshold": st.integers(-(2**63), 2**63 - 1),
        "posture": st.just("Reactive"),
        "within": spans(),
    }
)
SILENCES = st.builds(
    lambda event, within: {**event, "posture": "Proactive", "within": within}, EVENTS, spans(10)
)
METRICS = st.fixed_dictionaries(
    {
        "type": st.just("metric"),
        "match": SPECIFICATIONS,
        "match_related": SPECIFICATIONS,
        "posture": st.just("Metric"),
        "metric": st.fixed_dictionaries(
            {
                "name": st.sampled_from(["lateness", "duration", "successes"]),
                "threshold": st.floats(allow_nan=False, allow_infinity=False),
                "operator": st.sampled_from(["<", "<=", ">", ">="]),
                "range": spans(300),
                "firing_for": spans(300),
            }
        ),
    }
)


@st.composite
def composites(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    triggers = draw(st.lists(inner, max_size=3))
    made = {"triggers": triggers, "within": draw(st.none() | spans())}
    if draw(st.booleans()):
        return {"type": "sequence", **made}
    some = st.integers(1, len(triggers)) if triggers else st.just("any")
    return {"type": "compound", **made, "require": draw(st.sampled_from(["any", "all"]) | some)}


ANY = st.recursive(EVENTS | SILENCES | METRICS, composites, max_leaves=5)


def read(trigger: Any) -> Any:
    """What is stored of a trigger."""
    numbers = count()
    raw = msgspec.Raw(msgspec.json.encode(trigger))
    found = read_trigger(raw, lambda: f"id-{next(numbers)}", ("body", "trigger"))
    return msgspec.json.decode(msgspec.json.encode(found))


@given(ANY)
@settings(max_examples=40, deadline=None)
def test_a_trigger_comes_back_as_it_was_sent_but_for_its_ids(trigger: Any) -> None:
    found = read(trigger)
    assert without_ids(found) == trigger
    ids = ids_of(found)
    assert len(ids) == len(set(ids))
    assert without_ids(read(found)) == trigger


@pytest.mark.parametrize("name", TRIGGERS)
def test_the_kind_may_be_left_to_the_members(name: str) -> None:
    def untyped(trigger: Any) -> Any:
        plain = {key: value for key, value in trigger.items() if key != "type"}
        return plain | {"triggers": [untyped(t) for t in plain["triggers"]]} if (
            "triggers" in plain
        ) else plain  # fmt: skip

    assert without_ids(read(untyped(TRIGGERS[name]))) == TRIGGERS[name]


def test_what_is_left_out_or_null_is_the_default() -> None:
    expected = {
        "type": "event", "match": {}, "match_related": {}, "after": [], "expect": [],
        "for_each": [], "posture": "Reactive", "threshold": 1, "within": 0.0,
    }  # fmt: skip
    assert without_ids(read({"posture": "Reactive"})) == expected
    nothing = dict.fromkeys(["match", "match_related", "after", "expect", "for_each", "threshold"])
    assert without_ids(read({"posture": "Reactive", "strange": 1, **nothing})) == expected


def test_events_named_twice_count_once() -> None:
    assert read({**EVENT, "expect": ["b", "a", "b"]})["expect"] == ["b", "a"]


@pytest.mark.parametrize(
    ("given_as", "seconds"),
    [
        (10, 10.0), (0.5, 0.5), ("10", 10.0), ("PT1M30S", 90.0), ("P1D", 86400.0),
        ("00:00:10", 10.0), ("1 day, 0:00:01", 86401.0), ("2d 01:00:00.5", 176400.5),
        (0.0000004, 0.0), (1e13, 1e13),
    ],
)  # fmt: skip
def test_a_span_comes_in_many_forms(given_as: Any, seconds: float) -> None:
    assert read({**EVENT, "within": given_as})["within"] == seconds


@pytest.mark.parametrize("within", [0, 0.0, "PT0S"])
def test_silence_lasts_ten_seconds_unless_told_otherwise(within: Any) -> None:
    assert read({"posture": "Proactive", "within": within})["within"] == 10.0
    assert read({"posture": "Proactive"})["within"] == 10.0


BAD: list[tuple[Any, tuple[Any, ...], str]] = [
    ([], (), "object"),
    ("x", (), "object"),
    ({}, (), "posture"),
    ({"type": "webhook"}, ("type",), "event, compound, sequence, metric"),
    ({"type": 7}, ("type",), "event, compound"),
    ({**EVENT, "posture": "Metric"}, ("posture",), "Metric"),
    ({**EVENT, "posture": "reactive"}, ("posture",), "reactive"),
    ({**EVENT, "within": None}, ("within",), "not null"),
    ({**EVENT, "within": -1}, ("within",), "negative"),
    ({**EVENT, "within": "-00:00:10"}, ("within",), "negative"),
    ({**EVENT, "within": "soon"}, ("within",), "soon"),
    ({**EVENT, "within": "nan"}, ("within",), "nan"),
    ({**EVENT, "within": True}, ("within",), "true"),
    ({**EVENT, "within": 1e300}, ("within",), "seconds"),
    ({**EVENT, "within": 10**30}, ("within",), "seconds"),
    ({**EVENT, "posture": "Proactive", "within": 9.9}, (), "10 seconds"),
    ({**EVENT, "threshold": 1.5}, ("threshold",), "int"),
    ({**EVENT, "threshold": 2**63}, ("threshold",), "<="),
    ({**EVENT, "match": {"a": 1}}, ("match",), "str"),
    ({**EVENT, "match": [{}]}, ("match",), "object"),
    ({**EVENT, "match_related": {"a": {"b": "c"}}}, ("match_related",), "str"),
    ({**EVENT, "expect": "a"}, ("expect",), "array"),
    ({"type": "sequence", "triggers": []}, (), "within"),
    ({"type": "sequence", "within": None}, (), "triggers"),
    ({"type": "sequence", "within": -1, "triggers": []}, ("within",), "negative"),
    ({"type": "sequence", "within": 1, "triggers": {}}, ("triggers",), "list"),
    ({"type": "sequence", "within": 1, "triggers": [EVENT, {"posture": "x"}]},
     ("triggers", 1, "posture"), "x"),
    ({"type": "compound", "within": 1, "triggers": [EVENT]}, (), "require"),
    ({"type": "compound", "within": 1, "triggers": [EVENT], "require": 2}, (), "only 1"),
    ({"type": "compound", "within": 1, "triggers": [EVENT], "require": 0}, ("require",), "1"),
    ({"type": "compound", "within": 1, "triggers": [EVENT], "require": "some"},
     ("require",), "some"),
    ({"type": "metric"}, (), "metric"),
    ({"type": "metric", "metric": {"name": "cost", "threshold": 1, "operator": "<"}},
     ("metric", "name"), "cost"),
    ({"type": "metric", "metric": {"name": "duration", "threshold": 1, "operator": "="}},
     ("metric", "operator"), "="),
    ({"type": "metric", "metric": {"name": "duration", "threshold": 1, "operator": "<",
                                   "range": 299}}, ("metric",), "300 seconds"),
    ({"type": "metric", "metric": {"name": "duration", "threshold": 1, "operator": "<",
                                   "firing_for": 1}}, ("metric",), "300 seconds"),
]  # fmt: skip


@pytest.mark.parametrize(("trigger", "place", "words"), BAD)
def test_what_is_wrong_is_told_with_its_place(
    trigger: Any, place: tuple[Any, ...], words: str
) -> None:
    with pytest.raises(Invalid) as refused:
        read(trigger)
    (problem,) = refused.value.problems
    assert words in problem["msg"]
    assert problem["loc"] == ["body", "trigger", *place]


def test_triggers_are_nested_so_deep_and_no_deeper() -> None:
    trigger: dict[str, Any] = EVENT
    for _ in range(MAX_DEPTH - 1):
        trigger = {"type": "sequence", "within": None, "triggers": [trigger]}
    assert without_ids(read(trigger)) == trigger
    with pytest.raises(Invalid, match=f"more than {MAX_DEPTH} deep"):
        read({"type": "sequence", "within": None, "triggers": [trigger]})
