"""Reads triggers as clients write them: without their kind, with spans of time in any form."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from armillary.errors import Invalid
from armillary_plugins.automations.durations import seconds
from armillary_plugins.automations.faults import Place, members_of, placed, word_of
from armillary_plugins.automations.trigger_schemas import Trigger

MAX_DEPTH = 50
"""How deep triggers are nested at most."""
_KINDS = ("event", "compound", "sequence", "metric")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Trigger, strict=False).decode
_items = msgspec.json.Decoder(list[msgspec.Raw])


def read_trigger(raw: msgspec.Raw, new_id: Callable[[], str], loc: Place) -> Trigger:
    """Return a trigger with new ids throughout; Invalid says what is wrong with it, and where."""
    complete = _completed(raw, new_id, loc, 1)
    try:
        trigger: Trigger = _decode(complete)
    except msgspec.ValidationError as error:
        raise placed(error, loc) from error
    return trigger


def _completed(raw: msgspec.Raw, new_id: Callable[[], str], loc: Place, depth: int) -> msgspec.Raw:
    if depth > MAX_DEPTH:
        raise Invalid(f"Triggers are nested more than {MAX_DEPTH} deep.", loc=loc)
    members = members_of(raw, loc, "A trigger")
    kind = _kind(members, loc)
    members["type"] = msgspec.Raw(_encode(kind))
    members["id"] = msgspec.Raw(_encode(new_id()))
    if kind == "metric":
        members = _with_metric(members, loc)
    else:
        members = _with_within(raw, members, loc, composite=kind != "event")
    if kind in ("compound", "sequence") and "triggers" in members:
        place = (*loc, "triggers")
        inner = [
            _completed(each, new_id, (*place, number), depth + 1)
            for number, each in enumerate(_list(members["triggers"], place))
        ]
        members["triggers"] = msgspec.Raw(_encode(inner))
    return msgspec.Raw(_encode(members))


def _kind(members: dict[str, msgspec.Raw], loc: Place) -> str:
    """Name a trigger's kind, which older clients leave to its members."""
    if "type" not in members:
        if "triggers" in members:
            return "compound" if "require" in members else "sequence"
        return "metric" if bytes(members.get("posture", b"")) == b'"Metric"' else "event"
    return word_of(members["type"], _KINDS, loc, "type of trigger")


def _with_within(
    raw: msgspec.Raw, members: dict[str, msgspec.Raw], loc: Place, *, composite: bool
) -> dict[str, msgspec.Raw]:
    """Put a span in seconds; null says "whenever" of several triggers, and nothing of one."""
    if "within" in members:
        span = seconds(members["within"], (*loc, "within"))
        return {**members, "within": msgspec.Raw(_encode(span))}
    if "within" not in msgspec.json.decode(raw, type=dict[str, msgspec.Raw]):
        return members
    if composite:
        return {**members, "within": msgspec.Raw(b"null")}
    raise Invalid(
        "`within` of an event trigger is a span of time in seconds, not null.",
        loc=(*loc, "within"),
    )


def _with_metric(members: dict[str, msgspec.Raw], loc: Place) -> dict[str, msgspec.Raw]:
    if "metric" not in members:
        return members
    place = (*loc, "metric")
    metric = members_of(members["metric"], place, "A metric")
    for name in ("range", "firing_for"):
        if name in metric:
            metric[name] = msgspec.Raw(_encode(seconds(metric[name], (*place, name))))
    return {**members, "metric": msgspec.Raw(_encode(metric))}


def _list(raw: msgspec.Raw, loc: Place) -> list[msgspec.Raw]:
    try:
        return _items.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid("This is a list.", loc=loc, kind="list_type") from error
