"""How a run may be retried, and what a transition changes on the run beside its state."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

Count: TypeAlias = Annotated[int, msgspec.Meta(gt=-(2**31), lt=2**31)]
Whole: TypeAlias = Annotated[int, msgspec.Meta(ge=-(10**8), le=10**8)]
"""Seconds without a fraction: years, and after any jitter still before the year 9999."""
Seconds: TypeAlias = Annotated[float, msgspec.Meta(ge=-1e8, le=1e8)]
Jitter: TypeAlias = Annotated[float, msgspec.Meta(ge=-1000, le=1000)]


class FlowRunPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Retries and pauses of a flow run, as stored and as answered."""

    max_retries: Count = 0
    retry_delay_seconds: Seconds = 0
    retries: Count | None = None
    retry_delay: Whole | None = None
    pause_keys: list[str] | None = msgspec.field(default_factory=list)
    resuming: bool | None = False
    retry_type: Literal["in_process", "reschedule"] | None = None

    def __post_init__(self) -> None:
        """Let the deprecated pair stand in where the newer one was not given."""
        if self.retries is None and self.max_retries:
            msgspec.structs.force_setattr(self, "retries", self.max_retries)
        if self.retry_delay is None and self.retry_delay_seconds:
            msgspec.structs.force_setattr(self, "retry_delay", int(self.retry_delay_seconds))


class TaskRunPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Retries of a task run, as stored and as answered."""

    max_retries: Count = 0
    retry_delay_seconds: Seconds = 0
    retries: Count | None = None
    retry_delay: Seconds | Whole | list[Seconds | Whole] | None = None
    retry_jitter_factor: Jitter | None = None

    def __post_init__(self) -> None:
        """Let the deprecated pair stand in where the newer one was not given."""
        if self.retries is None and self.max_retries:
            msgspec.structs.force_setattr(self, "retries", self.max_retries)
        if self.retry_delay is None and self.retry_delay_seconds:
            msgspec.structs.force_setattr(self, "retry_delay", self.retry_delay_seconds)


class RunChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule changes on the run itself; None leaves a column as it is."""

    policy: FlowRunPolicy | None = None
    run_count: int | None = None
    flow_run_run_count: int | None = None

    def then(self, later: RunChange | None) -> RunChange:
        """Lay a later change over this one."""
        if later is None:
            return self
        return RunChange(
            policy=later.policy if later.policy is not None else self.policy,
            run_count=later.run_count if later.run_count is not None else self.run_count,
            flow_run_run_count=(
                later.flow_run_run_count
                if later.flow_run_run_count is not None
                else self.flow_run_run_count
            ),
        )


NO_CHANGE = RunChange()
