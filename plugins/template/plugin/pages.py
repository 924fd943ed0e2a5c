"""The page of the number, and its place in the navigation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from armillary.api import Call
from armillary_plugins.example.repository import read_moments
from armillary_web.pages import Page, Pages
from armillary_web.shell import NavItem

_PATH = "/example"


async def _read(call: Call) -> Mapping[str, Any]:
    return {"moments": await read_moments(call.read())}


PAGES = Pages(
    templates=Path(__file__).parent / "templates",
    pages=(
        Page(
            path=_PATH, scope="see_workspace_settings", template="example/moments.html", read=_read
        ),
    ),
    nav=(NavItem(path=_PATH, text="example", icon="gauge"),),
)
