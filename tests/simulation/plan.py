"""What a seed comes to, drawn before anything happens: who arrives, and what goes wrong when.

Every step has a number that stays its own when others are left out, and a seed of its own, so
that what is left out changes as little as can be of what is left.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from tests.simulation.tuning import TUNINGS

LIFE = 900.0
"""Seconds during which clients come and things go wrong."""
_KILL_EVERY = 150.0
_SHAKY = 0.2
"""The share of seeds whose server is killed far more often."""
_OFTEN = 8
_CALLS = 2000
_COMMITS = 30
_BETWEEN = 0.5
"""The share of kills between two callbacks; the others are in a commit."""
_AWAY = 20.0
_LONG_AWAY = 200.0
"""Half of the stops are as long as that: long enough for leases to run out."""
_TUNED = 0.2
_STOP_EVERY = 900.0
_CROWDED = 0.3
"""The share of seeds whose disk is full now and then."""
_FULL = 30.0
_ASLEEP = 0.3
"""The share of seeds whose server stands still once."""
THE_SERVER = "the server"
_FREEZE_EVERY = 450.0
_STAY = 0.7
"""The share of clients that stay to the end."""
_JUMPY = 0.25
"""The share of seeds whose clock is set now and then."""
_FAR = 1200.0
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_FIRST = ("editor", "operator", "worker", "worker", "script", "holder", "subscriber")
_LATER = ("script", "worker", "runner", "editor", "holder", "holder", "subscriber")
_ELSEWHERE = ("editor elsewhere", "operator elsewhere", "worker elsewhere")
_REMOVED = 0.5
_COMMANDED = 0.4
"""The share of seeds with an agent."""
_ACCOMPANIED = 0.25
"""The share of those that have another agent for the same pool."""
_AGENT_LIVES = 250.0
_BRANCHED = 0.4
"""The share of seeds with people in another workspace."""
_WEATHER = ("lost_request", "lost_answer", "repeated", "broken", "slow", "cut")


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A client comes, and goes again without a word."""

    number: int
    at: float
    role: str
    name: str
    seed: int
    leaves: float

    def __str__(self) -> str:
        return f"{self.name} arrives, and leaves at {self.leaves:.1f} s"


@dataclass(frozen=True, kw_only=True)
class Kill:
    """The server is killed between two callbacks or in a commit, and somebody starts it again."""

    number: int
    at: float
    calls: int | None
    commits: int | None
    away: float

    def __str__(self) -> str:
        when = f"{self.commits} commits" if self.calls is None else f"{self.calls} callbacks"
        where = "in the next commit" if self.calls is None else "between two of them"
        return f"the server is killed {when} later, {where}, and is away {self.away:.1f} s"


@dataclass(frozen=True, kw_only=True)
class Weather:
    """For a while the network loses, repeats, breaks and delays."""

    number: int
    at: float
    until: float
    rates: dict[str, float]

    def __str__(self) -> str:
        rates = ", ".join(f"{name} {rate:.1%}" for name, rate in self.rates.items())
        return f"the network is bad until {self.until:.1f} s: {rates}"


@dataclass(frozen=True, kw_only=True)
class Freeze:
    """A client stands still and goes on later as if nothing had been."""

    number: int
    at: float
    who: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.who} is frozen for {self.seconds:.1f} s"


@dataclass(frozen=True, kw_only=True)
class ClockJump:
    """Somebody sets the server's clock."""

    number: int
    at: float
    seconds: float

    def __str__(self) -> str:
        return f"the clock jumps by {self.seconds:+.1f} s"


@dataclass(frozen=True, kw_only=True)
class Stop:
    """The server is told to stop, and somebody starts it again."""

    number: int
    at: float
    away: float

    def __str__(self) -> str:
        return f"the server is stopped, and is away {self.away:.1f} s"


@dataclass(frozen=True, kw_only=True)
class FullDisk:
    """Nothing can be written for a while."""

    number: int
    at: float
    seconds: float

    def __str__(self) -> str:
        return f"the disk is full for {self.seconds:.1f} s"


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """Bounds of the server are small from the beginning."""

    number: int
    at: float
    what: str

    def __str__(self) -> str:
        return f"the server has {self.what}"


Step: TypeAlias = Arrival | Kill | Stop | Weather | Freeze | ClockJump | FullDisk | Tuned


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that a seed draws beforehand."""

    seed: int
    life: float
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        lines = [f"{step.number:4d} {step.at:9.1f} s  {step}" for step in self.steps]
        return "\n".join([*lines, f"     {self.life:9.1f} s  everybody is gone"])

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of its steps."""
        return tuple(step.number for step in self.steps)

    def keeping(self, numbers: Collection[int]) -> Plan:
        """Leave all other steps out."""
        return replace(self, steps=tuple(one for one in self.steps if one.number in numbers))

    def cut(self, life: float) -> Plan:
        """End earlier, without the steps that would come later."""
        steps = tuple(step for step in self.steps if step.at < life)
        return replace(self, life=min(life, self.life), steps=steps)


