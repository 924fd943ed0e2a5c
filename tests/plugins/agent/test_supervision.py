"""Real processes under supervision: what they write is kept, and all of their group ends."""

import os
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from armillary.clock import SystemClock
from armillary.ids import Ids
from armillary_plugins.agent.launch import Launch
from armillary_plugins.agent.outcome import Ended
from armillary_plugins.agent.services.processes import NotStarted, SystemSpawner
from armillary_plugins.agent.services.supervision import Supervision, Terms
from armillary_plugins.logs.schemas import CreateLog


class Watched:
    """One process, and what it wrote."""

    def __init__(self, spawner: SystemSpawner, **terms: object) -> None:
        self.lines: list[CreateLog] = []
        self.supervision = Supervision(
            spawner,
            SystemClock(),
            self.write,
            Terms(run_id="r", grace=0.3, **terms),  # type: ignore[arg-type]
        )

    async def write(self, lines: Sequence[CreateLog]) -> None:
        self.lines.extend(lines)

    async def run(self, script: str) -> Ended:
        argv = ["/bin/sh", "-c", script]
        env = {"PATH": os.environ["PATH"]}
        return await self.supervision.run(Launch(argv=argv, env=env, stdin=b"{}\n"))

    def said(self, name: str) -> list[str]:
        return [line.message for line in self.lines if line.name == name]


class Counting(Watched):
    """The same, of which only the end is kept."""

    characters = 0
    longest_batch = 0

    async def write(self, lines: Sequence[CreateLog]) -> None:
        said = sum(len(line.message) for line in lines)
        self.characters += said
        self.longest_batch = max(self.longest_batch, said)
        self.lines[:] = lines[-1:]


@pytest.fixture
async def spawner() -> AsyncIterator[SystemSpawner]:
    made = SystemSpawner(grace=1, ids=Ids.of_this_machine(SystemClock()))
    yield made
    made.close()


async def test_both_streams_are_kept_apart_and_in_order(spawner: SystemSpawner) -> None:
    watched = Watched(spawner)
    ended = await watched.run("cat; echo a; echo b; echo c >&2; printf last; exit 3")
    assert ended.code == 3
    assert ended.last_words == ("c",)
    assert watched.said("stdout") == ["{}", "a", "b", "last"]
    assert watched.said("stderr") == ["c"]
    times = [line.timestamp for line in watched.lines]
    assert len(set(times)) == len(times)


async def test_a_megabyte_of_anything_arrives_whole(spawner: SystemSpawner) -> None:
    watched = Watched(spawner)
    await watched.run("head -c 1000000 /dev/urandom | tr '\\n\\r' '..'; echo; seq 20000")
    assert watched.said("stdout")[-20000:] == [str(number) for number in range(1, 20001)]
    assert max(map(len, watched.said("stdout"))) <= 16384


async def test_a_hundred_megabytes_are_passed_on_piece_by_piece(spawner: SystemSpawner) -> None:
    watched = Counting(spawner)
    ended = await watched.run("head -c 100000000 /dev/zero | tr '\\0' x; echo; echo last")
    assert ended.code == 0
    assert watched.characters == 100_000_004
    assert watched.longest_batch < 1_000_000, "no more than some pieces are there at once"
    assert watched.said("stdout")[-1] == "last"


async def test_who_is_left_behind_is_ended(spawner: SystemSpawner) -> None:
    watched = Watched(spawner)
    ended = await watched.run("sleep 0.2; sleep 1000 & echo $!")
    assert ended.code == 0
    assert ended.left_behind
    assert watched.said("agent") == ["The command left processes behind; they were ended."]
    (pid,) = watched.said("stdout")
    assert gone(int(pid))


@pytest.mark.timeout(60)
async def test_who_leaves_its_group_keeps_no_run_from_its_end(spawner: SystemSpawner) -> None:
    watched = Watched(spawner)
    ended = await watched.run("setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.2; echo done")
    (away,) = [line for line in watched.said("stdout") if line != "done"]
    os.kill(int(away), signal.SIGKILL)
    assert (ended.code, ended.left_behind) == (0, False)
    (said,) = watched.said("agent")
    assert said.startswith("A process outside of its group holds the output open")


async def test_who_ignores_the_word_is_killed_with_its_children(spawner: SystemSpawner) -> None:
    watched = Watched(spawner, timeout=0.3)
    ended = await watched.run("trap '' TERM; sleep 1000 & echo $!; while :; do sleep 1; done")
    assert (ended.code, ended.cause) == (-9, "timed_out")
    (pid,) = watched.said("stdout")
    assert gone(int(pid))


async def test_a_program_that_is_not_there_is_named(spawner: SystemSpawner) -> None:
    watched = Watched(spawner)
    with pytest.raises(NotStarted, match="There is no command 'no-such-program'"):
        await watched.supervision.run(Launch(argv=["no-such-program"], env={"PATH": "/bin"}))
    with pytest.raises(NotStarted, match="The folder /no/where is not there"):
        await watched.supervision.run(Launch(argv=["ls"], env={}, folder="/no/where"))
    with pytest.raises(NotStarted, match="may not be executed"):
        await watched.supervision.run(Launch(argv=["/etc/passwd"], env={}))


def gone(pid: int) -> bool:
    """Whether a process is no more, or only an entry that nobody took away."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
