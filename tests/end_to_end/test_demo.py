"""The demo deploys a command, shows how it runs, and leaves nothing behind when it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.end_to_end.programs import eventually
from tests.servers import ROOT, free_port


def test_the_demo_shows_a_run_and_ends_with_the_server(tmp_path: Path) -> None:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("ARMILL")}
    said = tmp_path / "said.txt"
    port = environ["ARMILLARY_SERVER_PORT"] = str(free_port())
    words = ["--home", str(tmp_path / "home"), "--no-browser"]
    with said.open("w") as output:
        demo = subprocess.Popen(
            [sys.executable, ROOT / "packaging/demo/show.py", "--", *words],
            stdout=output, stderr=subprocess.STDOUT, env=environ, start_new_session=True,
        )  # fmt: skip
    try:
        eventually(lambda: "Everything that runs" in said.read_text(), "the end of the demo")
        os.killpg(demo.pid, signal.SIGINT)
        assert demo.wait(20) == 0, said.read_text()
    finally:
        demo.kill()
        demo.wait()
    text = said.read_text()
    assert "pulse, a plain command: Completed" in text
    assert f"see http://127.0.0.1:{port}/runs/flow-run/" in text
    assert "there is no flow to see" in text
