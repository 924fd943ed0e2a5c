"""What the pages of one core are made with: templates, static files, and what surrounds a page."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import msgspec

from armillary_plugins.ui.config import Config
from armillary_plugins.ui.streams import streams_of
from armillary_web.assets import Assets
from armillary_web.pages import Pages
from armillary_web.shell import NavItem, Shell, read_preferences
from armillary_web.templating import Templates

if TYPE_CHECKING:
    from armillary import Core
    from armillary.api import Call

_TEMPLATES = Path(__file__).parent / "templates" / "ui"
_NAV = (
    NavItem(path="/", text="Home", icon="house", hotkey="g h"),
    NavItem(path="/runs", text="Runs", icon="activity", hotkey="g r"),
    NavItem(path="/flows", text="Flows", icon="workflow", hotkey="g f"),
    NavItem(path="/deployments", text="Deployments", icon="rocket", hotkey="g d"),
    NavItem(path="/schedules", text="Schedules", icon="calendar-clock", hotkey="g s"),
    NavItem(path="/work-pools", text="Work pools", icon="server", hotkey="g w"),
    NavItem(path="/system", text="System", icon="gauge", hotkey="g y"),
)


class Site:
    """Made once for a core, with the first page that is asked for."""

    def __init__(self, core: Core) -> None:
        settings = core.settings.server
        self._config = core.config(Config)
        self._streams = streams_of(core, core.clock.micros())
        self._version = version("armillary")
        self.base_path = settings.base_path.rstrip("/")
        self.assets = Assets(base_path=self.base_path)
        handed: list[tuple[str, Pages]] = core.plugins.collect("register_pages")
        self.added = tuple(pages for _, pages in handed)
        """What other plugins add."""
        folders = {name: pages.templates for name, pages in handed if pages.templates}
        self.templates = Templates(
            self.assets, base_path=self.base_path, folders={"ui": _TEMPLATES, **folders}
        )
        added = sorted(
            (item for pages in self.added for item in pages.nav), key=lambda item: item.text
        )
        self._nav = (*_NAV, *added)

    def shell(self, call: Call, current: str | None, *, live: bool = True) -> Shell:
        """What surrounds a page; ``current`` is its entry in the navigation."""
        return Shell(
            nav=tuple(
                msgspec.structs.replace(item, current=item.path == current) for item in self._nav
            ),
            version=self._version,
            environment=self._config.environment or None,
            environment_colour=self._config.environment_colour,
            preferences=read_preferences(_cookies(call.headers.get("cookie", ""))),
            stream_path=f"/ui/stream?after={self._streams.place}" if live else None,
        )

    def render(self, name: str, **context: Any) -> bytes:
        """Render a template of this plugin."""
        return self.templates.render(f"ui/{name}.html", **context)


def _cookies(header: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in header.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


_SITES: WeakKeyDictionary[object, Site] = WeakKeyDictionary()


def site_of(core: Core) -> Site:
    """Return the site of a core."""
    found = _SITES.get(core)
    if found is None:
        found = _SITES[core] = Site(core)
    return found
