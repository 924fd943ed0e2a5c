"""Starts Armillary with a sampler inside: `sampled.py FILE start --port ...`.

A timer interrupts the process at even intervals of real time. Each time the processor time that
the loop's thread has used since is given to the stack it is found at. SIGUSR1 begins anew; at
SIGUSR2 FILE gets what was counted as JSON, in the shape of `layers.Counted`: stacks are
`file:function;...`, the outermost frame first.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType

sys.path[0] = str(Path(__file__).resolve().parents[2])

from armillary.cli import main as armillary  # noqa: E402 (the path comes first)

_EVERY = 0.001
_ROOT = sys.path[0] + "/"


class Sampler:
    """Shares the processor time of the loop's thread out among stacks; others it only adds up."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._last = 0.0
        self._anew()

    def begin(self) -> None:
        """Take samples from now on; the server installs no handler of its own for these."""
        signal.signal(signal.SIGALRM, self._sample)
        signal.signal(signal.SIGUSR1, self._anew)
        signal.signal(signal.SIGUSR2, self.write)
        for each in (signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2):
            signal.siginterrupt(each, False)
        self._go_on()

    def _go_on(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, _EVERY, _EVERY)

    def _sample(self, _: int, frame: FrameType | None) -> None:
        self._stacks[_stack(frame)] += time.thread_time() - self._last
        self._last = time.thread_time()

    def _anew(self, *_: object) -> None:
        self._stacks: defaultdict[tuple[tuple[str, str], ...], float] = defaultdict(float)
        self._threads = _other_threads()
        self._began = time.monotonic()
        self._last = time.thread_time()

    def write(self, *_: object) -> None:
        """Put what was counted into the file; nothing is counted meanwhile."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        counted = {
            "seconds": time.monotonic() - self._began,
            "stacks": {
                ";".join(f"{file}:{name}" for file, name in stack): seconds
                for stack, seconds in self._stacks.items()
            },
            "beside": {
                name: seconds - self._threads.get(name, 0.0)
                for name, seconds in _other_threads().items()
            },
        }
        unfinished = self._file.with_suffix(".part")
        unfinished.write_text(json.dumps(counted))
        unfinished.replace(self._file)
        self._go_on()


def _other_threads() -> dict[str, float]:
    """The processor time that threads beside the loop's have used, by what they are for."""
    used: defaultdict[str, float] = defaultdict(float)
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and thread.ident is not None:
            name = (
                "scans"
                if "_connection_worker" in thread.name
                else thread.name.rstrip("_0123456789")
            )
            used[name] += time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
    return dict(used)


def _stack(frame: FrameType | None) -> tuple[tuple[str, str], ...]:
    found = []
    while frame is not None:
        found.append((_short(frame.f_code.co_filename), frame.f_code.co_name))
        frame = frame.f_back
    return tuple(reversed(found))


def _short(file: str) -> str:
    return file.removeprefix(_ROOT).rpartition("site-packages/")[2]


def main() -> None:
    """Sample the command that follows."""
    file = Path(sys.argv.pop(1))
    sampler = Sampler(file)
    sampler.begin()
    armillary()


if __name__ == "__main__":
    main()
