"""The guard of an agent: a shell that ends its processes where the agent is no more."""

from __future__ import annotations

import asyncio
import os

_GUARD = """
trap '' INT TERM HUP
groups=' '
while read -r word group; do
  case $word in
    +) groups="$groups$group " ;;
    -) groups="${groups%% $group *} ${groups#* $group }" ;;
  esac
done
set -- $groups
[ $# -eq 0 ] && exit 0
for group; do kill -TERM -"$group" 2>/dev/null; done
for second in GRACE; do
  left=
  for group; do kill -0 -"$group" 2>/dev/null && left=1; done
  [ -z "$left" ] && exit 0
  sleep 1
done
for group; do kill -KILL -"$group" 2>/dev/null; done
"""


class Guard:
    """Ends the groups of an agent that was killed."""

    def __init__(self, grace: float) -> None:
        self._script = _GUARD.replace("GRACE", " ".join(["."] * max(1, round(grace))))
        self._pipe: int | None = None
        self._starting = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None

    async def ready(self) -> None:
        """Be there before there is anything to watch, which nobody would end until then."""
        async with self._starting:
            if self._pipe is None:
                await self._start()

    def watch(self, group: int) -> None:
        """Have a group ended when this process dies."""
        self._tell(f"+ {group}\n")

    def forget(self, group: int) -> None:
        """Leave a group alone from now on."""
        self._tell(f"- {group}\n")

    def close(self) -> None:
        """Let the guard go; whatever it still watches it ends."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    async def _start(self) -> None:
        ours, theirs = os.pipe()
        os.set_blocking(theirs, False)
        try:
            self._process = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", self._script, stdin=ours, start_new_session=True
            )
        except OSError:
            os.close(theirs)
            return
        finally:
            os.close(ours)
        self._pipe = theirs

    def _tell(self, line: str) -> None:
        if self._pipe is None:
            return
        try:
            os.write(self._pipe, line.encode())
        except OSError:
            self.close()
