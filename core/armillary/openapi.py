"""The OpenAPI document, written from the declared routes when it is first asked for.

``x-scope`` says which scope an operation needs; without it, anybody may call.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from armillary import openapi_refusals as refusals
from armillary.api import API, Answer, Call, Route, Routes
from armillary.openapi_schemas import Schemas
from armillary.system.versions import API_VERSION

_PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")
_NOT_A_WORD = re.compile(r"\W+")
_UNTYPED = (None, dict)
"""What answers declare that have no body, or any object for one."""


def document_routes(http: Sequence[Route]) -> Routes:
    """Declare the route that shows the document of the others."""
    routes = Routes(tag="Admin")
    written: list[bytes] = []

    @routes.get("/openapi.json", scope=None, answers={200: dict})
    async def openapi(call: Call) -> Answer:  # noqa: ARG001 - the same for everybody
        """Describe this API as OpenAPI."""
        if not written:
            written.append(await asyncio.to_thread(document, [*http, *routes.http]))
        return Answer(written[0])

    return routes


def document(http: Iterable[Route]) -> bytes:
    """Write the document of those routes that lie in the API."""
    served = sorted(
        (route for route in http if route.mount == API),
        key=lambda route: (route.path, route.method),
    )
    schemas = Schemas(_kinds(served))
    paths: dict[str, dict[str, Any]] = {}
    for route in served:
        path = API + _PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, schemas)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "Armillary", "version": API_VERSION},
            "paths": paths,
            "components": {
                "responses": refusals.responses(
                    {status for route in served for status in refusals.statuses(route)}
                ),
                "schemas": dict(sorted({**schemas.components, **refusals.SCHEMAS}.items())),
            },
        }
    )


def _kinds(routes: Iterable[Route]) -> list[Any]:
    """List every type that requests and answers are made of."""
    return [
        kind
        for route in routes
        for kind in (route.body, *route.answers.values())
        if kind not in _UNTYPED
    ]


def _operation(route: Route, schemas: Schemas) -> dict[str, Any]:
    name = _NOT_A_WORD.sub("_", _PARAMETER.sub(r"\1", route.path)).strip("_")
    operation: dict[str, Any] = {
        "tags": [route.tag],
        "summary": route.summary,
        "operationId": f"{route.method.lower()}_{name}",
    }
    if route.scope is not None:
        operation["x-scope"] = route.scope
    parameters = [_parameter(*found.groups()) for found in _PARAMETER.finditer(route.path)]
    if route.query is not None:
        parameters += schemas.parameters(route.query)
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        operation["requestBody"] = {"content": _content(route.body, schemas)}
    responses = {
        status: _answer(status, kind, schemas) for status, kind in route.answers.items()
    } | {status: refusals.reference(status) for status in refusals.statuses(route)}
    operation["responses"] = {str(status): responses[status] for status in sorted(responses)}
    return operation


def _parameter(name: str, kind: str | None) -> dict[str, Any]:
    schema = {"type": "string"}
    if kind == "uuid":
        schema["format"] = "uuid"
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _answer(status: int, kind: Any, schemas: Schemas) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if kind is not None:
        answer["content"] = _content(kind, schemas)
    return answer


def _content(kind: Any, schemas: Schemas) -> dict[str, Any]:
    schema = {"type": "object"} if kind is dict else schemas.of(kind)
    return {"application/json": {"schema": schema}}
