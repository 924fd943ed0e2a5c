"""What operations refuse requests with: what follows from how they are declared, and the shapes.

What goes wrong before a route is found, or on a connection, is in no operation's list.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, TypeAlias

from armillary.api import Route

_Json: TypeAlias = dict[str, Any]
_LOOKS = "GET"


def statuses(route: Route) -> set[int]:
    """List the statuses a route refuses with: any request for its size, or for its headers."""
    found = {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
    if route.scope is not None:
        found |= {HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE}
    if route.method != _LOOKS:
        found.add(HTTPStatus.FORBIDDEN)  # for pages of other sites
    if "{" in route.path:
        found.add(HTTPStatus.NOT_FOUND)
    if route.body is not None or route.query is not None:
        found.add(HTTPStatus.UNPROCESSABLE_ENTITY)
    return {int(each) for each in (*found, *route.refuses)} - route.answers.keys()


def reference(status: int) -> _Json:
    """Say where the shape of a refusal is."""
    return {"$ref": f"#/components/responses/{_name(status)}"}


def responses(used: set[int]) -> _Json:
    """Describe each refusal once."""
    return {
        _name(status): {
            "description": HTTPStatus(status).phrase,
            "content": {"application/json": {"schema": _shape(status)}},
        }
        for status in sorted(used)
    }


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")


def _shape(status: int) -> _Json:
    match status:
        case HTTPStatus.UNPROCESSABLE_ENTITY:
            return {"anyOf": [_schema("InvalidRequest"), _schema("Refusal")]}
        case HTTPStatus.NOT_FOUND | HTTPStatus.SERVICE_UNAVAILABLE:
            return {"anyOf": [_schema("Refusal"), _schema("Failure")]}
    return _schema("Refusal")


def _schema(name: str) -> _Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(name: str, **members: _Json) -> _Json:
    return {"title": name, "type": "object", "properties": members, "required": list(members)}


_TEXT = {"type": "string"}
SCHEMAS = {
    "Failure": _object("Failure", exception_message=_TEXT),
    "InvalidRequest": _object(
        "InvalidRequest",
        exception_message=_TEXT,
        exception_detail={"type": "array", "items": _schema("Problem")},
        request_body={},
    ),
    "Problem": _object(
        "Problem",
        loc={"type": "array", "items": {"anyOf": [_TEXT, {"type": "integer"}]}},
        msg=_TEXT,
        type=_TEXT,
    ),
    "Refusal": _object("Refusal", detail=_TEXT),
}
"""The shapes of refusals, which clients know."""
