"""Starting and ending as a person does it: the real program, its exit code, and what it says."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.end_to_end.killable import SECONDS, Killable
from tests.end_to_end.wire import Gone, Wire
from tests.servers import armillary_program


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Killable]:
    made = Killable(tmp_path, database_url)
    made.start()
    yield made
    made.kill()


def armillary(*words: str, home: Path, database_url: str = "") -> tuple[int, str, str]:
    """The exit code of a command, and what it said on both streams."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("ARMILL")}
    if database_url:
        environ["ARMILLARY_DATABASE_URL"] = database_url
    done = subprocess.run(
        [*armillary_program(), *words, f"--home={home}"],
        capture_output=True, text=True, check=False, env=environ, timeout=SECONDS,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def refusal(home: Path, *words: str, database_url: str = "") -> str:
    """The one sentence of a server that does not start."""
    code, _, told = armillary(
        "start", "--no-browser", "--port=0", *words, home=home, database_url=database_url
    )
    assert code == 1
    assert told.startswith("armillary: ")
    assert told.count("\n") == 1
    assert "Traceback" not in told
    return told


async def heard_out(socket: ClientConnection) -> None:
    """Take what still comes: a server that has just started tells of the pool it has made."""
    while True:
        await socket.recv()


async def test_ctrl_c_ends_it_cleanly_while_sockets_and_streams_are_open(
    server: Killable,
) -> None:
    protocols = [Subprotocol("prefect")]
    async with (
        connect(f"{server.sockets}/events/in", subprotocols=protocols) as telling,
        connect(f"{server.sockets}/events/out", subprotocols=protocols) as listening,
    ):
        for socket in (telling, listening):
            await socket.send(json.dumps({"type": "auth", "token": None}))
            await socket.recv()
        until = {"since": "2026-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
        await listening.send(json.dumps({"type": "filter", "filter": {"occurred": until}}))
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /ui/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" in await reader.readline()
        idle = Wire(server.port)
        assert await idle.get("/health") is True

        code = await asyncio.to_thread(server.interrupt)

        assert code == 0, server.log()
        for socket in (telling, listening):
            with pytest.raises(ConnectionClosed):
                await heard_out(socket)
        async with asyncio.timeout(SECONDS):
            await reader.read()
        writer.close()
        with pytest.raises(Gone):
            await idle.get("/health")
    assert server.faults() == []


async def test_what_is_asked_while_it_ends_is_answered_or_kept_from_happening(
    server: Killable,
) -> None:
    wires = [Wire(server.port) for _ in range(20)]
    flow = await wires[0].post("/flows/", {"name": "ended"})
    created: list[str] = []

    async def create(wire: Wire) -> None:
        while True:
            run = await wire.post("/flow_runs/", {"flow_id": flow["id"]})
            created.append(run["id"])
            if len(created) == 200:
                server.tell(signal.SIGTERM)

    ends = await asyncio.gather(*map(create, wires), return_exceptions=True)
    assert all(isinstance(end, Gone) for end in ends), ends
    assert await asyncio.to_thread(server.ended) == 0, server.log()
    server.start()
    wire = Wire(server.port)
    found = await wire.post("/flow_runs/filter", {"flow_runs": {"id": {"any_": created[-100:]}}})
    assert len(found) == 100
    counted = await wire.post("/flow_runs/count", {})
    assert len(created) <= counted <= len(created) + len(wires)
    wire.close()
    assert server.faults() == []


def test_a_database_cut_short_is_named_with_what_to_do(tmp_path: Path) -> None:
    assert armillary("database", "upgrade", home=tmp_path)[0] == 0
    file = tmp_path / "armillary.db"
    with sqlite3.connect(file) as database:
        database.execute("pragma wal_checkpoint(truncate)")
    database.close()
    file.write_bytes(file.read_bytes()[:10_000])
    told = refusal(tmp_path)
    assert str(file) in told
    assert "damaged" in told


def test_a_database_damaged_in_its_middle_is_told_in_one_sentence(tmp_path: Path) -> None:
    assert armillary("database", "upgrade", home=tmp_path)[0] == 0
    file = tmp_path / "armillary.db"
    content, page = file.read_bytes(), 4096
    file.write_bytes(content[: 3 * page] + b"\xa5" * (20 * page) + content[23 * page :])
    told = refusal(tmp_path)
    assert "malformed" in told
    assert "damaged" in told


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "armillary.db"
    with sqlite3.connect(file) as database:
        database.execute("create table flow (title text)")
        database.execute("insert into flow values ('mine')")
    database.close()
    assert "table flow already exists" in refusal(tmp_path)
    with sqlite3.connect(file) as database:
        assert database.execute("select * from flow").fetchall() == [("mine",)]
    database.close()


def test_a_postgres_that_is_away_is_named(tmp_path: Path) -> None:
    told = refusal(tmp_path, database_url="postgresql://nobody:secret@127.0.0.1:1/nothing")
    assert "127.0.0.1:1" in told
    assert "secret" not in told


async def test_a_newer_postgres_database_is_refused(tmp_path: Path, fresh_postgres: str) -> None:
    assert armillary("database", "upgrade", home=tmp_path, database_url=fresh_postgres)[0] == 0
    connection = await asyncpg.connect(fresh_postgres)
    await connection.execute("insert into migration values ('core', 'm9999_far_off', 0)")
    await connection.close()
    assert "newer version" in refusal(tmp_path, database_url=fresh_postgres)


def test_an_unknown_target_is_refused_with_those_there_are(tmp_path: Path) -> None:
    assert "mark_late_runs" in refusal(tmp_path, "--target=mark_late_run")


async def test_the_database_is_reset_only_while_nobody_uses_it(
    server: Killable, database_url: str
) -> None:
    def command(*words: str) -> tuple[int, str, str]:
        return armillary("database", *words, home=server.home, database_url=database_url)

    wire = Wire(server.port)
    await wire.post("/flows/", {"name": "kept"})
    code, _, told = command("reset", "--yes")
    assert (code, told.count("\n")) == (1, 1)
    assert "stop it" in told
    assert await wire.post("/flows/count", {}) == 1
    wire.close()

    assert server.interrupt() == 0
    code, said, _ = command("info")
    assert code == 0
    assert "applied core/m0001_create" in said
    assert "missing" not in said
    assert command("upgrade")[1].splitlines()[1:] == ["already up to date"]
    code, said, told = command("reset")
    assert (code, "Nobody is here to ask" in told) == (1, True)
    assert command("reset", "--yes")[0] == 0

    server.start()
    assert await Wire(server.port).post("/flows/count", {}) == 0
