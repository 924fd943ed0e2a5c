"""The artifacts on the page of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from armillary.api import Call
from armillary.clock import from_micros
from armillary_plugins.artifacts.repository.reading import page_artifacts
from armillary_plugins.artifacts.shaping import Prose, shown
from armillary_web.pages import Pages, RunCard

_SHOWN = 20
_LONGEST = 50_000
"""Characters of data that are shown."""


async def _read(call: Call, run_id: str) -> Mapping[str, Any] | None:
    rows = await page_artifacts(call.read(), run_id, limit=_SHOWN + 1, longest=_LONGEST)
    if not rows:
        return None
    prose = Prose()
    return {
        "artifacts": [shown(row, prose) for row in rows[:_SHOWN]],
        "more": len(rows) > _SHOWN,
        "now": from_micros(call.received),
    }


PAGES = Pages(
    templates=Path(__file__).parent / "templates",
    run_cards=(
        RunCard(
            title="Artifacts",
            id="artifacts",
            scope="see_artifacts",
            template="artifacts/_of_run.html",
            read=_read,
        ),
    ),
)
