"""Pages as a browser asks for them, and what is on them."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import httpx

from armillary.core import Core
from tests.web.documents import Document

_RUN = re.compile(r'id="run-([0-9a-f-]{36})"')


class Pages:
    def __init__(self, client: httpx.AsyncClient, core: Core) -> None:
        self.client = client
        self.core = core

    async def ask(self, path: str, *, status: int = 200, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.client.get(path, headers=sent, follow_redirects=False)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer

    async def open(self, path: str, *, status: int = 200, **headers: str) -> Document:
        return Document((await self.ask(path, status=status, **headers)).text)

    async def send(self, path: str, *, status: int = 303, **fields: str) -> httpx.Response:
        """Send a form as a browser does."""
        answer = await self.client.post(
            path,
            content=urlencode(fields),
            headers={
                "content-type": "application/x-www-form-urlencoded",
                "origin": "http://127.0.0.1:4200",
            },
            follow_redirects=False,
        )
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer

    async def runs(self, path: str) -> list[str]:
        """The ids of the runs listed on a page."""
        return _RUN.findall((await self.ask(path)).text)


def link(document: Document, text: str) -> str | None:
    """Where the link with this text leads."""
    for one in document.all("a"):
        if one.text.strip() == text:
            return one.attributes["href"]
    return None


def part(document: Document, element_id: str) -> str:
    """The text of the element with this id, in one line."""
    [found] = [one for one in document.elements if one.attributes.get("id") == element_id]
    return " ".join(found.text.split())


def live_path(document: Document, element_id: str) -> str | None:
    """Where an element is fetched anew."""
    [found] = [one for one in document.elements if one.attributes.get("id") == element_id]
    return found.attributes.get("data-live-src")
