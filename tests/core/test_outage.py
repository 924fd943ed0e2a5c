"""An outage is said at once, then less and less often, and so is its end."""

import logging

import pytest

from armillary.outage import Outage
from armillary.testing import ManualClock

LOG = logging.getLogger("armillary.outage")


async def lasting(outage: Outage, clock: ManualClock, seconds: int) -> None:
    for _ in range(seconds):
        outage.lasts("messages wait", OSError("away"))
        await clock.advance(1)


async def test_an_outage_is_said_less_and_less_often(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    outage = Outage(LOG, clock)
    await lasting(outage, clock, 1)
    assert caplog.messages == ["messages wait: away"]
    await lasting(outage, clock, 99)
    assert len(caplog.messages) == 5
    await lasting(outage, clock, 3500)
    assert 10 < len(caplog.messages) < 16


async def test_the_end_of_an_outage_is_said_and_the_next_one_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    clock = ManualClock()
    outage = Outage(LOG, clock)
    outage.over("messages are handled")
    assert caplog.messages == []
    await lasting(outage, clock, 3)
    outage.over("messages are handled")
    outage.over("messages are handled")
    assert caplog.messages[1:] == ["messages are handled again, after 3 s"]
    await lasting(outage, clock, 1)
    assert len(caplog.messages) == 3
