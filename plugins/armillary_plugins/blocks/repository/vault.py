"""Which keys encrypt here, and that they are those the stored documents need."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from armillary.db.engine import file_of
from armillary.db.unit import Reader, Unit
from armillary.errors import ConfigError
from armillary_plugins.blocks import key_file
from armillary_plugins.blocks.encryption import Cipher, Undecipherable, UnusableKey
from armillary_plugins.blocks.json_values import Object, object_of, text_of
from armillary_plugins.blocks.repository import keys as stored

if TYPE_CHECKING:
    from armillary import Core
    from armillary.settings import Settings

KNOWN = b"armillary"
"""What the token in the database says to those who have the key."""


class KeyMissing(ConfigError):
    """The keys at hand do not open what is stored: nothing is read, nothing written."""


class Vault:
    """Opens and closes documents; the key is looked for when the first one is."""

    def __init__(self, settings: Settings) -> None:
        self._given = settings.encryption_key
        self.path = key_path(settings)
        self._cipher: Cipher | None = None

    async def opened(self, reader: Reader, token: str) -> Object:
        """Decrypt what a document holds."""
        if self._cipher is None:
            self._cipher = await self._checked(reader)
        try:
            return object_of(self._cipher.decrypt(token), "data")
        except Undecipherable as error:
            raise KeyMissing(
                "A block document cannot be decrypted with the key in use: it was encrypted with "
                f"another one, or damaged. Add its key to {self._place}."
            ) from error

    async def closed(self, unit: Unit, data: Object) -> str:
        """Encrypt what a document is to hold; the first one ever makes the key."""
        cipher = self._cipher or await self._established(unit)
        return cipher.encrypt(text_of(data).encode(), at=unit.micros)

    @property
    def _place(self) -> str:
        return "ARMILLARY_ENCRYPTION_KEY" if self._given else f"the key file {self.path}"

    def keys(self) -> list[str]:
        """The keys at hand: those given, then those of the file."""
        return [*self._given, *key_file.keys_in(self.path)]

    async def unlocks(self, reader: Reader) -> bool:
        """Tell whether anything is encrypted; KeyMissing unless the keys at hand open it."""
        token = await stored.key_token(reader)
        if token is not None:
            self._opening(token)
        return token is not None

    async def _established(self, unit: Unit) -> Cipher:
        token = await stored.key_token(unit)
        if token is None or not await stored.documents_exist(unit):
            first = _cipher(self.keys() or key_file.made(self.path))
            await stored.set_key_token(unit, first.encrypt(KNOWN, at=unit.micros), old=token)
            token = await stored.key_token(unit)
        cipher = self._opening(token)
        unit.after_commit(lambda: setattr(self, "_cipher", cipher))
        return cipher

    async def _checked(self, reader: Reader) -> Cipher:
        return self._opening(await stored.key_token(reader))

    def _opening(self, token: str | None) -> Cipher:
        """The cipher of the keys at hand; KeyMissing unless it opens what is stored."""
        keys = self.keys()
        if not keys:
            raise KeyMissing(
                f"The key file {self.path} is gone, and stored blocks need it: put it back, or "
                "give its key in ARMILLARY_ENCRYPTION_KEY. No other key is made in its place."
            )
        cipher = _cipher(keys)
        try:
            if token is not None:
                cipher.decrypt(token)
        except Undecipherable as error:
            raise KeyMissing(
                f"The stored blocks were encrypted with another key than the one in {self._place}: "
                "put that one back, or add it (ARMILLARY_ENCRYPTION_KEY takes several, with commas "
                "between them). Servers of one database need the same key."
            ) from error
        return cipher


def _cipher(keys: Sequence[str]) -> Cipher:
    try:
        return Cipher(keys)
    except UnusableKey as error:
        raise KeyMissing(
            "ARMILLARY_ENCRYPTION_KEY holds something else than keys, which are 32 bytes in "
            "URL-safe base64: `armillary blocks key` prints a new one."
        ) from error


def key_path(settings: Settings) -> Path:
    """Where the key file is: beside the database, or in the home where that is elsewhere."""
    file = file_of(settings.database_url)
    return (file or settings.home / "armillary.db").with_suffix(".key")


_VAULTS: WeakKeyDictionary[Core, Vault] = WeakKeyDictionary()


def vault_of(core: Core) -> Vault:
    """Return the one vault of a core."""
    found = _VAULTS.get(core)
    if found is None:
        found = _VAULTS[core] = Vault(core.settings)
    return found
