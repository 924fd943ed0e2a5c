"""The options of `make bench`, checked while they are read."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.speed.targets import TARGETS, USUAL
from tests.speed.work import SCENARIOS


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="make bench",
        description="Gives servers the same work and prints rates, ratios, times and errors.",
    )
    _which_servers(made)
    _how_much(made)
    made.add_argument("--json", type=Path, metavar="FILE", help="keep every figure in FILE")
    made.add_argument(
        "--report", type=Path, metavar="FILE", help="measure nothing, print what --json has kept"
    )
    return made


def _which_servers(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--only",
        type=names(tuple(TARGETS)),
        default=USUAL,
        metavar="NAMES",
        help=f"the servers, parted by commas, of {', '.join(TARGETS)} (default: {','.join(USUAL)})",
    )
    made.add_argument(
        "--without-reference", action="store_true", help="leave Prefect's own server out"
    )
    made.add_argument(
        "--base-url", metavar="URL", help="drive http://HOST:PORT/api instead of starting servers"
    )


def _how_much(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--work",
        type=names(SCENARIOS),
        default=SCENARIOS,
        metavar="NAMES",
        help=f"kinds of work, parted by commas (default: {','.join(SCENARIOS)})",
    )
    made.add_argument(
        "--connections",
        type=numbers,
        default=(1, 16, 64),
        metavar="NUMBERS",
        help="clients at once, for life cycles, set_state and reads (default: 1,16,64)",
    )
    sizes = {
        "--rounds": (3, "rounds, each on a fresh home"),
        "--seconds": (5.0, "measured seconds of each kind of work"),
        "--warmup": (1.0, "seconds before them"),
        "--idle-seconds": (10.0, "seconds of idling to measure, 0 for none"),
        "--runs": (300, "flow runs that set_state and reads choose from"),
        "--poll-limit": (10, "runs asked for by a poll, 0 to name no limit as workers do"),
        "--many": (1000, "clients of the kind of work `connections`"),
    }
    for name, (usual, help_text) in sizes.items():
        made.add_argument(
            name,
            type=_at_least(0 if name in {"--idle-seconds", "--warmup", "--poll-limit"} else 1e-9),
            default=usual,
            metavar="NUMBER",
            help=f"{help_text} (default: {usual:g})",
        )


def names(allowed: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        chosen = tuple(name.strip() for name in text.split(","))
        unknown = [name for name in chosen if name not in allowed]
        if unknown:
            raise argparse.ArgumentTypeError(
                f"{', '.join(map(repr, unknown))} is none of {', '.join(allowed)}"
            )
        return chosen

    return read


def numbers(text: str) -> tuple[int, ...]:
    try:
        chosen = tuple(int(part) for part in text.split(","))
    except ValueError:
        chosen = ()
    if not chosen or min(chosen) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list like 1,16,64")
    return chosen


def _at_least(least: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least {least:g}")
        return int(value) if value.is_integer() else value

    return read
