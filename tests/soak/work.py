"""What agents run in a soak: commands that note that they began, and say numbered lines."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = "SOAK_FOLDER"
"""The variable by which every process of a soak is known, and which says where it notes things."""
_SCRIPT = """
run="$PREFECT__FLOW_RUN_ID $PREFECT__FLOW_RUN_ATTEMPT"
echo "$run" >> "$SOAK_FOLDER/begun"
number=0
while [ $number -lt $1 ]; do
  echo "$run $number"
  number=$((number + 1))
  [ "$2" = 0 ] || sleep "$2"
done
case $3 in
  fails) [ "$PREFECT__FLOW_RUN_ATTEMPT" -gt 1 ] ;;
  hangs) trap '' TERM; sleep 600 ;;
  forks) sleep 600 & ;;
esac
"""


@dataclass(frozen=True)
class Work:
    """A command, and what its deployment says of it."""

    lines: int
    pause: float = 0
    """Seconds between two lines."""
    end: str = "well"
    retries: int = 0
    timeout: float | None = None

    def job_variables(self, script: Path) -> dict[str, Any]:
        """As a deployment has them."""
        words = f"/bin/sh {script} {self.lines} {self.pause:g} {self.end}"
        return {
            "command": words, "retries": self.retries, "retry_delay": 1, "timeout": self.timeout,
        }  # fmt: skip


WORKS = {
    "quick": Work(200),
    "slow": Work(25, 0.2),
    "fails": Work(20, end="fails", retries=1),
    "hangs": Work(20, end="hangs", timeout=3),
    "forks": Work(20, 0.05, end="forks"),
}


def written(folder: Path) -> Path:
    """The script in a folder."""
    script = folder / "work.sh"
    script.write_text(_SCRIPT)
    return script


def begun(folder: Path) -> list[tuple[str, int]]:
    """Each run and attempt that a command has noted to begin, as often as it did."""
    file = folder / "begun"
    if not file.exists():
        return []
    pairs = (line.split() for line in file.read_text().splitlines())
    return [(run, int(attempt)) for run, attempt in pairs]


def left_behind(folder: Path) -> list[str]:
    """The processes that are still there of all that a soak has started, agents and guards too."""
    return [
        (process / "cmdline").read_text().replace("\0", " ").strip()
        for process in Path("/proc").iterdir()
        if process.name.isdigit() and _is_of(process, f"{MARK}={folder}".encode())
    ]


def _is_of(process: Path, mark: bytes) -> bool:
    if int(process.name) == os.getpid():
        return False
    with contextlib.suppress(OSError):
        return mark in (process / "environ").read_bytes().split(b"\0")
    return False


def lines_of(run: str, attempt: int, work: Work) -> Iterator[str]:
    """What a command that came to its end has said."""
    return (f"{run} {attempt} {number}" for number in range(work.lines))
