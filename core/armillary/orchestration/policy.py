"""Rules put in order once, and looked up by the pair of types they are asked about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter

from armillary.errors import ConfigError
from armillary.orchestration.rule import PolicyName, Rule, Subject
from armillary.orchestration.states import StateType


class Policy:
    """The rules of one subject and one policy name, in order, by (initial, proposed)."""

    def __init__(self, subject: Subject, name: PolicyName, rules: Iterable[type[Rule]]) -> None:
        self.subject = subject
        self.name = name
        self.rules: Sequence[Rule] = [
            rule() for rule in rules if subject in rule.subjects and name in rule.policies
        ]
        self._between: dict[tuple[StateType | None, StateType], tuple[Rule, ...]] = {}

    def between(self, initial: StateType | None, proposed: StateType) -> tuple[Rule, ...]:
        """Return the rules asked about a transition from ``initial`` to ``proposed``."""
        pair = (initial, proposed)
        found = self._between.get(pair)
        if found is None:
            found = self._between[pair] = tuple(
                rule
                for rule in self.rules
                if rule.universal or (initial in rule.initial and proposed in rule.proposed)
            )
        return found


def in_order(rules: Iterable[type[Rule]]) -> list[type[Rule]]:
    """Sort by phase, then by what each names in ``after``, then by class name.

    Raises ConfigError when rules name each other in a circle or two share a name.
    """
    by_name: dict[str, type[Rule]] = {}
    for rule in rules:
        if by_name.setdefault(rule.__name__, rule) is not rule:
            message = f"Two rules are called {rule.__name__}: rename one of them."
            raise ConfigError(message)
    graph: dict[str, set[str]] = {name: set() for name in by_name}
    for name, rule in by_name.items():
        graph[name] |= {other for other in rule.after if other in by_name}
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        message = f"These rules each want to come after another: {' → '.join(error.args[1])}."
        raise ConfigError(message) from error
    ordered: list[type[Rule]] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered.extend(by_name[name] for name in ready)
        sorter.done(*ready)
    return sorted(ordered, key=lambda rule: rule.phase)


class Policies:
    """Every policy of a server, by subject and name."""

    def __init__(self, rules: Iterable[type[Rule]]) -> None:
        rules = in_order(rules)
        self.flow_run = {
            name: Policy("flow_run", name, rules) for name in ("core", "minimal", "late")
        }
        self.task_run = {
            name: Policy("task_run", name, rules) for name in ("core", "minimal", "background")
        }

    def of(self, subject: Subject, name: PolicyName) -> Policy:
        """Return one policy."""
        return (self.flow_run if subject == "flow_run" else self.task_run)[name]
