"""A server starts, answers, and stops; what keeps it from starting is one sentence."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import websockets

from armillary.errors import ConfigError
from armillary.listening import listening
from armillary.settings import ServerSettings
from tests.servers import free_port

# The app answers before anything of it is asked for: what is tried here is what is around it.
SCRIPT = """
import sys, types, armillary_plugins
plugins = {plugins!r}
armillary_plugins.__path__[:] = [plugins] if plugins else []

async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({{"type": "websocket.accept"}})
        await receive()
        return
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    await send({{"type": "http.response.body", "body": b"true"}})

sys.modules["armillary.app"] = types.ModuleType("armillary.app")
sys.modules["armillary.app"].build = lambda core: app
from armillary.cli import main
sys.exit(main(sys.argv[1:]))
"""


def command(home: Path, *flags: str, plugins: Path | None = None) -> list[str]:
    script = SCRIPT.format(plugins=str(plugins or ""))
    return [sys.executable, "-c", script, "start", "--home", str(home), "--no-browser", *flags]


def environ() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("ARMILLARY_")}


@contextmanager
def started(*words: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A server that answers, and what it said until then."""
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ()
    ) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl+C" in line:
                break
        try:
            yield process, said
        finally:
            process.kill()


def refused(*words: str) -> str:
    """What a server that does not start says."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environ())
    assert done.returncode == 1
    assert done.stderr.startswith("armillary: ")
    assert done.stderr.count("\n") == 1, "one sentence"
    return done.stderr


def ask(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health") as answer:
        body: bytes = answer.read()
    return body


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_starts_answers_and_stops(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    with started(*command(tmp_path, f"--port={port}")) as (process, said):
        assert f"prefect config set PREFECT_API_URL=http://127.0.0.1:{port}/api" in said
        assert str(tmp_path / "armillary.db") in said
        assert ask(port) == b"true"
        process.send_signal(number)
        assert process.wait(10) == 0


def test_port_0_takes_a_free_one_and_says_which(tmp_path: Path) -> None:
    with started(*command(tmp_path, "--port=0")) as (_, said):
        found = re.search(r"http://127.0.0.1:(\d+)$", said, re.MULTILINE)
        assert found
        assert ask(int(found[1])) == b"true"


def test_a_port_in_use_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = refused(*command(tmp_path, f"--port={port}"))
    assert f"Port {port}" in told
    assert "--port" in told


def test_a_second_server_on_a_home_is_refused(tmp_path: Path) -> None:
    with started(*command(tmp_path, "--port=0")) as (process, _):
        told = refused(*command(tmp_path, "--port=0"))
        assert f"already runs on {tmp_path} (process {process.pid} at http://127.0.0.1:" in told


def test_a_second_start_may_show_the_server_there_is(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = {"DISPLAY": ":0", "BROWSER": f"/bin/sh -c 'echo %s > {opened}'"}
    words = command(tmp_path, "--port=0", "--or-open")
    again = [word for word in words if word != "--no-browser"]
    with started(*words) as (_, said):
        found = re.search(r"http://127.0.0.1:\d+$", said, re.MULTILINE)
        assert found
        second = subprocess.run(
            again, env=environ() | browser, capture_output=True, text=True, check=False, timeout=20
        )
    assert (second.returncode, second.stdout) == (0, f"Armillary runs already: {found[0]}\n")
    assert opened.read_text() == f"{found[0]}\n"


def test_a_killed_server_leaves_its_home_free(tmp_path: Path) -> None:
    with started(*command(tmp_path, "--port=0")) as (process, _):
        process.kill()
        process.wait()
    with started(*command(tmp_path, "--port=0")) as (_, said):
        assert "is running" in said


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = refused(*command(tmp_path / "file" / "home", "--port=0"))
    assert "cannot be written" in told
    assert "--home" in told


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "armillary.db").write_bytes(b"not a database at all, " * 100)
    assert str(tmp_path / "armillary.db") in refused(*command(tmp_path, "--port=0"))


def test_a_database_with_holes_in_the_middle_is_named(tmp_path: Path) -> None:
    file = tmp_path / "armillary.db"
    with started(*command(tmp_path, "--port=0")) as (process, _):
        process.terminate()
        process.wait()
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("pragma wal_checkpoint(truncate)")
    content = bytearray(file.read_bytes())
    content[4096::7] = b"Z" * len(content[4096::7])
    file.write_bytes(content)
    assert str(file) in refused(*command(tmp_path, "--port=0"))


@pytest.mark.parametrize("kind", ["armillary.db", "armillary.lock", "armillary.toml"])
def test_a_folder_where_a_file_should_be_is_named(tmp_path: Path, kind: str) -> None:
    (tmp_path / kind).mkdir()
    assert str(tmp_path) in refused(*command(tmp_path, "--port=0"))


def test_a_home_with_too_long_a_name_is_named(tmp_path: Path) -> None:
    told = refused(*command(tmp_path / ("x" * 5000), "--port=0"))
    assert "too long" in told


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite://", "mysql://x/y", "postgresql://[/x", "x"])
def test_an_address_of_no_database_is_named(tmp_path: Path, url: str) -> None:
    config = tmp_path / "armillary.toml"
    config.write_text(f"[database]\nurl = '{url}'\n")
    assert url in refused(*command(tmp_path, f"--config={config}", "--port=0"))


@pytest.mark.parametrize("port", ["70000", "-1"])
def test_a_port_of_no_address_is_named(tmp_path: Path, port: str) -> None:
    assert port in refused(*command(tmp_path, f"--port={port}"))


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with started(*command(tmp_path, "--port=0")) as (process, _):
        process.terminate()
        process.wait()
    with sqlite3.connect(tmp_path / "armillary.db") as database:
        database.execute("insert into migration values ('core', 'm9999_far_off', 0)")
    assert "newer version" in refused(*command(tmp_path, "--port=0"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104
def test_strangers_are_let_in_only_by_insisting(host: str) -> None:
    settings = ServerSettings(host=host, port=0)
    with pytest.raises(ConfigError, match="--insecure"), listening(settings):
        pass


def test_insisting_lets_strangers_in() -> None:
    with listening(ServerSettings(host="0.0.0.0", port=0, insecure=True)) as sock:  # noqa: S104
        assert sock.getsockname()[1]


def test_a_service_that_fails_stops_everything_with_its_name(tmp_path: Path) -> None:
    package = tmp_path / "plugins" / "moons"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "from armillary import Manifest\nMANIFEST = Manifest(summary='Is moons.')\n"
    )
    (package / "plugin.py").write_text(
        "from armillary import Service, hookimpl\n\n"
        "class Wanes(Service):\n    name = 'wanes'\n"
        "    async def run(self):\n        raise ValueError('no light left')\n\n"
        "@hookimpl\ndef register_services(core):\n    return [Wanes(core)]\n"
    )
    words = command(tmp_path / "home", "--port=0", plugins=tmp_path / "plugins")
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environ())
    assert done.returncode == 1
    assert "The service wanes failed: no light left." in done.stderr


def test_without_routes_nothing_listens_unless_a_port_is_given(tmp_path: Path) -> None:
    with started(*command(tmp_path, "--target=background")) as (_, said):
        assert "Connect" not in said
    port = free_port()
    with started(*command(tmp_path, "--target=background", f"--port={port}")):
        assert ask(port) == b"true"


async def test_a_websocket_answers_pings_before_the_app_says_anything(tmp_path: Path) -> None:
    port = free_port()
    with started(*command(tmp_path, f"--port={port}")):
        async with websockets.connect(f"ws://127.0.0.1:{port}/api/events/in") as client:
            async with asyncio.timeout(60):
                await (await client.ping())


def test_a_second_process_on_postgres_is_refused(tmp_path: Path, fresh_postgres: str) -> None:
    config = tmp_path / "armillary.toml"
    config.write_text(f"[database]\nurl = '{fresh_postgres}'\n")
    flags = [f"--config={config}", "--port=0"]
    with started(*command(tmp_path, *flags, "--target=server")) as (process, _):
        told = refused_after_waiting(*command(tmp_path, *flags, "--target=background"))
        assert f"used by process {process.pid}" in told
        assert "Redis" in told
        process.kill()
        process.wait()
    with started(*command(tmp_path, *flags)) as (_, said):
        assert "presence" in said


def refused_after_waiting(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environ())
    assert done.returncode == 1
    return done.stderr
