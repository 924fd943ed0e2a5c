"""The guard of an agent: a shell that ends its processes where the agent is no more.

::

    ? mark          a process is about to be started, with this mark in its environment
    + group mark    it is there, the head of this group
    ! mark          it could not be started
    - group         it has ended
    (end of pipe)   the agent is no more: end every group, and by its mark what is only expected
"""

from __future__ import annotations

import asyncio
import os

_GUARD = r"""
trap '' INT TERM HUP
groups=' '
expected=' '
without() {
  case $1 in
    *" $2 "*) rest="${1%% $2 *} ${1#* $2 }" ;;
    *) rest=$1 ;;
  esac
}
while read -r word what mark; do
  case $word in
    \?) expected="$expected$what " ;;
    !) without "$expected" "$what"; expected=$rest ;;
    +) groups="$groups$what "; without "$expected" "$mark"; expected=$rest ;;
    -) without "$groups" "$what"; groups=$rest ;;
  esac
done
look() {
  for mark in $expected; do
    for folder in /proc/[0-9]*; do
      if grep -qsz "^VARIABLE=$mark\$" "$folder/environ"; then
        groups="$groups${folder#/proc/} "
      fi
    done
  done
}
if [ "$expected" != ' ' ]; then
  look
  sleep 1
  look
fi
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


VARIABLE = "ARMILLARY_PROCESS"
"""Holds a process's mark in its environment, by which the guard finds it where `/proc` is."""


class Guard:
    """Ends the groups of an agent that was killed."""

    def __init__(self, grace: float) -> None:
        seconds = " ".join(["."] * max(1, round(grace)))
        self._script = _GUARD.replace("GRACE", seconds).replace("VARIABLE", VARIABLE)
        self._pipe: int | None = None
        self._starting = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None

    async def ready(self) -> None:
        """Be there before there is anything to watch, which nobody would end until then."""
        async with self._starting:
            if self._pipe is None:
                await self._start()

    def expect(self, mark: str) -> None:
        """Have a process ended that is about to be started, should this one die meanwhile."""
        self._tell(f"? {mark}\n")

    def give_up(self, mark: str) -> None:
        """Expect it no longer: it could not be started."""
        self._tell(f"! {mark}\n")

    def watch(self, group: int, mark: str) -> None:
        """Have the group of an expected process ended when this process dies."""
        self._tell(f"+ {group} {mark}\n")

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
