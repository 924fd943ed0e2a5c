"""Run seeds: `python -m tests.simulation FIRST COUNT`; ends with 1 if one of them fails."""

from __future__ import annotations

import sys
import time

from tests.simulation.world import Outcome, simulate


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run seeds one after the other and say what each came to."""
    first, count = int(sys.argv[1]), int(sys.argv[2])
    began = time.monotonic()
    failed = [outcome for seed in range(first, first + count) if (outcome := _shown(seed)).wrong]
    say(f"{count} seeds in {time.monotonic() - began:.0f} s, {len(failed)} failed")
    return 1 if failed else 0


def _shown(seed: int) -> Outcome:
    outcome = simulate(seed)
    verdict = "wrong" if outcome.wrong else "fine"
    say(f"seed {seed}: {verdict}, {outcome.kills} kills, {outcome.runs} runs")
    for each in outcome.wrong[:10]:
        say(f"  {each}")
    return outcome


if __name__ == "__main__":
    sys.exit(main())
