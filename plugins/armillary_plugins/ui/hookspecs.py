"""The hook by which other plugins add to the pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pluggy

from armillary_web.shell import NavItem

hookspec = pluggy.HookspecMarker("armillary")


class Pages(msgspec.Struct, frozen=True, kw_only=True):
    """What a plugin adds: its templates, its places in the navigation, where its things are edited.

    The pages themselves are routes: `register_routes` with `Routes(tag="Pages", mount="")`.
    """

    templates: Path | None = None
    """A folder of templates; they are known as `<plugin>/<file>`."""
    nav: tuple[NavItem, ...] = ()
    edits_deployment: Callable[[str, str | None, str], bool] | None = None
    """Whether a deployment of this id, entrypoint and job variables (JSON text) is its own."""
    edit_path: str = ""
    """Where it is edited then; the id follows."""
    new_path: str | None = None
    """Where a new deployment is made."""
    new_text: str = ""
    """What the link there says."""


@hookspec
def register_pages() -> list[Pages]:  # type: ignore[empty-body]  # a declaration
    """What a plugin adds to the pages.  Enabled plugins, with the first page that is asked for."""
