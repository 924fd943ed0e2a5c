"""Counters and timers by name and labels, written out as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

Labels: TypeAlias = tuple[tuple[str, str], ...]
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_SERIES = 200
"""Series of what clients name, at most."""
_MORE = "(more)"


class Metrics:
    """Everything this process counts.  Names begin with ``armillary_``; all calls are cheap."""

    def __init__(self) -> None:
        self._counters: dict[str, dict[Labels, float]] = {}
        self._timers: dict[str, dict[Labels, tuple[int, float]]] = {}
        self._gauges: dict[str, Callable[[], float]] = {}

    def count(self, name: str, amount: float = 1, /, **labels: str) -> None:
        """Add to a counter."""
        series = self._counters.setdefault(name, {})
        key = tuple(labels.items())
        series[key] = series.get(key, 0) + amount

    def count_some(self, name: str, /, **labels: str) -> None:
        """Count one of what clients name as they like: beyond some, labels are all the same."""
        series = self._counters.setdefault(name, {})
        if tuple(labels.items()) not in series and len(series) >= _SERIES:
            labels = dict.fromkeys(labels, _MORE)
        self.count(name, **labels)

    def took(self, name: str, seconds: float, /, **labels: str) -> None:
        """Add one duration to a timer."""
        series = self._timers.setdefault(name, {})
        key = tuple(labels.items())
        times, total = series.get(key, (0, 0.0))
        series[key] = (times + 1, total + seconds)

    def gauge(self, name: str, read: Callable[[], float]) -> None:
        """Let a value be read whenever it is asked for."""
        self._gauges[name] = read

    def value(self, name: str, /, **labels: str) -> float:
        """Return what a counter stands at."""
        return self._counters.get(name, {}).get(tuple(labels.items()), 0)

    def text(self) -> str:
        """Return everything in Prometheus' text format."""
        lines: list[str] = []
        for name, series in sorted(self._counters.items()):
            lines.append(f"# TYPE {name} counter")
            lines += [f"{name}{_braced(labels)} {amount:.15g}" for labels, amount in series.items()]
        for name, timer in sorted(self._timers.items()):
            lines.append(f"# TYPE {name} summary")
            for labels, (times, total) in timer.items():
                lines.append(f"{name}_count{_braced(labels)} {times}")
                lines.append(f"{name}_sum{_braced(labels)} {total:.6f}")
        for name, read in sorted(self._gauges.items()):
            lines += [f"# TYPE {name} gauge", f"{name} {read():.15g}"]
        return "\n".join(lines) + "\n"


def _braced(labels: Labels) -> str:
    if not labels:
        return ""
    pairs: Mapping[str, str] = dict(labels)
    inside = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in pairs.items())
    return f"{{{inside}}}"
