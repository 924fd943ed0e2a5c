"""The compiled load client: built when its source has changed, run once per measurement."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SOURCE = Path(__file__).parent / "load"
BUILD = Path(__file__).parents[2] / ".bench"
FLAGS = ("-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra")
SDK_HEADERS = ("User-Agent: prefect/3.8.8 (API 0.8.4)", "X-PREFECT-API-VERSION: 0.8.4")

# A request may wait this long, and preparing runs takes at most 300 s by itself.
PATIENCE_SECONDS = 30


Options = dict[str, str | int | float]
SCRIPTS = {"crowd": "poll", "count": "search", "order": "ask"}
"""What the client calls it, where that is another word."""


class LoadFailed(Exception):
    """The load client could not be built, or ended without figures."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """One run of the client. `options` are those of load.c, without their dashes."""

    scenario: str
    connections: int
    seconds: float
    options: Options


def build(folder: Path = BUILD) -> Path:
    """The program, compiled anew unless it is younger than every source file."""
    program = folder / "load"
    sources = sorted(SOURCE.glob("*.[ch]"))
    if program.exists() and all(
        source.stat().st_mtime < program.stat().st_mtime for source in sources
    ):
        return program
    compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise LoadFailed("No C compiler is on the path: `apt-get install gcc libc6-dev`.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n")
    fresh = folder / f"load.{os.getpid()}"
    command = [compiler, *FLAGS, "-o", str(fresh), *map(str, SOURCE.glob("*.c"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LoadFailed(f"{compiler} did not compile {SOURCE}:\n{done.stderr}")
    fresh.replace(program)
    return program


def run(program: Path, base_url: str, load: Load) -> dict[str, Any]:
    """The figures of one run against `base_url`, which ends in `/api` or the like."""
    address = urlsplit(base_url)
    if address.scheme != "http" or address.hostname is None:
        raise LoadFailed(f"{base_url} is not an http:// address, which is all the client speaks.")
    options: Options = {
        "host": address.hostname,
        "port": address.port or 80,
        "base-path": address.path.rstrip("/"),
        "scenario": SCRIPTS.get(load.scenario, load.scenario),
        "connections": load.connections,
        "seconds": load.seconds,
        "timeout": PATIENCE_SECONDS,
        **load.options,
    }
    command = [str(program), *(f"--{name}={value}" for name, value in options.items())]
    command += [f"--header={header}" for header in SDK_HEADERS]
    limit = load.seconds + 2 * PATIENCE_SECONDS + 300
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit)
    if done.returncode:
        raise LoadFailed(f"{load.scenario} at {load.connections} clients: {done.stderr.strip()}")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures
