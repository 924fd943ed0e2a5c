"""Requests that are not in order, and whether their answers say so."""

from __future__ import annotations

from typing import Any

import msgspec

from armillary.api import Route
from armillary.openapi_refusals import statuses
from tests.api import Api
from tests.contracts.every_route import name_of, prefixed

UNROUTED = {301, 307, 404, 405}
"""What a path is answered with that leads to no route."""
JSON = {"content-type": "application/json"}


class Sent(msgspec.Struct):
    """One request, and what came of it."""

    route: Route
    what: str
    status: int
    text: str

    def __str__(self) -> str:
        return f"{name_of(self.route)} with {self.what}: {self.status} {self.text[:160]}"

    @property
    def told(self) -> bool:
        """Whether it is answered by 422 in the shape clients print."""
        if self.status != 422:
            return False
        body = msgspec.json.decode(self.text)
        return body["exception_message"] == "Invalid request received." and all(
            {"loc", "msg", "type"} <= each.keys() for each in body["exception_detail"]
        )

    @property
    def missing(self) -> bool:
        """Whether it is answered by 404: with a page, or in one of the shapes clients print."""
        if self.status != 404 or not self.route.mount:
            return self.status == 404
        body = msgspec.json.decode(self.text)
        return set(body) in ({"detail"}, {"exception_message"}) and all(body.values())


async def send(api: Api, route: Route, path: str, what: str, **more: Any) -> Sent:
    answer = await api.client.request(route.method, prefixed(route, path, "/api"), **more)
    status = answer.status_code
    told = f"{name_of(route)} with {what}: {status} is not documented: {answer.text[:160]}"
    assert not route.mount or status in UNROUTED | route.answers.keys() | statuses(route), told
    return Sent(route, what, answer.status_code, answer.text)


def fail_for(wrong: list[Sent]) -> None:
    assert not wrong, "\n".join(map(str, wrong))
