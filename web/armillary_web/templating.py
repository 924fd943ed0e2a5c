"""The one Jinja environment: templates of the design system, then those of each plugin."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from armillary_web.assets import Assets
from armillary_web.filters import FILTERS
from armillary_web.shell import DENSITIES, PALETTES, THEMES

TEMPLATES = Path(__file__).parent / "templates"


class Templates:
    """Renders templates by name.

    `folders` maps a prefix to the folder of a plugin's templates: `{"ui": .../templates/ui}` makes
    `ui/runs.html` known. A missing value is an error, and all values are escaped.
    """

    def __init__(
        self,
        assets: Assets,
        *,
        base_path: str = "",
        folders: Mapping[str, Path] | None = None,
    ) -> None:
        given = dict(folders or {})
        taken = sorted(given.keys() & {path.name for path in TEMPLATES.iterdir()})
        if taken:
            raise ValueError(
                f"Templates may not be called {taken[0]!r}: the design system has a folder of "
                "that name. Give the plugin's templates another prefix."
            )
        plugins = {prefix: FileSystemLoader(path) for prefix, path in given.items()}
        self._base_path = base_path.rstrip("/")
        self._environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(TEMPLATES), PrefixLoader(plugins)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters.update(FILTERS)
        self._environment.globals.update(
            asset=assets.url,
            url=self.url,
            THEMES=THEMES,
            PALETTES=PALETTES,
            DENSITIES=DENSITIES,
        )

    @property
    def names(self) -> list[str]:
        return self._environment.list_templates(extensions=["html"])

    def render(self, name: str, **context: Any) -> bytes:
        """The finished page or fragment, UTF-8; half of a pair of surrogates is shown escaped."""
        page = self._environment.get_template(name).render(context)
        return page.encode(errors="backslashreplace")

    def url(self, path: str, *segments: str) -> str:
        """A link on this site: the base path, a path, and segments that are quoted.

        A path that would leave the site is refused, so that no value can send a person elsewhere.
        """
        parts = urlsplit(path)
        if not path.startswith("/") or parts.netloc or parts.scheme or "\\" in path:
            raise ValueError(
                f"{path!r} is no path on this site: it has to start with a single slash."
            )
        return self._base_path + "/".join((path, *(quote(part, safe="") for part in segments)))
