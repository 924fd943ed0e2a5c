"""Encrypts what is kept: Fernet, which also tells when a text was tampered with.

Loads cryptography when a cipher is made, which is when the first document is kept or read.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class UnusableKey(ValueError):
    """A text that is no key: 32 bytes in URL-safe base64."""


class Undecipherable(ValueError):
    """A text that none of the keys opens."""


class Cipher:
    """Encrypts with the first of some keys and decrypts with any of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [_fernet(key) for key in keys]

    def encrypt(self, text: bytes, *, at: int) -> str:
        """Encrypt; ``at`` is the time, in microseconds, that a token bears."""
        return self._keys[0].encrypt_at_time(text, at // 1_000_000).decode()

    def decrypt(self, token: str) -> bytes:
        """Decrypt; Undecipherable without the key, or where the token is damaged."""
        for key in self._keys:
            text = _opened(key, token)
            if text is not None:
                return text
        raise Undecipherable

    def is_current(self, token: str) -> bool:
        """Tell whether the first key opens a token."""
        return _opened(self._keys[0], token) is not None


def new_key() -> str:
    """Make a key."""
    from cryptography.fernet import Fernet  # noqa: PLC0415 - loaded where it is used

    return Fernet.generate_key().decode()


def is_key(text: str) -> bool:
    """Tell whether a text is a key."""
    try:
        _fernet(text)
    except UnusableKey:
        return False
    return True


@lru_cache(maxsize=8)
def _fernet(key: str) -> Fernet:
    from cryptography.fernet import Fernet  # noqa: PLC0415 - the same

    try:
        return Fernet(key.encode())
    except ValueError as error:
        raise UnusableKey from error


def _opened(key: Fernet, token: str) -> bytes | None:
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 - the same

    try:
        return key.decrypt(token)
    except InvalidToken:
        return None
