"""How the agent speaks with its server: one question, one answer, over whatever lies between."""

from __future__ import annotations

from typing import Any, Protocol

Json = Any
API_VERSION = "0.8.3"
"""Of this version of the API a failed run waits for its retry where any agent may take it up;
of newer ones its own process has to make it."""


class Away(Exception):
    """The server cannot be reached, or cannot answer just now; the message says how."""


class Turned(Exception):
    """The server turned a request down."""

    def __init__(self, status: int, message: str, document: Json = None) -> None:
        super().__init__(message)
        self.status = status
        self.document = document


class Link(Protocol):
    """A way to the server."""

    @property
    def api_url(self) -> str:
        """Return the address of the API, for the processes it runs."""

    async def ask(self, method: str, path: str, body: Json = None) -> Json:
        """Ask once; Away where that cannot be now, Turned where the server will not."""

    async def close(self) -> None:
        """Let go of connections."""


def explain(status: int, document: Json) -> str:
    """Find the sentence in an answer that turns a request down."""
    if isinstance(document, dict):
        problems = document.get("exception_detail")
        if isinstance(problems, list) and problems and isinstance(problems[0], dict):
            where = ".".join(str(part) for part in problems[0].get("loc", ()))
            return f"{problems[0].get('msg')} ({where})"
        for name in ("detail", "exception_message"):
            if isinstance(document.get(name), str):
                return str(document[name])
    return f"the server answered {status}"
