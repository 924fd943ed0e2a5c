"""A body has a limit, and so have all that are half sent, together."""

from __future__ import annotations

from typing import Any

import pytest

from armillary.bodies import MAX_BODY, Bodies, Body
from armillary.errors import Refused


def coming(*parts: bytes, headers: dict[str, str] | None = None, bodies: Bodies) -> Body:
    messages = [
        {"type": "http.request", "body": part, "more_body": place < len(parts) - 1}
        for place, part in enumerate(parts)
    ]
    source = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(source)

    return Body(receive, headers or {}, bodies)


def test_a_length_over_the_limit_is_refused_before_it_is_sent() -> None:
    with pytest.raises(Refused) as refused:
        coming(headers={"content-length": str(MAX_BODY + 1)}, bodies=Bodies())
    assert refused.value.status == 413


async def test_a_body_that_grows_over_the_limit_is_refused() -> None:
    body = coming(b"x" * MAX_BODY, b"x", bodies=Bodies())
    await body.receive()
    with pytest.raises(Refused) as refused:
        await body.receive()
    assert refused.value.status == 413


async def test_half_sent_bodies_share_a_room_and_leave_it() -> None:
    bodies = Bodies(room=100)
    first, second = (coming(b"x" * 60, b"x", bodies=bodies) for _ in range(2))
    await first.receive()
    with pytest.raises(Refused) as refused:
        await second.receive()
    assert refused.value.status == 503
    assert refused.value.headers == {"Retry-After": "1"}
    second.end()
    first.end()
    assert bodies.held == 0
    await coming(b"x" * 60, b"x", bodies=bodies).receive()


async def test_a_body_that_comes_at_once_takes_no_room() -> None:
    bodies = Bodies(room=1)
    await coming(b"x" * 60, bodies=bodies).receive()
    assert bodies.held == 0