def draw(seed: int) -> Plan:
    """Draw the plan of a seed; what is drawn of one kind does not depend on the other kinds."""

    def chance(of: str) -> random.Random:
        return random.Random(f"{of} {seed}")  # noqa: S311 - the point is that it repeats

    clients = list(_arrivals(chance("clients")))
    agents = list(_agents(chance("agents"), "agent", _COMMANDED))
    others = list(_agents(chance("other agents"), "other agent", _ACCOMPANIED)) if agents else []
    steps: list[Step] = [
        *_tunings(chance("tunings")),
        *clients,
        *_removers(chance("removers")),
        *agents,
        *others,
        *_kills(chance("kills")),
        *_stops(chance("stops")),
        *_full_disks(chance("full disks")),
        *_weathers(chance("weathers")),
        *_freezes(chance("freezes"), [client.name for client in clients]),
        *_agents_freeze(chance("freezes of agents"), agents),
        *_agents_freeze(chance("freezes of other agents"), others),
        *_jumps(chance("jumps")),
    ]
    return Plan(seed=seed, life=LIFE, steps=tuple(_numbered(steps)))


def _numbered(steps: Iterable[Step]) -> Iterable[Step]:
    ordered = sorted(steps, key=lambda step: step.at)
    return (replace(step, number=number) for number, step in enumerate(ordered, 1))


def _tunings(chance: random.Random) -> Iterable[Tuned]:
    for what in TUNINGS:
        if chance.random() < _TUNED:
            yield Tuned(number=0, at=0.0, what=what)


def _arrivals(chance: random.Random) -> Iterable[Arrival]:
    later = [chance.choice(_LATER) for _ in range(chance.randrange(4))]
    if chance.random() < _BRANCHED:
        later += _ELSEWHERE
    for place, role in enumerate([*_FIRST, *later]):
        at = chance.uniform(0, 5 if place < len(_FIRST) else LIFE / 2)
        stays = chance.random() < _STAY
        yield Arrival(
            number=0,
            at=at,
            role=role,
            name=f"{role} {_LETTERS[place]}",
            seed=chance.getrandbits(32),
            leaves=LIFE if stays else chance.uniform(at, LIFE),
        )


def _removers(chance: random.Random) -> Iterable[Arrival]:
    if chance.random() < _REMOVED:
        at = chance.uniform(0, LIFE / 2)
        yield Arrival(
            number=0, at=at, role="remover", name="remover", seed=chance.getrandbits(32),
            leaves=LIFE,
        )  # fmt: skip


def _agents(chance: random.Random, name: str, share: float) -> Iterable[Arrival]:
    """One agent, killed now and then and started again under its name."""
    if chance.random() >= share:
        return
    at = chance.uniform(0, 60)
    while at < LIFE:
        leaves = at + chance.expovariate(1 / _AGENT_LIVES)
        yield Arrival(
            number=0, at=at, role="agent", name=name, seed=chance.getrandbits(32),
            leaves=min(leaves, LIFE),
        )  # fmt: skip
        at = leaves + chance.choice((2.0, 100.0)) * chance.random()


def _agents_freeze(chance: random.Random, agents: Sequence[Arrival]) -> Iterable[Freeze]:
    if agents:
        for at in _moments(chance, LIFE / 2):
            seconds = chance.choice((5.0, 100.0)) * chance.uniform(0.5, 1.5)
            yield Freeze(number=0, at=at, who=agents[0].name, seconds=seconds)


def _moments(chance: random.Random, every: float) -> Iterable[float]:
    at = chance.expovariate(1 / every)
    while at < LIFE:
        yield at
        at += chance.expovariate(1 / every)


def _kills(chance: random.Random) -> Iterable[Kill]:
    often = _OFTEN if chance.random() < _SHAKY else 1
    for at in _moments(chance, _KILL_EVERY / often):
        calls, commits = chance.randrange(_CALLS // often), chance.randrange(_COMMITS // often)
        between = chance.random() < _BETWEEN
        yield Kill(
            number=0,
            at=at,
            calls=calls if between else None,
            commits=None if between else commits,
            away=chance.uniform(0, _AWAY / often),
        )


def _stops(chance: random.Random) -> Iterable[Stop]:
    for at in _moments(chance, _STOP_EVERY):
        longest = chance.choice((_AWAY, _LONG_AWAY))
        yield Stop(number=0, at=at, away=chance.uniform(0, longest))


def _full_disks(chance: random.Random) -> Iterable[FullDisk]:
    if chance.random() < _CROWDED:
        for at in _moments(chance, LIFE):
            yield FullDisk(number=0, at=at, seconds=chance.uniform(0.1, _FULL))


def _weathers(chance: random.Random) -> Iterable[Weather]:
    for _ in range(chance.randrange(4)):
        at = chance.uniform(0, LIFE)
        worst = chance.choice((0.01, 0.1))
        rates = {name: worst * chance.random() for name in _WEATHER}
        yield Weather(number=0, at=at, until=at + chance.expovariate(1 / 150), rates=rates)


def _freezes(chance: random.Random, names: Sequence[str]) -> Iterable[Freeze]:
    for at in _moments(chance, _FREEZE_EVERY):
        seconds = chance.choice((5.0, 60.0, 400.0)) * chance.uniform(0.5, 1.5)
        yield Freeze(number=0, at=at, who=chance.choice(names), seconds=seconds)
    if chance.random() < _ASLEEP:
        at, seconds = chance.uniform(0, LIFE), chance.uniform(1, _FULL)
        yield Freeze(number=0, at=at, who=THE_SERVER, seconds=seconds)


def _jumps(chance: random.Random) -> Iterable[ClockJump]:
    if chance.random() < _JUMPY:
        for at in _moments(chance, LIFE):
            seconds = chance.choice((-1, 1)) * chance.choice((0.5, 20.0, _FAR)) * chance.random()
            yield ClockJump(number=0, at=at, seconds=seconds)
