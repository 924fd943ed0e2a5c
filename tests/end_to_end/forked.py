"""Programs of Prefect's, each forked from one process that has the package loaded already."""

import itertools
import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path


class Forked:
    """A program that was started, as ``subprocess.Popen`` would have it."""

    def __init__(self, pid: int, ended: Path) -> None:
        self.pid = pid
        self._ended = ended

    def poll(self) -> int | None:
        """The exit code, once it has ended."""
        return int(self._ended.read_text()) if self._ended.exists() else None

    def wait(self, seconds: float) -> int:
        end = time.monotonic() + seconds
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), seconds)
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)


class Forking:
    """Prefect's Python with the package loaded, which becomes one program after the other."""

    def __init__(self, python: Path, environ: Mapping[str, str], folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._process = subprocess.Popen(
            [str(python), str(Path(__file__).parent / "commands.py")],
            env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def start(self, *words: str, folder: Path, output: Path, environ: Mapping[str, str]) -> Forked:
        """Start `prefect` with its words, or `python` with a script; both in a folder."""
        ended = self._folder / f"ended{next(self._numbers)}"
        job = {
            "words": words, "folder": str(folder), "output": str(output),
            "environ": dict(environ), "ended": str(ended),
        }  # fmt: skip
        output.touch()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)
        return Forked(int(self._process.stdout.readline()), ended)

    def end(self, seconds: float) -> None:
        self._process.communicate(timeout=seconds)
