"""What htmx asks and is told: page or fragment, and where the browser goes next.

Only `HX-Request` is read: each fragment has an address of its own, so that the later major
version of htmx, which renamed the other request headers, needs no change here.
"""

from collections.abc import Mapping

VARY: Mapping[str, str] = {"vary": "HX-Request"}
"""Sent with every answer that may be a page or a fragment, or a cache would mix them up."""


def is_fragment(headers: Mapping[str, str]) -> bool:
    """Whether a fragment is asked for; `headers` has lower-case names or ignores case."""
    return headers.get("hx-request", "").lower() == "true"


def push_url(url: str) -> dict[str, str]:
    """Puts another address into the address bar, with an entry in the history."""
    return {"HX-Push-Url": url}


def replace_url(url: str) -> dict[str, str]:
    """Puts another address into the address bar in place of the present one."""
    return {"HX-Replace-Url": url}


def redirect(url: str, *, fragment: bool) -> tuple[int, dict[str, str]]:
    """Status and headers that take the browser to another page.

    The browser follows a 303 by itself inside a fragment request and would put the whole page
    where the fragment belongs; htmx is told by a header in place of it.
    """
    return (204, {"HX-Redirect": url}) if fragment else (303, {"Location": url})
