"""A moment is counted each turn, and kept."""

from armillary.core import Core
from armillary_plugins.example.config import Config
from armillary_plugins.example.repository import read_moments
from armillary_plugins.example.services import CountMoments


async def test_each_turn_counts_one_moment(core: Core) -> None:
    service = CountMoments(core, Config())
    await service.turn()
    await service.turn()
    assert await read_moments(core.database.read(1)) == 2
