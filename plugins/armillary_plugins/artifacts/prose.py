"""Text in Markdown from strangers, as HTML that does nothing but stand there.

HTML in it is shown as text, links lead only where browsers ask before they do more than that, and
pictures are links: the pages fetch nothing from elsewhere.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape

_HIGHEST = 4
"""The level of headings of the page that the text's own stand below."""
_REL = "noopener noreferrer nofollow"


def _heading(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    _: MutableMapping[str, Any],
) -> str:
    token = tokens[index]
    level = min(int(token.tag[1:]) + _HIGHEST - 1, 6)
    return renderer.renderToken([token.copy(tag=f"h{level}")], 0, options, {})


def _link(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    _: MutableMapping[str, Any],
) -> str:
    token = tokens[index].copy()
    token.attrs = {**token.attrs, "rel": _REL}
    return renderer.renderToken([token], 0, options, {})


def _picture(
    _: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    __: OptionsDict,
    ___: MutableMapping[str, Any],
) -> str:
    source = str(tokens[index].attrs.get("src", ""))
    return link(source, tokens[index].content or source)


def _made() -> MarkdownIt:
    made = MarkdownIt("js-default", {"html": False, "linkify": False})
    made.add_render_rule("heading_open", _heading)
    made.add_render_rule("heading_close", _heading)
    made.add_render_rule("link_open", _link)
    made.add_render_rule("image", _picture)
    return made


_MARKDOWN = _made()


def markdown(text: str) -> Markup:
    """Render Markdown."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704 - it escapes everything it does not make


def link(address: str, text: str) -> Markup:
    """Make a link of an address, or text where it is none that a browser may go to."""
    if not address.startswith(("https://", "http://")):
        return escape(text)
    return Markup('<a href="{}" rel="{}">{}</a>').format(address, _REL, text)
