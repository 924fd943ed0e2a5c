"""Finds the Python that runs flows: one that can import Prefect."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from armillary_plugins.agent.launch import Launch, LaunchError
from armillary_plugins.agent.services.processes import NotStarted, Spawner

_PROBE = "import importlib.util as u, sys; sys.exit(u.find_spec('prefect') is None)"


class Pythons:
    """Looks once, and remembers what it found."""

    def __init__(self, spawner: Spawner, machine: Mapping[str, str], *, named: str) -> None:
        self._spawner = spawner
        self._machine = machine
        self._named = named
        self._found: str | None = None

    async def find(self, wanted: str | None) -> str:
        """Return the one that is asked for, else the agent's, else the first that has Prefect."""
        if wanted or self._named:
            return wanted or self._named
        if self._found is None:
            self._found = await self._first()
        return self._found

    async def _first(self) -> str:
        candidates = list(self._candidates())
        for python in candidates:
            if await self._has_prefect(python):
                return python
        looked = ", ".join(candidates) or "there is no python3 on its path"
        message = (
            f"The agent found no Python with Prefect in it ({looked}): install prefect into one "
            "of them, or name one with the setting agent.python or the job variable python."
        )
        raise LaunchError(message)

    def _candidates(self) -> Sequence[str]:
        folders = self._machine.get("PATH", os.defpath).split(os.pathsep)
        found = [os.path.join(folder, "python3") for folder in folders if folder]  # noqa: PTH118
        if not getattr(sys, "frozen", False):
            found.append(sys.executable)
        return [each for each in dict.fromkeys(found) if os.access(each, os.X_OK)]

    async def _has_prefect(self, python: str) -> bool:
        launch = Launch(argv=[python, "-c", _PROBE], env=self._machine, folder="/")
        try:
            process = await self._spawner.spawn(launch)
        except NotStarted:
            return False
        try:
            return await process.wait() == 0
        finally:
            process.release()
