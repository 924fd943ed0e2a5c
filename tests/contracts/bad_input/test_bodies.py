"""Whatever is sent to whichever route: a clear 4xx, nothing changed, no fault logged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from armillary.api import Route, decode
from armillary.core import Core
from armillary.errors import Invalid
from tests.api import Api
from tests.contracts.bad_input.sending import JSON, Sent, fail_for, send
from tests.contracts.every_route import name_of, path_of, request_of, with_bodies
from tests.contracts.world import World, rows_of

DEEP = 10_000
TAKES_NUL = {"POST /events", "POST /logs/"}
"""Clients send them what programs said, so NUL is replaced there instead of refused."""
MALFORMED = [
    b"{", b'{"a":', b"[1,", b"nonsense", b'"\xff"', b'{"name":"\xc3("}', b"\xff\xfe{}", b"NaN",
    b'{"a":"\\ud800"}', b'{"a":"\\udc00"}', b'{"a":"\x00"}', b"[" * DEEP, b'{"a":' * DEEP,
    b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP, b'{"strange":"\xed\xa0\x80"}',
]  # fmt: skip
VALUES: list[Any] = [
    None, -1, 2**31, 2**63, 10**30, 1e300, "x", "nan", "9" * 30, "é" * 3000, [], ["x"], {},
    {"x": {"y": 7}}, 253402300800, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z",
    msgspec.Raw(b"[" * 300 + b"]" * 300), msgspec.Raw(b'{"a":' * 950 + b"1" + b"}" * 950),
    msgspec.Raw(b"1" * 5000),
]  # fmt: skip


async def test_malformed_json_is_refused(core: Core, api: Api, world: World) -> None:
    before, wrong = await rows_of(core), list[Sent]()
    for route in with_bodies(core):
        path = path_of(route, world)
        for body in MALFORMED:
            sent = await send(api, route, path, repr(body[:30]), content=body, headers=JSON)
            if not sent.told:
                wrong.append(sent)
    fail_for(wrong)
    assert await rows_of(core) == before


def leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all members and items, from outside in."""
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*place, key)
            yield from leaves(inner, (*place, key))


def with_value(body: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    copy = dict(body) if isinstance(body, dict) else list(body)
    copy[place[0]] = with_value(body[place[0]], place[1:], value)
    return copy


async def test_a_body_of_the_wrong_kind_is_refused(core: Core, api: Api, world: World) -> None:
    before, wrong = await rows_of(core), list[Sent]()
    for route in with_bodies(core):
        made = request_of(route, world)
        other: object = {"x": 1} if isinstance(made.body, list) else [made.body]
        for body in (7, "x", True, None, 1.5, other):
            if isinstance(made.body, str) and isinstance(body, str):
                continue
            content = msgspec.json.encode(body)
            sent = await send(api, route, made.path, repr(body), content=content, headers=JSON)
            if not sent.told:
                wrong.append(sent)
    fail_for(wrong)
    assert await rows_of(core) == before


async def test_nul_is_refused_in_every_text(core: Core, api: Api, world: World) -> None:
    before, wrong = await rows_of(core), list[Sent]()
    for route in with_bodies(core):
        made = request_of(route, world)
        for place in leaves(made.body):
            if name_of(route) not in TAKES_NUL:
                body = with_value(made.body, place, "a\0b")
                sent = await send(api, route, made.path, f"NUL at {place}", json=body)
                if sent.status != 422 or "NUL" not in sent.text:
                    wrong.append(sent)
    fail_for(wrong)
    assert await rows_of(core) == before


async def test_no_value_anywhere_is_a_fault(
    core: Core, api: Api, world: World, ours: Callable[[int], bool]
) -> None:
    """What is refused as it is read gets no further, and is sent once for each route."""
    wrong: list[Sent] = []
    seen: set[object] = set()
    refused: set[str] = set()
    for route in with_bodies(core):
        made = request_of(route, world)
        for place in [(), *leaves(made.body)]:
            kind = (kind_of(route, place), place)
            if kind in seen:
                continue  # the same filter, in a list and in its count
            seen.add(kind)
            for number, value in enumerate(VALUES):
                if not ours(len(seen) + number):
                    continue
                body = msgspec.json.encode(with_value(made.body, place, value))
                if not is_read(route, body):
                    if name_of(route) in refused:
                        continue
                    refused.add(name_of(route))
                what = f"value {number} at {place}"
                sent = await send(api, route, made.path, what, content=body, headers=JSON)
                if sent.status >= 500:
                    wrong.append(sent)
    fail_for(wrong)


def is_read(route: Route, body: bytes) -> bool:
    """Whether a body comes as far as to the handler."""
    try:
        decode(route.body, body, nul=route.nul)
    except Invalid:
        return False
    return True


def kind_of(route: Route, place: tuple[Any, ...]) -> object:
    """What decodes a place of a body: a member that routes share, or the route itself."""
    fields = msgspec.structs.fields(route.body) if hasattr(route.body, "__struct_fields__") else ()
    kind = next((each.type for each in fields if place and each.name == place[0]), None)
    shared = kind is not None and "Filter" in str(kind)
    return str(kind) if shared else name_of(route)
