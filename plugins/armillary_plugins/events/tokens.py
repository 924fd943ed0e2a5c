"""Page tokens: everything the next page needs to know, in one word for an address."""

from __future__ import annotations

import base64
import binascii

import msgspec

from armillary_plugins.events.schemas import EventFilter


class PageToken(msgspec.Struct, frozen=True):
    """A page of a list that was begun: its window stays, so that nothing moves between pages."""

    filter: EventFilter
    since: int
    until: int
    count: int
    page_size: int
    offset: int

    @property
    def next(self) -> PageToken | None:
        """The page after this one, if there is one."""
        offset = self.offset + self.page_size
        if not self.page_size or offset >= self.count:
            return None
        return msgspec.structs.replace(self, offset=offset)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(PageToken).decode
_LARGEST = 2**62


def written(token: PageToken) -> str:
    """Write a token as it travels in an address."""
    return base64.urlsafe_b64encode(_encode(token)).decode()


def read(text: str) -> PageToken | None:
    """Read a token; None for what is none."""
    try:
        token = _decode(base64.b64decode(text, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        return None
    numbers = (token.count, token.page_size, token.offset)
    sound = all(0 <= number <= _LARGEST for number in numbers)
    return token if sound and max(abs(token.since), abs(token.until)) <= _LARGEST else None
