"""A plugin that a stranger begins with `make plugin`, builds, installs with pip, and removes."""

import runpy
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.killable import Killable
from tests.end_to_end.programs import eventually

ROOT = Path(__file__).parents[2]
SITE = next(path for path in sys.path if path.endswith("site-packages"))


class Install:
    """An environment of its own in which Armillary is installed."""

    def __init__(self, folder: Path) -> None:
        self.python = folder / "bin" / "python"
        run(sys.executable, "-m", "venv", "--without-pip", str(folder))
        site = next((folder / "lib").glob("python3*")) / "site-packages"
        (site / "armillary.pth").write_text(f"import site; site.addsitedir({SITE!r})\n")

    def pip(self, *words: str) -> None:
        run(sys.executable, "-m", "pip", f"--python={self.python}", *words)

    def armillary(self, *words: str) -> str:
        return run(str(self.python), "-m", "armillary", *words)


class Server(Killable):
    """A server of that environment."""

    install: Install

    def words(self) -> list[str]:
        return [str(self.install.python), "-m", "armillary"]


def run(*words: str, folder: Path | None = None) -> str:
    done = subprocess.run(
        words, cwd=folder, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, f"{' '.join(words)}:\n{done.stdout}"
    return done.stdout


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """What `make plugin NAME=hello AT=...` writes, as a wheel."""
    made = tmp_path / "armillary-hello"
    runpy.run_path(str(ROOT / "plugins/template/render.py"))["render_alone"]("hello", made)
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", folder=made)
    return next((made / "dist").glob("armillary_hello-0.1.0-*.whl"))


@pytest.mark.timeout(120)
def test_a_plugin_from_a_wheel_does_all_it_says_and_is_not_missed_when_it_has_gone(
    tmp_path: Path, wheel: Path
) -> None:
    install = Install(tmp_path / "venv")
    install.pip("install", "--quiet", "--no-index", "--no-deps", str(wheel))
    server = Server(
        tmp_path, f"sqlite:///{tmp_path / 'armillary.db'}", ARMILLARY_HELLO_INTERVAL="0.2"
    )
    server.install = install
    with server.running(), httpx.Client(base_url=server.url.removesuffix("/api")) as client:

        def counted() -> int:
            return int(client.get("/api/hello/moments").json()["moments"])

        def job() -> dict[str, object] | None:
            (found,) = client.post("/api/jobs/filter", json={}).json()
            return found if found["state"] == "done" else None

        eventually(lambda: counted() > 1, "the second turn of the loop")
        assert "moments were counted." in client.get("/hello").text
        assert 'href="/hello"' in client.get("/").text, "the place in the navigation"
        assert client.post("/api/hello/begin_again").status_code == 204
        assert eventually(job, "the end of the job")["queue"] == "hello"
        assert client.get("/api/ready").json() == {"message": "OK"}
    assert server.faults() == []
    assert "hello counts a moment every 60.0 seconds" in install.armillary("hello")
    assert "●  hello" in install.armillary("plugins", f"--home={server.home}")

    install.pip("uninstall", "--quiet", "--yes", "armillary-hello")
    server = Server(tmp_path, f"sqlite:///{tmp_path / 'armillary.db'}")
    server.install = install
    with server.running():
        assert httpx.get(f"{server.url}/hello/moments").status_code == 404
        assert httpx.get(f"{server.url}/ready").json() == {"message": "OK"}
    assert "keeps the tables of hello, which is not installed" in server.log()
    assert server.faults() == []
