"""An open database with an outbox and one small table."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from armillary.db.database import Database
from armillary.db.engine import database_for
from armillary.db.migrate import upgrade
from armillary.db.tables import Tables
from armillary.testing import ManualClock
from tests.core.db.things import prepare


@pytest.fixture
async def database(database_url: str, clock: ManualClock) -> AsyncIterator[Database]:
    """On both databases."""
    made = database_for(database_url, clock)
    await made.open()
    await upgrade(made, [Tables(owner="core", after=())])
    await prepare(made)
    yield made
    await made.close()
