"""The built binary, started on a root file system that holds it, a shell and two libraries."""

import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.killable import SECONDS
from tests.end_to_end.programs import FAULTS, eventually
from tests.plugin_folders import Installed
from tests.servers import PLAIN, free_port

FOLDER = Path(os.environ.get("ARMILLARY_BINARY", ""))
"""What `make binary` built; without it there is nothing here to try."""
collect_ignore_glob = [] if FOLDER.name else ["test_*.py"]

C_LIBRARY = (
    "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1", "libutil.so.1",
)  # fmt: skip
"""What every Linux has."""
LOADER = ("libz.so.1",)
"""What the loader of PyInstaller asks for before it can look into its folder."""
BROWSER = 'echo "$1 ${LD_LIBRARY_PATH-without our libraries}" > "$ARMILLARY_HOME/opened"'
PLUGIN = """
    import sndhdr  # which nothing of ours imports
    from armillary import hookimpl
    from armillary.api import Answer, Routes

    routes = Routes(tag="Moons")

    @routes.get("/moons", scope=None)
    async def moons(call):
        "Tell."
        return Answer.json(sndhdr.__name__)

    @hookimpl
    def register_routes(core):
        return [routes]
"""


class System:
    """A root file system without Python; only root may enter one, others stay outside."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entered = os.geteuid() == 0
        self.home = root / "home"
        self.home.mkdir(parents=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = root / "server.log"
        if self.entered:
            self._furnish()

    def words(self, *words: str) -> list[str]:
        """A command of the binary."""
        if self.entered:
            return ["chroot", str(self.root), "/opt/armillary/armillary", *words]
        return [str(FOLDER / "armillary"), *words]

    @property
    def environ(self) -> dict[str, str]:
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "ARMILLARY_HOME": "/home" if self.entered else str(self.home),
            "ARMILLARY_SERVER_PORT": str(self.port),
        }

    def run(self, *words: str, **environ: str) -> str:
        """What a command printed."""
        done = subprocess.run(
            self.words(*words), env=self.environ | environ, check=False, text=True, timeout=SECONDS,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout

    @contextmanager
    def running(self) -> Iterator[None]:
        """A server, started without a word as by a double click, until the block ends."""
        script = "/home/browser" if self.entered else str(self.home / "browser")
        (self.home / "browser").write_text(BROWSER)
        desktop = {"DISPLAY": ":0", "BROWSER": f"/bin/sh {script} %s"}
        with self._log.open("w") as log:
            process = subprocess.Popen(
                self.words(), stdout=log, stderr=subprocess.STDOUT, env=self.environ | desktop
            )
        try:
            eventually(self._answers, "an answer of the binary")
            yield
            process.send_signal(signal.SIGTERM)
            assert process.wait(SECONDS) == 0, self.log()
        finally:
            process.kill()
            process.wait()

    def log(self) -> str:
        return self._log.read_text()

    def faults(self) -> list[str]:
        return [line for line in self.log().splitlines() if any(word in line for word in FAULTS)]

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/health", verify=PLAIN).json() is True
        except httpx.TransportError:
            return False

    def _furnish(self) -> None:
        shutil.copytree(FOLDER, self.root / "opt" / "armillary", symlinks=True)
        for folder in ("bin", "dev", "etc", "tmp"):
            (self.root / folder).mkdir()
        os.mknod(self.root / "dev" / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        linked = subprocess.run(["ldd", "/bin/sh"], capture_output=True, text=True, check=True)
        paths = [word for word in linked.stdout.split() if word.startswith("/")]
        library = next(Path(path).parent for path in paths if "libc.so" in path)
        beside = [str(library / name) for name in (*C_LIBRARY, *LOADER)]
        for path in {"/bin/sh", *paths, *beside}:
            target = self.root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The started binary, with a plugin in its home; it must end cleanly."""
    made = System(tmp_path_factory.mktemp("system") / "root")
    Installed(made.home / "plugins").write("moons", files={"plugin.py": PLUGIN})
    with made.running():
        yield made
    assert made.faults() == []
