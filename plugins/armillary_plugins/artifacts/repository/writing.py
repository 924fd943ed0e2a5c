"""Everything that changes artifacts and their collections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from armillary.clock import from_micros
from armillary.db.filters import json_list
from armillary.db.unit import Unit
from armillary.errors import NotFound
from armillary.ids import Ids
from armillary_plugins.artifacts.events import announce
from armillary_plugins.artifacts.repository.reading import COLUMNS, artifact_from_row, raw
from armillary_plugins.artifacts.schemas import (
    Artifact,
    CreateArtifact,
    UpdateArtifact,
    shortened,
)

if TYPE_CHECKING:
    from armillary.core import Core

_INSERT = """
insert into artifact (id, workspace, created, updated, key, type, description, data, metadata,
  flow_run_id, task_run_id)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_COLLECT = """
insert into artifact_collection (id, workspace, created, updated, key, latest_id)
values (?, ?, ?, ?, ?, ?)
on conflict (workspace, key) do update set latest_id = excluded.latest_id,
  updated = excluded.updated
"""
_COLLECTION = "select id from artifact_collection where workspace = ? and key = ?"
_TOUCH = "update artifact_collection set updated = ? where latest_id = ? and workspace = ?"
_DELETE = "delete from artifact where id = ? and workspace = ?"
_LATEST = f"""
select r.id, {COLUMNS} from artifact_collection r join artifact a on a.id = r.latest_id
where r.latest_id {{in_list}} and {{no_index}}r.workspace = ? {{lock_r}}
"""
BEFORE = f"""
select {COLUMNS} from artifact a
where a.workspace = ? and a.key = ? and a.id not {{in_list}} order by a.id desc limit 1
"""
_POINT = "update artifact_collection set latest_id = ?, created = ?, updated = ? where id = ?"
_DISSOLVE = "delete from artifact_collection where id = ?"
_encode = msgspec.json.Encoder().encode


async def create_artifact(unit: Unit, ids: Ids, new: CreateArtifact) -> Artifact:
    """Create an artifact, which becomes the latest of its key."""
    moment = from_micros(unit.micros)
    made = Artifact(
        id=ids.uuid7(),
        created=moment,
        updated=moment,
        key=new.key,
        type=new.type,
        description=new.description,
        data=new.data,
        metadata_=raw(_metadata(new.metadata_)),
        flow_run_id=_id(new.flow_run_id),
        task_run_id=_id(new.task_run_id),
    )
    await unit.run(
        _INSERT, made.id, unit.workspace, unit.micros, unit.micros, made.key, made.type,
        made.description, _text(new.data), _metadata(new.metadata_), made.flow_run_id,
        made.task_run_id,
    )  # fmt: skip
    if made.key is not None:
        await _collect(unit, ids, made, made.key)
    return made


async def _collect(unit: Unit, ids: Ids, made: Artifact, key: str) -> None:
    new_id = ids.uuid7()
    await unit.run(_COLLECT, new_id, unit.workspace, unit.micros, unit.micros, key, made.id)
    collection_id = await unit.value(_COLLECTION, unit.workspace, key)
    verb = "created" if collection_id == new_id else "updated"
    announce(unit, ids, verb, collection_id=collection_id, latest=made)


async def update_artifact(unit: Unit, artifact_id: str, changes: UpdateArtifact) -> None:
    """Change what is given; NotFound without the artifact."""
    given: dict[str, object] = {"updated": unit.micros}
    if bytes(changes.data):
        given["data"] = _text(changes.data)
    if changes.description is not msgspec.UNSET:
        given["description"] = changes.description
    if changes.metadata_ is not msgspec.UNSET:
        given["metadata"] = _metadata(changes.metadata_)
    sets = ", ".join(f"{column} = ?" for column in given)
    changed = await unit.run(
        f"update artifact set {sets} where id = ? and workspace = ?",
        *given.values(),
        artifact_id,
        unit.workspace,
    )
    if not changed:
        raise NotFound("Artifact not found.")
    await unit.run(_TOUCH, unit.micros, artifact_id, unit.workspace)


async def delete_artifact(unit: Unit, ids: Ids, artifact_id: str) -> bool:
    """Delete an artifact; what was before it becomes the latest.  False without the artifact."""
    await _give_up(unit, ids, [artifact_id])
    return bool(await unit.run(_DELETE, artifact_id, unit.workspace))


async def release_artifacts(core: Core, unit: Unit, artifact_ids: Sequence[str]) -> None:
    """Let collections whose latest are about to be deleted have others, or go."""
    await _give_up(unit, core.ids, artifact_ids)


async def _give_up(unit: Unit, ids: Ids, artifact_ids: Sequence[str]) -> None:
    gone = json_list(artifact_ids)
    for row in await unit.all(_LATEST, gone, unit.workspace):
        collection_id, latest = row[0], artifact_from_row(row[1:])
        before = await unit.one(BEFORE, unit.workspace, latest.key, gone)
        if before is None:
            await unit.run(_DISSOLVE, collection_id)
            announce(unit, ids, "deleted", collection_id=collection_id, latest=latest)
        else:
            await unit.run(_POINT, before[0], before[1], before[2], collection_id)
            latest = artifact_from_row(before)
            announce(unit, ids, "updated", collection_id=collection_id, latest=latest)


def _id(given: UUID | None) -> str | None:
    return None if given is None else str(given)


def _metadata(metadata: dict[str, str] | None) -> str | None:
    return None if metadata is None else _encode(shortened(metadata)).decode()


def _text(data: msgspec.Raw) -> str | None:
    text = bytes(data).decode()
    return None if text == "null" else text
