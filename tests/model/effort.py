"""How many examples the machines try: few and always the same in CI, many and new ones by hand."""

import os

from hypothesis import HealthCheck, Phase, settings

TIMES = float(os.environ.get("ARMILLARY_TEST_MODEL") or 1)
"""`make model` sets it: 100 is a hundred times what CI tries, drawn anew each time."""
_SHARE_OF_POSTGRES = 0.2
_SHRINK = os.environ.get("ARMILLARY_TEST_MODEL_SHRINK", "yes") != "no"
_PHASES = [Phase.generate, *([Phase.shrink] if _SHRINK else [])]


def tries(examples: int) -> int:
    """How many examples a property elsewhere tries: few in CI, more where `make model` asks."""
    return max(1, round(examples * TIMES))


def effort(dialect: str, *, examples: int, steps: int = 30) -> settings:
    """Settings for a machine or a property that reaches into the server."""
    share = _SHARE_OF_POSTGRES if dialect == "postgres" else 1
    return settings(
        max_examples=max(1, round(examples * share * TIMES)),
        stateful_step_count=steps,
        derandomize=TIMES == 1,
        database=None,
        deadline=None,
        phases=_PHASES,
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
