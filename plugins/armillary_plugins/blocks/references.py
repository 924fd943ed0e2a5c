"""Documents within documents: which are referred to, and what the whole looks like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

import msgspec

from armillary.errors import Refused
from armillary_plugins.blocks.json_values import Json, Object
from armillary_plugins.blocks.schemas import BlockType

DEEPEST = 50
"""Documents within each other."""
MOST = 1000
"""Documents shown within one; where many refer to the same, it is shown as often."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A document by itself: its data without those it refers to."""

    id: str
    name: str
    block_type: BlockType
    is_anonymous: bool
    data: Object


class Edge(msgspec.Struct, frozen=True):
    """One document has another as a member."""

    parent: str
    name: str
    child: str


def separated(data: Object) -> tuple[Object, dict[str, str]]:
    """Part data into what is kept and the ids of documents that are referred to, by member.

    Refused (400) for a reference that names no document.
    """
    kept: Object = {}
    referred: dict[str, str] = {}
    for name, value in data.items():
        if isinstance(value, dict) and "$ref" in value:
            referred[name] = _document_id(name, value["$ref"])
        else:
            kept[name] = value
    return kept, referred


def _document_id(name: str, reference: Json) -> str:
    found = reference.get("block_document_id") if isinstance(reference, dict) else None
    if found is None:
        raise Refused(400, f"Received block reference without a block_document_id in key {name}")
    try:
        return str(UUID(found))
    except (AttributeError, TypeError, ValueError) as error:
        raise Refused(
            400, f"The block reference in key {name} names no document: {found!r} is no UUID."
        ) from error


class Family:
    """Documents and all they refer to."""

    def __init__(self, parts: Mapping[str, Part], edges: Iterable[Edge]) -> None:
        self._parts = parts
        self._below: dict[str, list[Edge]] = {}
        for edge in edges:
            if edge.child in parts:
                self._below.setdefault(edge.parent, []).append(edge)

    def whole(self, document_id: str) -> tuple[Object, dict[str, dict[str, Any]]]:
        """The data of a document with those it refers to in it, and which those are."""
        return self._whole(document_id, iter(range(MOST)), 0)

    def _whole(
        self, document_id: str, room: Iterator[int], depth: int
    ) -> tuple[Object, dict[str, dict[str, Any]]]:
        if depth > DEEPEST or next(room, None) is None:
            raise Refused(
                400,
                f"Block document {document_id} cannot be shown inside of another: at most {MOST} "
                f"may be within one document, and {DEEPEST} within each other.",
            )
        data = dict(self._parts[document_id].data)
        references: dict[str, dict[str, Any]] = {}
        for edge in self._below.get(document_id, ()):
            child = self._parts[edge.child]
            data[edge.name], theirs = self._whole(child.id, room, depth + 1)
            references[edge.name] = {
                "block_document": {
                    "id": child.id,
                    "name": child.name,
                    "block_type": child.block_type,
                    "is_anonymous": child.is_anonymous,
                    "block_document_references": theirs,
                }
            }
        return data, references
