"""What a process's end means for its run."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

Cause: TypeAlias = Literal["itself", "cancelled", "timed_out", "stopped", "lost"]
"""Why a process ended: by itself, or because it was ended."""

TERMINAL = frozenset({"COMPLETED", "FAILED", "CANCELLED", "CRASHED"})
NOT_FOUND, TIMED_OUT, SIGNALLED = 127, 124, 128
"""Exit codes, as shells have them."""
_SAID = 300
_CHATTER = re.compile(r"\| (?:DEBUG|INFO) +\|")
"""What the SDK writes to its error output while all is well."""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a process ended: ``code`` is negative where a signal ended it."""

    code: int
    cause: Cause = "itself"
    last_words: Sequence[str] = ()
    """The last lines it wrote to its error output."""
    left_behind: bool = False
    """Whether it left processes behind that had to be ended."""
    patience: float | None = None
    """The seconds it had, where it took longer."""


class Next(msgspec.Struct, frozen=True, kw_only=True):
    """The state to propose for a run."""

    type: str
    name: str | None = None
    message: str | None = None


def how(code: int) -> str:
    """Say how a process ended."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = str(-code)
    return f"was ended by signal {name}"


def exit_code(ended: Ended) -> int:
    """Return the code a shell would pass on."""
    if ended.cause == "timed_out":
        return TIMED_OUT
    return ended.code if ended.code >= 0 else SIGNALLED - ended.code


def after_command(ended: Ended) -> Next | None:
    """Decide what becomes of a plain command's run; None where it is not ours to say."""
    match ended.cause:
        case "lost":
            return None
        case "cancelled":
            return Next(type="CANCELLED", message=f"The command {how(ended.code)}.")
        case "timed_out":
            limit = f"{ended.patience:g} s" if ended.patience else "its time"
            return Next(
                type="FAILED",
                name="TimedOut",
                message=f"The command took longer than {limit} and {how(ended.code)}.",
            )
        case "stopped":
            return Next(
                type="CRASHED",
                message=f"The agent was stopped while the command ran; it {how(ended.code)}.",
            )
    if ended.code == 0:
        return Next(type="COMPLETED")
    said = _said(ended.last_words)
    if ended.code == -signal.SIGKILL:
        said = ", as the system does when memory runs out" + said
    return Next(type="FAILED", message=f"The command {how(ended.code)}{said}")


def after_flow(
    ended: Ended, state: str | None, *, retried_by_its_process: bool = False
) -> Next | None:
    """Decide what becomes of an SDK flow's run in this state; its process says what it can."""
    waits = state == "SCHEDULED" and not retried_by_its_process
    if ended.cause == "lost" or state is None or state in TERMINAL or state == "PAUSED" or waits:
        return None
    if ended.cause == "cancelled" or state == "CANCELLING":
        return Next(type="CANCELLED", message=f"The process of the flow {how(ended.code)}.")
    if ended.cause == "timed_out":
        message = f"The flow took longer than {ended.patience:g} s; its process {how(ended.code)}."
        return Next(type="CRASHED", name="TimedOut", message=message)
    if ended.cause == "stopped":
        message = f"The agent was stopped while the flow ran; its process {how(ended.code)}."
        return Next(type="CRASHED", message=message)
    said = _said([line for line in ended.last_words if not _CHATTER.search(line)])
    message = f"The process of the flow {how(ended.code)} without saying how it went{said}"
    return Next(type="CRASHED", message=message)


def _said(lines: Sequence[str]) -> str:
    return f": {lines[-1].strip()[:_SAID]}" if lines else "."


def is_plain(deployment: dict[str, object] | None, command: str | None) -> bool:
    """Tell a plain command from a flow: there is a command, and a deployment without entrypoint."""
    return command is not None and deployment is not None and not deployment.get("entrypoint")
