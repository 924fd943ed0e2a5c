"""Lines out of the bytes a process writes: whole ones, of bounded length, whatever the bytes."""

from __future__ import annotations

import codecs

LONGEST = 16_384
"""Characters of one line at most; a longer one becomes several."""


class Lines:
    """Cuts one stream into lines; what is no UTF-8 is shown as such, and nothing is lost.

    A carriage return ends a line as well: progress bars write nothing else.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._after_return = False

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that end in these bytes."""
        return self._cut(self._decoder.decode(data))

    def end(self) -> list[str]:
        """Return what is left when the stream has ended."""
        lines = self._cut(self._decoder.decode(b"", final=True))
        if self._rest:
            lines.append(self._rest)
            self._rest = ""
        return lines

    def _cut(self, text: str) -> list[str]:
        if not text:
            return []
        if self._after_return and text[0] == "\n":
            text = text[1:]
        self._after_return = text.endswith("\r")
        # NUL is the one character that no database keeps.
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
        *lines, rest = (self._rest + text).split("\n")
        cut: list[str] = []
        for line in lines:
            cut.extend(self._pieces(line))
        while len(rest) > self._longest:
            cut.append(rest[: self._longest])
            rest = rest[self._longest :]
        self._rest = rest
        return cut

    def _pieces(self, line: str) -> list[str]:
        if len(line) <= self._longest:
            return [line]
        return [line[at : at + self._longest] for at in range(0, len(line), self._longest)]
