"""The hook by which other plugins add to the pages."""

from __future__ import annotations

import pluggy

from armillary_web.pages import Pages

hookspec = pluggy.HookspecMarker("armillary")


@hookspec
def register_pages() -> list[Pages]:  # type: ignore[empty-body]  # a declaration
    """What a plugin adds to the pages: `armillary_web.pages`.  Enabled plugins, where pages are."""
