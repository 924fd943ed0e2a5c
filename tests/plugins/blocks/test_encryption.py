"""The key: made once, kept to oneself, never replaced while something needs it; and rotation."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from armillary.core import Core
from armillary.discovery import discover
from armillary.errors import ConfigError
from armillary.settings import Settings, effective
from armillary_plugins.blocks import key_file
from armillary_plugins.blocks.commands import rotate
from armillary_plugins.blocks.encryption import Cipher, new_key
from armillary_plugins.blocks.json_values import Object
from armillary_plugins.blocks.repository.vault import KeyMissing, Vault, key_path
from tests.plugins.blocks.conftest import Blocks

Json = Any


@pytest.fixture
def database_url(copied_sqlite: str) -> str:
    """One kind does: a key file lies beside a database, or in the home, nothing else differs."""
    return copied_sqlite


def given(core: Core, *keys: str) -> Settings:
    return msgspec.structs.replace(core.settings, encryption_key=keys)


async def tokens(core: Core) -> list[str]:
    rows = await core.database.read(None).all("select data from block_document order by id")
    return [row[0] for row in rows]


async def opened(core: Core, settings: Settings) -> list[Object]:
    vault = Vault(settings)
    return [await vault.opened(core.database.read(1), token) for token in await tokens(core)]


async def close(core: Core, settings: Settings) -> str:
    """Encrypt something as another process would."""
    vault = Vault(settings)
    return await core.database.write(lambda unit: vault.closed(unit, {"a": 1}), workspace=1)


async def test_the_first_document_makes_a_file_that_only_its_owner_reads(
    blocks: Blocks, schema: Json, core: Core
) -> None:
    path = key_path(core.settings)
    assert not path.exists()
    await blocks.document(schema)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir() if ".key" in each.name] == [path.name]
    [key] = key_file.keys_in(path)
    await blocks.document(schema, "other")
    assert key_file.keys_in(path) == [key]


async def test_a_key_that_is_gone_is_not_replaced_while_documents_need_it(
    blocks: Blocks, schema: Json, core: Core
) -> None:
    made = await blocks.document(schema)
    path = key_path(core.settings)
    path.rename(path.with_suffix(".away"))
    for work in (opened, close):
        with pytest.raises(KeyMissing, match=r"armillary\.key is gone.*put it back"):
            await work(core, core.settings)
    assert not path.exists()
    await blocks.delete(f"/block_documents/{made['id']}")
    await close(core, core.settings)
    assert path.exists()


async def test_another_key_is_refused_with_what_to_do(
    blocks: Blocks, schema: Json, core: Core
) -> None:
    await blocks.document(schema)
    key_file.replace(key_path(core.settings), [new_key()])
    for work in (opened, close):
        with pytest.raises(KeyMissing, match="encrypted with another key"):
            await work(core, core.settings)
    with pytest.raises(KeyMissing, match="something else than keys"):
        await close(core, given(core, "nonsense"))
    key_path(core.settings).write_text("")
    with pytest.raises(ConfigError, match="put back the file"):
        await close(core, core.settings)


async def test_what_nobody_can_read_is_answered_with_the_reason_and_can_be_deleted(
    blocks: Blocks, schema: Json, core: Core
) -> None:
    made = await blocks.document(schema)

    async def spoil(unit: Any) -> None:
        await unit.run(
            "update block_document set data = ?", Cipher([new_key()]).encrypt(b"{}", at=0)
        )

    await core.database.write(spoil, workspace=None)
    await core.close()
    assert rotated(core.settings)[:2] == [
        "1 blocks, 0 of them encrypted anew",
        "1 of them cannot be decrypted by any key and stay as they are",
    ]
    await core.database.open()
    answer = await blocks.get(f"/block_documents/{made['id']}", status=500)
    assert "cannot be decrypted" in answer["detail"]
    await blocks.delete(f"/block_documents/{made['id']}")


async def test_a_key_from_the_settings_makes_no_file_and_is_not_shown(core: Core) -> None:
    settings = given(core, new_key())
    await close(core, settings)
    assert not key_path(settings).exists()
    shown = {name: value for name, value, _ in effective(settings)}
    assert shown["encryption_key"] == "********"


async def test_rotation_encrypts_everything_under_a_new_key(
    blocks: Blocks, schema: Json, core: Core
) -> None:
    for name in ("a", "b"):
        await blocks.document(schema, name)
    path, before, held = key_path(core.settings), await tokens(core), await opened_all(core)
    [old] = key_file.keys_in(path)
    await core.close()
    lines = rotated(core.settings)
    await core.database.open()
    assert lines[0] == "2 blocks, 2 of them encrypted anew"
    [key] = key_file.keys_in(path)
    assert key != old
    assert not set(before) & set(await tokens(core))
    assert await opened_all(core) == held
    with pytest.raises(KeyMissing):
        await opened(core, without_file(core, old))


async def opened_all(core: Core) -> list[Object]:
    return await opened(core, core.settings)


def without_file(core: Core, *keys: str) -> Settings:
    """Settings with only these keys."""
    key_path(core.settings).unlink()
    return given(core, *keys)


def rotated(settings: Settings) -> list[str]:
    """The command runs a loop of its own, as it does in a process of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(rotate, settings, discover()).result()


async def test_a_rotation_that_was_broken_off_is_begun_again(
    blocks: Blocks, schema: Json, core: Core
) -> None:
    for name in ("a", "b"):
        await blocks.document(schema, name)
    path = key_path(core.settings)
    [old] = key_file.keys_in(path)
    key_file.replace(path, [new_key(), old])
    held = await opened_all(core)
    await close(core, core.settings)
    await core.close()
    lines = rotated(core.settings)
    await core.database.open()
    assert lines[0] == "2 blocks, 2 of them encrypted anew"
    assert len(key_file.keys_in(path)) == 1
    assert await opened_all(core) == held


async def test_given_keys_are_rotated_to_the_first(
    blocks: Blocks, schema: Json, core: Core
) -> None:
    await blocks.document(schema)
    held, key = await opened_all(core), new_key()
    await core.close()
    assert rotated(given(core, key))[0] == "1 blocks, 1 of them encrypted anew"
    assert rotated(given(core, key))[0] == "1 blocks, 0 of them encrypted anew"
    other = without_file(core, new_key())
    with pytest.raises(KeyMissing, match="encrypted with another key"):
        rotated(other)
    with pytest.raises(KeyMissing, match="is gone"):
        rotated(core.settings)
    assert not key_path(core.settings).exists()
    with pytest.raises(KeyMissing, match="something else than keys"):
        rotated(given(core, "nonsense"))
    await core.database.open()
    assert await opened(core, given(core, key)) == held


def test_where_nothing_was_ever_kept_nothing_is_rotated(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert rotate(settings, discover()) == ["there is nothing to encrypt yet"]
