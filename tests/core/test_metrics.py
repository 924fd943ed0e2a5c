"""What was counted is written as Prometheus reads it."""

from armillary.metrics import Metrics


def test_counters_timers_and_gauges_are_written_out() -> None:
    metrics = Metrics()
    metrics.count("armillary_turns_total", service="a")
    metrics.count("armillary_turns_total", 2, service="a")
    metrics.took("armillary_turn_seconds", 0.5, service="a")
    metrics.took("armillary_turn_seconds", 0.25, service="a")
    metrics.gauge("armillary_open", lambda: 3)
    assert metrics.text() == (
        "# TYPE armillary_turns_total counter\n"
        'armillary_turns_total{service="a"} 3\n'
        "# TYPE armillary_turn_seconds summary\n"
        'armillary_turn_seconds_count{service="a"} 2\n'
        'armillary_turn_seconds_sum{service="a"} 0.750000\n'
        "# TYPE armillary_open gauge\n"
        "armillary_open 3\n"
    )


def test_label_values_are_escaped() -> None:
    metrics = Metrics()
    metrics.count("armillary_odd_total", name='a"b\\c\nd')
    assert r'armillary_odd_total{name="a\"b\\c\nd"} 1' in metrics.text()


def test_large_counters_keep_their_digits() -> None:
    metrics = Metrics()
    metrics.count("armillary_many_total", 123_456_789)
    assert metrics.value("armillary_many_total") == 123_456_789
    assert "armillary_many_total 123456789\n" in metrics.text()
