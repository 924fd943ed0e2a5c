"""Writes what is known of the SDK's own block types anew; run by the Python that has the SDK.

    .venv-prefect/bin/python packaging/block_types.py

What there is and what it looks like comes from the SDK: a checksum over every word of a schema is
how client and server agree on it.  The sentence that describes a type is ours and stays.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import prefect.blocks.notifications  # type: ignore[import-not-found] # only the SDK's Python has it
import prefect.blocks.system  # type: ignore[import-not-found]
import prefect.blocks.webhook  # type: ignore[import-not-found]
import prefect.filesystems  # type: ignore[import-not-found]  # noqa: F401 - registers its types
from prefect.blocks.core import Block  # type: ignore[import-not-found]
from prefect.utilities.dispatch import (  # type: ignore[import-not-found]
    get_registry_for_type,
)

FOLDER = Path(__file__).parents[1] / "plugins/armillary_plugins/blocks/system_types"
PROTECTED = ("local-file-system", "secret", "webhook")
"""Those the SDK cannot do without: its server lets nobody delete them."""


def described(block: Any, description: str) -> dict[str, Any]:
    """Say what a block type is."""
    known = block._to_block_type()  # noqa: SLF001 - as the SDK registers it
    schema = block._to_block_schema(block_type_id=None)  # noqa: SLF001 - the same
    return {
        "name": known.name,
        "slug": known.slug,
        "description": description,
        "logo_url": str(known.logo_url),
        "documentation_url": str(known.documentation_url),
        "module": block.__module__,
        "class_name": block.__name__,
        "protected": known.slug in PROTECTED,
        "checksum": schema.checksum,
        "version": schema.version,
        "capabilities": sorted(schema.capabilities),
        "fields": schema.fields,
    }


def main() -> None:
    """Write a file for each type, and remove those of types that are gone."""
    blocks = get_registry_for_type(Block) or {}
    for path in FOLDER.glob("*.json"):
        if path.stem not in blocks:
            path.unlink()
    for slug, block in blocks.items():
        path = FOLDER / f"{slug}.json"
        written = json.loads(path.read_text()) if path.exists() else {}
        entry = described(block, written.get("description", ""))
        path.write_text(json.dumps(entry, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
