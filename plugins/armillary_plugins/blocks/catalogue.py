"""The block types that are part of the SDK: one JSON file each, written from the SDK itself."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import Any

import msgspec


class SystemType(msgspec.Struct, frozen=True, kw_only=True):
    """A block type with its one schema, as its file describes it."""

    name: str
    slug: str
    description: str
    logo_url: str
    documentation_url: str
    module: str
    class_name: str
    protected: bool
    checksum: str
    version: str
    capabilities: list[str]
    fields: dict[str, Any]

    @property
    def code_example(self) -> str:
        """How to use a document of the type."""
        return (
            f"```python\nfrom {self.module} import {self.class_name}\n\n"
            f'block = {self.class_name}.load("BLOCK_NAME")\n```'
        )


class Catalogue(msgspec.Struct, frozen=True):
    """All of them, and a text that is another as soon as one of them is."""

    types: tuple[SystemType, ...]
    digest: str


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The types that ship with Armillary, by slug."""
    folder = files("armillary_plugins.blocks") / "system_types"
    paths = sorted(folder.iterdir(), key=lambda path: path.name)
    contents = [path.read_bytes() for path in paths if path.name.endswith(".json")]
    types = tuple(msgspec.json.decode(content, type=SystemType) for content in contents)
    return Catalogue(types, hashlib.sha256(b"\0".join(contents)).hexdigest())
