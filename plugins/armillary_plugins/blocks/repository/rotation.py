"""Encrypts every document anew under the first key."""

from __future__ import annotations

from functools import partial

import msgspec

from armillary.db.database import Database
from armillary.db.unit import Unit
from armillary_plugins.blocks.encryption import Cipher
from armillary_plugins.blocks.repository import keys as stored

_AT_A_TIME = 200


class Rotated(msgspec.Struct, frozen=True):
    """How many documents there are, and how many of them another key had encrypted."""

    documents: int
    changed: int


async def rotate(database: Database, cipher: Cipher) -> Rotated:
    """Encrypt whatever the first key does not open with that one; Undecipherable if none does.

    It may be broken off at any moment and begun again.
    """
    reader = database.read(None)
    documents, changed, after = 0, 0, ""
    while rows := await stored.next_tokens(reader, after, limit=_AT_A_TIME):
        documents, after = documents + len(rows), rows[-1][0]
        old = [(row[0], row[1]) for row in rows if not cipher.is_current(row[1])]
        if old:
            await database.write(partial(_replace, cipher=cipher, old=old), workspace=None)
            changed += len(old)
    token = await stored.key_token(reader)
    if token is not None and not cipher.is_current(token):
        await database.write(lambda unit: _known_anew(unit, cipher, token), workspace=None)
    return Rotated(documents, changed)


async def _replace(unit: Unit, *, cipher: Cipher, old: list[tuple[str, str]]) -> None:
    for document_id, token in old:
        new = cipher.encrypt(cipher.decrypt(token), at=unit.micros)
        await stored.replace_token(unit, document_id, token, new)


async def _known_anew(unit: Unit, cipher: Cipher, token: str) -> None:
    new = cipher.encrypt(cipher.decrypt(token), at=unit.micros)
    await stored.set_key_token(unit, new, old=token)
