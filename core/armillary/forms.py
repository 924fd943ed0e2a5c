"""What a form of a page was filled in with, as browsers send it without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from armillary.errors import Invalid

MAX_FIELDS = 5000


class Form:
    """Names and values in the order they stood on the page; a name may come more than once."""

    __slots__ = ("fields",)

    def __init__(self, fields: Sequence[tuple[str, str]] = ()) -> None:
        self.fields = tuple(fields)

    @classmethod
    def read(cls, body: bytes) -> Form:
        """Read a body of type ``application/x-www-form-urlencoded``; Invalid for what is none."""
        try:
            text = body.decode("ascii")
            fields = parse_qsl(
                text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
            )
        except ValueError as error:
            message = f"The form cannot be read: {error}."
            raise Invalid(message, kind="form") from error
        if any("\0" in name or "\0" in value for name, value in fields):
            message = "Text must not contain NUL characters (%00)."
            raise Invalid(message, kind="nul")
        return cls([(name, value.replace("\r\n", "\n")) for name, value in fields])

    def get(self, name: str, default: str = "") -> str:
        """Return the last value of a name: a checked box stands behind its hidden "no"."""
        for each, value in reversed(self.fields):
            if each == name:
                return value
        return default

    def every(self, name: str) -> list[str]:
        """Return all values of a name."""
        return [value for each, value in self.fields if each == name]

    def __contains__(self, name: object) -> bool:
        return any(each == name for each, _ in self.fields)
