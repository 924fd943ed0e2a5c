"""Prefect, loaded once: runs each command and each script it is sent in a process of its own.

Prefect's Python runs this file. Loading the package takes longer than most programs do, so it
happens before the first; the fork then is what the installed program `prefect`, or Python with a
script that imports it, is after the imports.
"""

import gc
import importlib
import json
import os
import runpy
import selectors
import sys
from pathlib import Path

MODULES = (
    "prefect.cli",
    "prefect.cli.artifact",
    "prefect.cli.automation",
    "prefect.cli.block",
    "prefect.cli.concurrency_limit",
    "prefect.cli.deploy",
    "prefect.cli.deployment",
    "prefect.cli.flow_run",
    "prefect.cli.global_concurrency_limit",
    "prefect.cli.task",
    "prefect.cli.variable",
    "prefect.cli.work_pool",
    "prefect.cli.work_queue",
    "prefect.cli.worker",
    "prefect.client.orchestration",
    "prefect.concurrency.asyncio",
    "prefect.concurrency.sync",
    "prefect.events.clients",
    "prefect.flow_engine",
    "prefect.flow_runs",
    "prefect.main",
    "prefect.runner",
    "prefect.task_engine",
    "prefect.task_worker",
    "prefect.workers.process",
)


def become(words: list[str], folder: str, output: str, environ: dict[str, str]) -> None:
    """Be the program of these words, whose output goes to a file."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    program, *rest = words
    sys.argv[:] = [program, *rest] if program == "prefect" else rest
    sys.path[0] = os.path.dirname(sys.executable if program == "prefect" else rest[0])  # noqa: PTH120 - as Python has it
    importlib.import_module("prefect.context").refresh_global_settings_context()
    if program == "prefect":
        sys.exit(importlib.import_module("prefect.cli").app())
    runpy.run_path(rest[0], run_name="__main__")


def reap(pid: int, ended: str) -> None:
    """Say how a program ended, in a file that is there only whole."""
    _, status = os.waitpid(pid, 0)
    half = Path(f"{ended}.half")
    half.write_text(str(os.waitstatus_to_exitcode(status)))
    half.rename(ended)


def main() -> None:
    for module in MODULES:
        importlib.import_module(module)
    # Nobody collects what is frozen: a process would copy each page of it, to be ended then.
    gc.freeze()
    waiting = selectors.DefaultSelector()
    waiting.register(sys.stdin, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            if key.data:
                waiting.unregister(key.fd)
                os.close(key.fd)
                reap(*key.data)
                continue
            line = sys.stdin.readline()
            if not line:
                return
            job = json.loads(line)
            ended = job.pop("ended")
            child = os.fork()
            if not child:
                become(**job)
                return
            waiting.register(os.pidfd_open(child), selectors.EVENT_READ, (child, ended))
            print(child, flush=True)


if __name__ == "__main__":
    main()
