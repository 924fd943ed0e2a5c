"""What the database knows of the key: a known text encrypted with it."""

from __future__ import annotations

from collections.abc import Sequence

from armillary.db.unit import Reader, Row, Unit

_CHECK = "check"
_READ = "select token from block_key where name = ?"
_FIRST = """
insert into block_key (name, created, token) values (?, ?, ?) on conflict (name) do nothing
"""
_CHANGE = "update block_key set token = ?, created = ? where name = ? and token = ?"
_ANY = "select 1 from block_document limit 1"
_NEXT = "select id, data from block_document where id > ? order by id limit ?"
_REPLACE = "update block_document set data = ? where id = ? and data = ?"


async def key_token(reader: Reader) -> str | None:
    """Read the known text as it is encrypted; None before the first document."""
    return await reader.value(_READ, _CHECK)  # type: ignore[no-any-return]


async def set_key_token(unit: Unit, token: str, *, old: str | None) -> None:
    """Keep the known text as another key encrypts it, unless somebody else did meanwhile."""
    if old is None:
        await unit.run(_FIRST, _CHECK, unit.micros, token)
    else:
        await unit.run(_CHANGE, token, unit.micros, _CHECK, old)


async def documents_exist(reader: Reader) -> bool:
    """Tell whether there is anything a key is needed for."""
    return await reader.one(_ANY) is not None


async def next_tokens(reader: Reader, after: str, *, limit: int) -> Sequence[Row]:
    """List documents behind an id, of every workspace: id and what is encrypted."""
    return await reader.all(_NEXT, after, limit)


async def replace_token(unit: Unit, document_id: str, old: str, new: str) -> None:
    """Put another token in the place of one, unless it was changed meanwhile."""
    await unit.run(_REPLACE, new, document_id, old)
