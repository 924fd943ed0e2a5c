"""Artifacts as clients send them and as they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from armillary.api import Body, OrDefault
from armillary.errors import Invalid
from armillary.names import require_key
from armillary_plugins.artifacts.criteria import ArtifactCriteria, LatestCriteria

ArtifactSort: TypeAlias = Literal["CREATED_DESC", "UPDATED_DESC", "ID_DESC", "KEY_DESC", "KEY_ASC"]
NULL = msgspec.Raw(b"null")
ABSENT = msgspec.Raw(b"")
_LONGEST_KEY = 1000
"""Bytes of a key or a type: both are in indexes, and PostgreSQL limits the rows of those."""
_LONGEST_METADATA = 500


class CreateArtifact(Body):
    """An artifact to make."""

    key: str | None = None
    type: str | None = None
    description: str | None = None
    data: msgspec.Raw = NULL
    metadata_: dict[str, str] | None = None
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None

    def check(self) -> None:
        """Raise Invalid for a key or a type that cannot be one."""
        if self.key is not None:
            require_key(self.key, "artifact")
        for name, text in (("key", self.key), ("type", self.type)):
            if text is not None and len(text.encode()) > _LONGEST_KEY:
                message = f"The artifact's {name} is longer than {_LONGEST_KEY} bytes, the limit."
                raise Invalid(message, loc=("body", name), kind="string_too_long")


class UpdateArtifact(Body):
    """Changes to an artifact; what is absent stays."""

    data: msgspec.Raw = ABSENT
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    metadata_: dict[str, str] | msgspec.UnsetType | None = msgspec.UNSET


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact as answered."""

    id: str
    created: datetime
    updated: datetime
    key: str | None
    type: str | None
    description: str | None
    data: msgspec.Raw
    metadata_: msgspec.Raw
    flow_run_id: str | None
    task_run_id: str | None


class ArtifactCollection(msgspec.Struct, frozen=True, kw_only=True):
    """A collection as answered: its latest artifact under the collection's id."""

    id: str
    created: datetime
    updated: datetime
    key: str
    latest_id: str
    type: str | None
    description: str | None
    data: msgspec.Raw
    metadata_: msgspec.Raw
    flow_run_id: str | None
    task_run_id: str | None


class FilterArtifacts(ArtifactCriteria):
    """Which artifacts to list."""

    sort: OrDefault[ArtifactSort] = "ID_DESC"
    limit: int | None = None
    offset: OrDefault[int] = 0


class FilterLatest(LatestCriteria):
    """Which collections to list."""

    sort: OrDefault[ArtifactSort] = "ID_DESC"
    limit: int | None = None
    offset: OrDefault[int] = 0


def shortened(metadata: Mapping[str, str] | None) -> dict[str, str] | None:
    """Cut values that are too long, and mark them as cut."""
    if metadata is None:
        return None
    return {
        key: value if len(value) <= _LONGEST_METADATA else f"{value[:_LONGEST_METADATA]}..."
        for key, value in metadata.items()
    }
