"""What a plugin adds to the pages; it is declared here so that no plugin need import another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from armillary_web.shell import NavItem

if TYPE_CHECKING:
    from armillary.api import Call
    from armillary.forms import Form


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a form: the browser goes on, or its page is shown again."""

    location: str | None = None
    """Where the browser goes on to, without the base path."""
    context: Mapping[str, Any] = {}
    """Else what the template is given, besides `shell`."""
    wrong: bool = False
    """Whether what was sent does not do."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page that is made by reading something and rendering it."""

    path: str
    """Where it is, without the base path: `/hello`."""
    scope: str | None
    """What whoever asks must be allowed to."""
    template: str
    """Its template, as `<plugin>/<file>`; it extends `base.html`."""
    read: Callable[[Call], Awaitable[Mapping[str, Any]]]
    """Reads what the template is given, besides `shell`."""
    submit: Callable[[Call, Form], Awaitable[Sent]] | None = None
    """Takes what the page's form sends: a POST to its own path, with the same scope."""
    section: str | None = None
    """The entry of the navigation it belongs to; by default the one with its own path."""


class RunCard(msgspec.Struct, frozen=True, kw_only=True):
    """What a plugin adds to the page of a flow run, where it has something to show."""

    title: str
    """What it is called, on the card and in the list of what is on the page."""
    id: str
    """The id of the card, which nothing else on the page has."""
    scope: str
    """What whoever asks must be allowed to; others do not see it."""
    template: str
    """Its template, as `<plugin>/<file>`."""
    read: Callable[[Call, str], Awaitable[Mapping[str, Any] | None]]
    """Reads what the template is given as `shown`, for the run of an id; None for no card."""


class Pages(msgspec.Struct, frozen=True, kw_only=True):
    """What a plugin adds: its templates, pages, and places in the navigation.

    Pages that do more than read and render are routes: `Routes(tag="Pages", mount="")`.
    """

    templates: Path | None = None
    """A folder of templates; they are known as `<plugin>/<file>`."""
    pages: tuple[Page, ...] = ()
    """Its pages."""
    nav: tuple[NavItem, ...] = ()
    """Its entries in the navigation."""
    run_cards: tuple[RunCard, ...] = ()
    """Its cards on the page of a flow run."""
    edits_deployment: Callable[[str, str | None, str], bool] | None = None
    """Whether a deployment of this id, entrypoint and job variables (JSON text) is its own."""
    edit_path: str = ""
    """Where it is edited then; the id follows."""
    new_path: str | None = None
    """Where a new deployment is made."""
    new_text: str = ""
    """What the link there says."""
