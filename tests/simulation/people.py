"""Who there is: every role by its name, and what is set up before anybody comes."""

from __future__ import annotations

import random
from collections.abc import Mapping

from tests.simulation.clients import Client, Person
from tests.simulation.commanding import Commander
from tests.simulation.editing import Editor, Operator
from tests.simulation.leasing import NAMES, Holder
from tests.simulation.ledger import Ledger
from tests.simulation.listening import Subscriber
from tests.simulation.network import Network
from tests.simulation.places import ELSEWHERE, PLACES
from tests.simulation.removing import Remover
from tests.simulation.working import POOL, Runner, Script, Worker

_THERE = " elsewhere"
_ROLES: Mapping[str, type[Person]] = {
    "script": Script,
    "worker": Worker,
    "runner": Runner,
    "editor": Editor,
    "operator": Operator,
    "holder": Holder,
    "subscriber": Subscriber,
    "remover": Remover,
    "agent": Commander,
}
ROLES = (*_ROLES, *(f"{role}{_THERE}" for role in _ROLES))
"""The second half is the same in another workspace, under equal names."""


def client(role: str, name: str, network: Network, ledger: Ledger, chance: random.Random) -> Person:
    """Make one of a role; its network is his alone."""
    if role.endswith(_THERE):
        network.place = ELSEWHERE
    return _ROLES[role.removesuffix(_THERE)](name, network, ledger, chance)


async def furnish(setting: Client) -> None:
    """Make in both workspaces what people take for granted."""
    for place in PLACES:
        setting.network.place = place
        await setting.make("/work_pools/", {"name": POOL, "type": "process"})
        for slots, name in enumerate(NAMES, 1):
            setting.ledger.allow(place, name, slots)
            await setting.make("/v2/concurrency_limits/", {"name": name, "limit": slots})
        editor = Editor(setting.name, setting.network, setting.ledger, setting.chance)
        await editor.make_all()
