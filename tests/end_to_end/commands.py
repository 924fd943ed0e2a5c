"""Prefect's command line, loaded once: runs each command it is sent in a process of its own.

Prefect's Python runs this file. Loading the package takes longer than most commands do, so it
happens before the first; the fork then is what the installed program `prefect` is after its
imports.
"""

import importlib
import json
import os
import sys

MODULES = (
    "prefect.cli",
    "prefect.client.orchestration",
    "prefect.cli.automation",
    "prefect.cli.concurrency_limit",
    "prefect.cli.deploy",
    "prefect.cli.deployment",
    "prefect.cli.flow_run",
    "prefect.cli.global_concurrency_limit",
    "prefect.cli.variable",
    "prefect.cli.work_pool",
    "prefect.cli.work_queue",
)


def run(words: list[str], folder: str, output: str) -> int:
    """The exit code of one command, whose output goes to a file."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(folder)
    sys.argv[:] = ["prefect", *words]
    sys.exit(importlib.import_module("prefect.cli").app())


def main() -> None:
    for module in MODULES:
        importlib.import_module(module)
    for line in sys.stdin:
        print(run(**json.loads(line)), flush=True)


if __name__ == "__main__":
    main()
