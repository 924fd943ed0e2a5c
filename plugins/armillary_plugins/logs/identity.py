"""The id of a log line, made of when it arrived and its key, so that none need be stored.

Layout after RFC 9562, 5.8: 48 bits of milliseconds, version 8, variant, the key.
"""

from __future__ import annotations

_KEY = (1 << 62) - 1


def log_id(created: int, key: int) -> str:
    """Return the id, in canonical form, of the line with this key; ``created`` in microseconds."""
    milliseconds = (created // 1000) & 0xFFFFFFFFFFFF
    text = f"{milliseconds << 80 | 0x8 << 76 | 0b10 << 62 | key & _KEY:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
