"""What forms of pages do: where the browser goes afterwards, and two steps for what is final."""

from __future__ import annotations

from urllib.parse import urlsplit

from armillary.api import Answer, Call
from armillary.forms import Form
from armillary_plugins.ui.site import site_of

BACK, CONFIRM = "back", "confirm"


def see_other(call: Call, path: str) -> Answer:
    """Send the browser on after a form: to a path on this site, to be read anew."""
    return Answer(b"", 303, headers={"location": site_of(call.core).base_path + path})


def back_path(form: Form, default: str) -> str:
    """Where a form was sent from, as it says itself; never beyond this site."""
    path = form.get(BACK)
    try:
        parts = urlsplit(path)
    except ValueError:
        return default
    inside = path.startswith("/") and not path.startswith("//") and "\\" not in path
    plain = path.isascii() and path.isprintable()
    return path if inside and plain and not (parts.scheme or parts.netloc) else default


def confirmed(form: Form) -> bool:
    """Whether the second step was taken."""
    return form.get(CONFIRM) == "yes"
