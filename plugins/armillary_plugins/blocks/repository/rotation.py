"""Encrypts every document anew under the first key."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from armillary.db.database import Database
from armillary.db.unit import Unit
from armillary_plugins.blocks.encryption import Cipher, Undecipherable
from armillary_plugins.blocks.repository import keys as stored

_AT_A_TIME = 200


class Rotated(msgspec.Struct, frozen=True):
    """How many documents there are, how many are encrypted anew, and how many no key opens."""

    documents: int
    changed: int
    lost: int


async def rotate(database: Database, cipher: Cipher) -> Rotated:
    """Encrypt whatever the first key does not open with that one.

    It may be broken off at any moment and begun again.
    """
    reader = database.read(None)
    documents, changed, lost, after = 0, 0, 0, ""
    while rows := await stored.next_tokens(reader, after, limit=_AT_A_TIME):
        documents, after = documents + len(rows), rows[-1][0]
        old = {row[0]: row[1] for row in rows if not cipher.is_current(row[1])}
        texts = {each: _opened(cipher, token) for each, token in old.items()}
        found = [(each, old[each], text) for each, text in texts.items() if text is not None]
        if found:
            await database.write(partial(_replace, cipher=cipher, found=found), workspace=None)
        changed, lost = changed + len(found), lost + len(old) - len(found)
    token = await stored.key_token(reader)
    if token is not None and not cipher.is_current(token):
        await database.write(partial(_known_anew, cipher=cipher, token=token), workspace=None)
    return Rotated(documents, changed, lost)


def _opened(cipher: Cipher, token: str) -> bytes | None:
    try:
        return cipher.decrypt(token)
    except Undecipherable:
        return None


async def _replace(unit: Unit, *, cipher: Cipher, found: Sequence[tuple[str, str, bytes]]) -> None:
    for document_id, token, text in found:
        new = cipher.encrypt(text, at=unit.micros)
        await stored.replace_token(unit, document_id, token, new)


async def _known_anew(unit: Unit, *, cipher: Cipher, token: str) -> None:
    new = cipher.encrypt(cipher.decrypt(token), at=unit.micros)
    await stored.set_key_token(unit, new, old=token)
