"""What a plugin adds to the pages; it is declared here so that no plugin need import another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from armillary_web.shell import NavItem

if TYPE_CHECKING:
    from armillary.api import Call
    from armillary.forms import Form


class TwinPaths(msgspec.Struct, frozen=True, kw_only=True):
    """Where the same list is for programs."""

    json_path: str
    csv_path: str


def twin_paths(path: str) -> TwinPaths:
    """Where the twins of a list page are; the path may have a query."""
    page, mark, query = path.partition("?")
    return TwinPaths(
        json_path=f"{page}.json{mark}{query}",
        csv_path=f"{page}.csv{mark}{query}",
    )


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked before something that cannot be undone."""

    title: str
    consequence: str
    word: str
    """On the button that does it."""
    action_path: str
    back_path: str


class Listed(msgspec.Struct, frozen=True):
    """A page of a list, and the address that shows it again."""

    page: Any
    """What the templates are given as ``page``."""
    path: str


class Twin(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a list for programs, and where the list goes on."""

    kind: type[msgspec.Struct]
    """What the rows are; its members are the columns."""
    rows: Sequence[msgspec.Struct]
    next_path: str | None = None
    """The page's address of the next part: `/runs?before=...`; None when this was the last."""


class ListPage(msgspec.Struct, frozen=True, kw_only=True):
    """A list: its page, the part of it that changes, and the same rows for programs."""

    path: str
    """Where it is, without the base path: `/moons`; `/moons.json` and `/moons.csv` are beside."""
    scope: str
    template: str
    """`<plugin>/<name>`, without the ending; `<plugin>/_<name>` is the part that changes."""
    read: Callable[[Call], Awaitable[Listed]]
    """Reads what the call's query asks for: the templates have it as `page`, and `now`."""
    twin: Callable[[Call, int], Awaitable[Twin]]
    """Reads the rows for programs, at most so many."""
    twin_path: str | None = None
    """Where those are, if not beside the page."""
    section: str | None = None
    """The entry of the navigation it belongs to; by default the one with its own path."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What a form of one button does; the browser then goes on, or back to where it was."""

    path: str
    scope: str
    act: Callable[[Call, Form], Awaitable[str]]
    """Does it, and says where the browser goes on if the form does not say `back`."""
    ask: Callable[[Call], Awaitable[Question]] | None = None
    """Says what is asked first, by a page where no script has; None where nothing need be."""
    section: str | None = None
    """The entry of the navigation which that page belongs to."""


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
    """Takes what the page's form sends: a POST to its own path."""
    submit_scope: str | None = None
    """What whoever sends it must be allowed to; by default the same as whoever sees it."""
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
    """What a plugin adds: its templates, pages, lists, and places in the navigation.

    Pages that do more than that are routes: `Routes(tag="Pages", mount="")`.
    """

    templates: Path | None = None
    """A folder of templates; they are known as `<plugin>/<file>`."""
    pages: tuple[Page, ...] = ()
    """Its pages."""
    lists: tuple[ListPage, ...] = ()
    """Its lists."""
    actions: tuple[Action, ...] = ()
    """What buttons on its pages do."""
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
