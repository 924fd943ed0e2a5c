"""The command line of `make bench`."""

import argparse
import contextlib
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tests import servers
from tests.speed import client, options, report
from tests.speed.client import LoadFailed
from tests.speed.processes import ServerFailed, durable_postgres, fresh_home, running
from tests.speed.report import HELD_AGAINST
from tests.speed.targets import TARGETS, Target, make_ready
from tests.speed.work import Amount, Round, measure_address, measure_server, tell

ADDRESS = "address"
BASELINES = ("prefect-postgres", "prefect-sqlite")


def main(arguments: Sequence[str]) -> int:
    chosen = options.parser().parse_args(arguments)
    try:
        if chosen.report:
            rounds = [Round(**each) for each in json.loads(chosen.report.read_text())["rounds"]]
        else:
            rounds = _measure(chosen)
    except (LoadFailed, ServerFailed, servers.MissingProgram) as failure:
        sys.stderr.write(f"bench: {failure}\n")
        return 1
    titles = {name: target.title for name, target in TARGETS.items()}
    titles[ADDRESS] = chosen.base_url or "the address"
    measured = {each.target for each in rounds}
    baseline = next((name for name in BASELINES if name in measured), None)
    if chosen.json:
        kept = {"machine": machine(), "rounds": [asdict(each) for each in rounds]}
        chosen.json.write_text(json.dumps(kept, indent=1) + "\n")
    sys.stdout.write(report.render(rounds, titles=titles, baseline=baseline) + "\n")
    if not chosen.report:
        sys.stdout.write(f"\n{machine()}\n")
    return 1 if any(each.failures for each in rounds) else 0


def machine() -> str:
    """What the figures stand for: without it they mean nothing later."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return (
        f"{os.cpu_count()} x {models[0] if models else platform.machine()}, "
        f"Linux {platform.release()}, Python {platform.python_version()}, "
        f"load average at the end {os.getloadavg()[0]:.1f}"
    )


def _measure(chosen: argparse.Namespace) -> list[Round]:
    amount = Amount(
        seconds=chosen.seconds,
        warmup=chosen.warmup,
        connections=chosen.connections,
        scenarios=chosen.work,
        runs=chosen.runs,
        poll_limit=chosen.poll_limit,
        many_connections=chosen.many,
        idle_seconds=chosen.idle_seconds,
    )
    program = client.build()
    if chosen.base_url:
        return [
            measure_address(chosen.base_url, amount=amount, program=program, name=ADDRESS)
            for _ in range(chosen.rounds)
        ]
    targets = _targets(chosen)
    make_ready(targets)
    with contextlib.ExitStack() as stack:
        postgres = None
        if any(target.needs_postgres for target in targets):
            postgres = stack.enter_context(durable_postgres())
        bench = Bench(amount=amount, program=program, postgres=postgres)
        return list(bench.interleaved(targets, chosen.rounds))


def _targets(chosen: argparse.Namespace) -> list[Target]:
    targets = [TARGETS[name] for name in chosen.only]
    if chosen.without_reference:
        targets = [target for target in targets if not target.is_reference]
    return targets


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What all rounds have in common."""

    amount: Amount
    program: Path
    postgres: servers.Postgres | None

    def interleaved(self, targets: list[Target], rounds: int) -> Iterator[Round]:
        """Every server once, then every server again: what disturbs the machine disturbs all."""
        for turn in range(rounds):
            for target in targets:
                tell(f"round {turn + 1} of {rounds}: {target.title}")
                yield self._round(target)

    def _round(self, target: Target) -> Round:
        with self._empty_database(target) as url, fresh_home() as home:
            try:
                with running(target.command(home, url), home) as server:
                    return measure_server(
                        server, amount=self._given(target), program=self.program, name=target.name
                    )
            except ServerFailed as failure:
                raise ServerFailed(f"{target.title} did not start. {failure}") from failure

    def _given(self, target: Target) -> Amount:
        if not target.is_reference:
            return self.amount
        scenarios = tuple(each for each in self.amount.scenarios if each not in HELD_AGAINST)
        return replace(self.amount, scenarios=scenarios)

    @contextlib.contextmanager
    def _empty_database(self, target: Target) -> Iterator[str]:
        if not target.needs_postgres or self.postgres is None:
            yield ""
            return
        name = self.postgres.create_database()
        try:
            yield self.postgres.database_url(name)
        finally:
            self.postgres.drop_database(name)
