"""Starts Armillary with a sampler inside: `sampled.py FILE start --port ...`.

A timer interrupts the process at even intervals of real time. Each time the stack of the loop's
thread is noted, and what the threads beside it were at. SIGUSR1 begins anew; at SIGUSR2 FILE gets
what was counted as JSON, in the shape of `layers.Counted`: stacks are `file:function;...`, the
outermost frame first.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

sys.path[0] = str(Path(__file__).resolve().parents[2])

from armillary.cli import main as armillary  # noqa: E402 (the path comes first)

_EVERY = 0.001
_ROOT = sys.path[0] + "/"


class Sampler:
    """Counts what the loop's thread, and the threads beside it, are found at."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stacks: Counter[tuple[tuple[str, str], ...]] = Counter()
        self._beside: Counter[str] = Counter()
        self._samples = 0
        self._began, self._began_cpu = time.monotonic(), time.thread_time()
        self._main = threading.main_thread().ident

    def begin(self) -> None:
        """Take samples from now on; the loop may install no handler of its own for these."""
        signal.signal(signal.SIGALRM, self._sample)
        signal.signal(signal.SIGUSR1, self._anew)
        signal.signal(signal.SIGUSR2, self.write)
        for each in (signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2):
            signal.siginterrupt(each, False)
        signal.setitimer(signal.ITIMER_REAL, _EVERY, _EVERY)

    def _sample(self, _: int, frame: FrameType | None) -> None:
        self._samples += 1
        self._stacks[_stack(frame)] += 1
        for thread, other in sys._current_frames().items():
            if thread != self._main and (name := _at_work(other)):
                self._beside[name] += 1

    def _anew(self, *_: object) -> None:
        self._stacks.clear()
        self._beside.clear()
        self._samples = 0
        self._began, self._began_cpu = time.monotonic(), time.thread_time()

    def write(self, *_: object) -> None:
        """Put what was counted into the file."""
        stacks = {
            ";".join(f"{file}:{name}" for file, name in stack): count
            for stack, count in self._stacks.most_common()
        }
        counted = {
            "seconds": time.monotonic() - self._began,
            "cpu_seconds": time.thread_time() - self._began_cpu,
            "samples": self._samples, "stacks": stacks, "beside": dict(self._beside),
        }  # fmt: skip
        unfinished = self._file.with_suffix(".part")
        unfinished.write_text(json.dumps(counted))
        unfinished.replace(self._file)


def _stack(frame: FrameType | None) -> tuple[tuple[str, str], ...]:
    found = []
    while frame is not None:
        found.append((_short(frame.f_code.co_filename), frame.f_code.co_name))
        frame = frame.f_back
    return tuple(reversed(found))


def _short(file: str) -> str:
    return file.removeprefix(_ROOT).rpartition("site-packages/")[2]


def _at_work(frame: FrameType | None) -> str | None:
    """What a thread beside the loop's does; None for one that waits for work."""
    while frame is not None:
        if frame.f_code.co_name == "_commit":
            return "commit"
        if frame.f_code.co_name == "_execute_fetchall":
            return "scan"
        frame = frame.f_back
    return None


def main() -> None:
    """Sample the command that follows."""
    file = Path(sys.argv.pop(1))
    sampler = Sampler(file)
    sampler.begin()
    armillary()


if __name__ == "__main__":
    main()
