"""The few hot operations and the websockets, found and answered before Litestar.

Route, scope and document are declared once, in the routes themselves; here they are only looked
up faster.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from armillary.api import Route, SocketRoute, uuid_text
from armillary.errors import ArmillaryError

Entry = TypeVar("Entry", Route, SocketRoute)


class Pattern:
    """A path template taken apart: fixed segments by place, parameters by place and kind."""

    def __init__(self, path: str) -> None:
        self.fixed: list[tuple[int, str]] = []
        self.parameters: list[tuple[int, str, bool]] = []
        segments = path.strip("/").split("/")
        self.length = len(segments)
        for place, segment in enumerate(segments):
            if segment.startswith("{"):
                name, _, kind = segment[1:-1].partition(":")
                self.parameters.append((place, name, kind == "uuid"))
            else:
                self.fixed.append((place, segment))

    def match(self, segments: Sequence[str]) -> Mapping[str, str] | None:
        """Return the parameters, or None where the path is another."""
        for place, text in self.fixed:
            if segments[place] != text:
                return None
        found: dict[str, str] = {}
        for place, name, is_uuid in self.parameters:
            if is_uuid:
                try:
                    found[name] = uuid_text(segments[place])
                except ArmillaryError:
                    return None
            else:
                found[name] = segments[place]
        return found


class Lane:
    """Looks paths below the API's mount up."""

    def __init__(self, http: Iterable[Route], sockets: Iterable[SocketRoute]) -> None:
        self._http: dict[tuple[str, int], list[tuple[Pattern, Route]]] = {}
        for route in http:
            if route.hot:
                pattern = Pattern(route.path)
                self._http.setdefault((route.method, pattern.length), []).append((pattern, route))
        self._sockets = [(Pattern(route.path), route) for route in sockets]

    def http(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """Find the hot operation a request is for."""
        segments = path.strip("/").split("/")
        for pattern, route in self._http.get((method, len(segments)), ()):
            found = pattern.match(segments)
            if found is not None:
                return route, found
        return None

    def socket(self, path: str) -> tuple[SocketRoute, Mapping[str, str]] | None:
        """Find the websocket route a connection is for."""
        segments = path.strip("/").split("/")
        for pattern, route in self._sockets:
            if pattern.length == len(segments):
                found = pattern.match(segments)
                if found is not None:
                    return route, found
        return None
