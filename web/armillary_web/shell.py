"""What surrounds every page: navigation, environment, and how the person wants it to look."""

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

Theme = Literal["system", "light", "dark"]
Palette = Literal["default", "contrast", "red-green", "blue-yellow", "grey"]
Density = Literal["compact", "roomy"]

THEMES: tuple[Theme, ...] = get_args(Theme)
PALETTES: Mapping[Palette, str] = {
    "default": "Standard",
    "contrast": "High contrast",
    "red-green": "Red-green safe",
    "blue-yellow": "Blue-yellow safe",
    "grey": "Without colour",
}
DENSITIES: tuple[Density, ...] = get_args(Density)

NAV_ICONS = frozenset(
    {
        "house",
        "activity",
        "workflow",
        "rocket",
        "server",
        "box",
        "variable",
        "bot",
        "radio-tower",
        "gauge",
        "hourglass",
        "file-chart-column",
        "settings",
    }
)
"""Icons in the sprite for entries of the navigation that plugins add."""


class NavItem(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the navigation."""

    path: str
    """Without the base path, for example `/runs`."""
    text: str
    icon: str
    current: bool = False
    aside: bool = False
    """In the second group, which a phone folds: what people look up, not what they watch."""
    hotkey: str | None = None
    """Keys typed one after the other, for example `g r`."""


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """How a person wants pages to look; kept in cookies, so that there is no flash."""

    theme: Theme = "system"
    palette: Palette = "default"
    density: Density = "compact"


class Shell(msgspec.Struct, frozen=True, kw_only=True):
    """The context `base.html` expects as `shell`."""

    nav: tuple[NavItem, ...]
    version: str
    environment: str | None = None
    """Name of the environment, shown in the bar and in the title."""
    environment_colour: Literal["grey", "green", "amber", "red", "blue", "violet"] = "grey"
    preferences: Preferences = Preferences()
    user: str | None = None
    stream_path: str | None = "/ui/stream"
    """Where the page listens for changes; None on pages with nothing live, such as errors."""


def read_preferences(cookies: Mapping[str, str]) -> Preferences:
    """Preferences from a request's cookies; a value that is unknown counts as not given."""
    given = {field: cookies.get(f"armillary_{field}") for field in Preferences.__struct_fields__}
    allowed: dict[str, tuple[str, ...]] = {
        "theme": THEMES,
        "palette": tuple(PALETTES),
        "density": DENSITIES,
    }
    return msgspec.convert(
        {field: value for field, value in given.items() if value in allowed[field]}, Preferences
    )
