"""What a request says of itself: its headers, its query, its body, and who sends it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from armillary.errors import Refused
from armillary.fast_path import Headers
from armillary.orchestration.transition import Client

Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]

_USER_AGENT = re.compile(r"prefect/(\d{1,9})\.(\d{1,9})\.(\d{1,9})(\S*)")
_API_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})")
_OLDEST_API = (0, 8, 0)


def by_name(headers: Headers) -> dict[str, str]:
    """Return the request's headers by lower-case name."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


def query_of(text: bytes) -> dict[str, str]:
    """Return the parameters of the query."""
    return dict(parse_qsl(text.decode("latin-1"), keep_blank_values=True)) if text else {}


async def read_body(receive: Receive) -> bytes:
    """Read a whole body; an aborted one ends the request."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    parts = [body]
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "The connection ended before the body was complete.")
        parts.append(message.get("body", b""))
    return b"".join(parts)


def refuse_other_origins(headers: Mapping[str, str]) -> None:
    """Let no page of another site change anything here, or listen: browsers name its origin."""
    origin = headers.get("origin")
    if origin is not None and _host_of(origin) != headers.get("host", ""):
        raise Refused(403, f"A page of {origin} may not do that on this server.")


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None  # what is no address is nobody's


@lru_cache(maxsize=1024)
def client_of(user_agent: str, api_version: str | None) -> Client:
    """Read who is calling from its headers; Refused (400) if its API version is too old."""
    api = None
    if api_version is not None:
        parts = _API_VERSION.fullmatch(api_version)
        if parts is None:
            raise Refused(
                400, f"Invalid X-PREFECT-API-VERSION header: {api_version!r} is no version."
            )
        api = (int(parts[1]), int(parts[2]), int(parts[3]))
        if api < _OLDEST_API:
            raise Refused(
                400,
                f"The client asks for API version {api_version}; this server speaks 0.8.0 and "
                "newer: upgrade the client.",
            )
    found = _USER_AGENT.search(user_agent)
    if found is None:
        return Client(api=api)
    return Client(
        version=(int(found[1]), int(found[2]), int(found[3])),
        prerelease=found[4] or None,
        api=api,
    )
