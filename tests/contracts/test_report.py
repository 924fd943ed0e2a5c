"""Every operation is asked for of a started server; its answer has the shape agreed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.contracts.__main__ import made
from tests.end_to_end.killable import Killable


async def test_every_operation_answers_as_agreed(
    database_url: str, dialect: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    server = Killable(tmp_path, database_url)
    with server.running():
        report = await made(server.url.removesuffix("/api"))
    record_property("contract", f"{dialect}: {report.line}")
    assert report.left == [], report.faults
    assert server.faults() == []
