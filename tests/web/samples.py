"""Sample data for pages: one factory a struct, with words that are hard on templates."""

from datetime import UTC, datetime, timedelta
from typing import Any

from armillary_plugins.ui.pool_schemas import Hindrance
from armillary_plugins.ui.schemas import (
    Choice,
    FilterChip,
    Home,
    LogLevel,
    LogLine,
    LogPage,
    RunDetail,
    RunError,
    RunFilterForm,
    RunPage,
    RunRow,
    StateCount,
    StateHistory,
    StateRow,
    TaskRunDetail,
    TaskRunPage,
    TaskRunRow,
)
from armillary_plugins.ui.waiting import Waiting
from armillary_web.pages import Question, TwinPaths
from armillary_web.shell import NavItem, Preferences, Shell
from armillary_web.timeline import Span, segments
from tests.web import (
    deployment_samples,
    flow_samples,
    pool_samples,
    reference_samples,
    system_samples,
)

NOW = datetime(2026, 11, 21, 11, 40, 0, tzinfo=UTC)
RUN_ID = "0199b1c2-7d3e-7a41-9c55-2f6b8d0e4a17"
TASK_ID = "0199b1c2-9a00-7c1d-8f2e-5b7a6c3d1e90"
FAILURE = "Flow run encountered an exception: ValueError: no invoices for 2026-11-20"
TRACEBACK = """Encountered an exception during execution:
Traceback (most recent call last):
  File "/opt/flows/invoices.py", line 87, in render_invoices
    raise ValueError(f'no invoices for {day}')
ValueError: no invoices for 2026-11-20"""
EVIL = "<script>alert(1)</script>\"'&"

STATES = (
    ("SCHEDULED", "Late"),
    ("SCHEDULED", "Scheduled"),
    ("SCHEDULED", "AwaitingRetry"),
    ("PENDING", "Pending"),
    ("RUNNING", "Running"),
    ("RUNNING", "Retrying"),
    ("COMPLETED", "Completed"),
    ("COMPLETED", "Cached"),
    ("FAILED", "Failed"),
    ("CRASHED", "Crashed"),
    ("PAUSED", "Suspended"),
    ("CANCELLING", "Cancelling"),
    ("CANCELLED", "Cancelled"),
    (None, None),
)

_NAMES = (
    "amber-falcon", "quiet-otter", "copper-heron", "brisk-lynx", "pale-ibex", "velvet-crane",
    "solid-wren", "lucid-marten", "early-stoat", "wide-plover", "deep-osprey", "kind-badger",
)  # fmt: skip
_FLOWS = ("nightly-invoices", "ingest-orders", "train-forecast", "warehouse-sync")


def shell(**changes: Any) -> Shell:
    given: dict[str, Any] = {
        "nav": (
            NavItem(path="/", text="Home", icon="house", hotkey="g h"),
            NavItem(path="/runs", text="Runs", icon="activity", hotkey="g r", current=True),
        ),
        "version": "0.1.0",
        "environment": "staging",
        "environment_colour": "amber",
        "preferences": Preferences(),
    }
    return Shell(**(given | changes))


def run_row(index: int = 0, **changes: Any) -> RunRow:
    state_type, state_name = STATES[index % len(STATES)]
    started = state_type not in ("SCHEDULED", "PENDING", None) or state_name == "AwaitingRetry"
    start = NOW - timedelta(seconds=37 + index * index * 61)
    given: dict[str, Any] = {
        "id": f"{RUN_ID[:-2]}{index:02d}",
        "name": _NAMES[index % len(_NAMES)],
        "state_type": state_type,
        "state_name": state_name,
        "flow_id": f"{TASK_ID[:-2]}{index % 4:02d}",
        "flow_name": _FLOWS[index % 4],
        "deployment_id": TASK_ID if index % 3 else None,
        "deployment_name": ("production", "hourly", "backfill-2026")[index % 3],
        "expected_start_time": start if started else NOW + timedelta(seconds=420 * (index - 1)),
        "start_time": start if started else None,
        "running_since": start if state_type == "RUNNING" else None,
        "duration": (0.8 + index * index * 9.7) if started else None,
        "tags": (("finance", "eu-west"), (), ("gpu",), ("orders", "critical", "eu-west"))[
            index % 4
        ],
        "state_message": FAILURE if state_type in ("FAILED", "CRASHED") else None,
    }
    return RunRow(**(given | changes))


def state_counts(*, zero: bool = False) -> tuple[StateCount, ...]:
    shown = ("RUNNING", "PENDING", "SCHEDULED", "COMPLETED", "FAILED", "CRASHED", "CANCELLED")
    numbers = (4, 1, 28, 1284, 7, 2, 0)
    return tuple(
        StateCount(state_type=kind, count=0 if zero else count, path=f"/runs?state={kind.lower()}")
        for kind, count in zip(shown, numbers, strict=True)
    )


def filter_form(**changes: Any) -> RunFilterForm:
    given: dict[str, Any] = {
        "states": tuple(
            Choice(value=word, text=word) for word in ("Running", "Completed", "Failed", "Late")
        ),
        "ranges": (
            Choice(value="1h", text="Past hour"),
            Choice(value="1d", text="Past day"),
            Choice(value="7d", text="Past week"),
        ),
    }
    return RunFilterForm(**(given | changes))


def filtered_form() -> RunFilterForm:
    return filter_form(
        name="falcon",
        range="7d",
        chips=(
            FilterChip(text="Name has falcon", remove_path="/runs?range=7d"),
            FilterChip(text="Past week", remove_path="/runs?flow-run-search=falcon"),
        ),
    )


def run_page(**changes: Any) -> RunPage:
    given: dict[str, Any] = {
        "rows": tuple(run_row(index) for index in range(20)),
        "live_path": "/ui/fragments/runs",
        "twins": TwinPaths(json_path="/runs.json", csv_path="/runs.csv"),
        "filter": filter_form(),
        "counts": state_counts(),
        "next_path": "/runs?before=abc",
        "total": 1326,
    }
    return RunPage(**(given | changes))


def home(**changes: Any) -> Home:
    given: dict[str, Any] = {
        "period": "Past 24 hours",
        "counts": state_counts(),
        "running": (run_row(4),),
        "failures": (run_row(8), run_row(9)),
        "late": (run_row(0),),
        "upcoming": (run_row(1),),
        "late_count": 1,
        "failed_count": 1200,
        "capped": 1000,
        "late_path": "/runs?state=Late",
        "failed_path": "/runs?state=Failed%2CCrashed",
        "server_words": "",
        "recent": tuple(run_row(index) for index in range(8)),
        "any_runs": True,
        "api_url": "http://127.0.0.1:4200/api",
    }
    return Home(**(given | changes))


def state_history(**changes: Any) -> StateHistory:
    kinds = (
        ("SCHEDULED", "Scheduled", 21.0),
        ("PENDING", "Pending", 4.2),
        ("RUNNING", "Running", 61.0),
        ("SCHEDULED", "AwaitingRetry", 30.0),
        ("RUNNING", "Retrying", 44.0),
    )
    moment = NOW - timedelta(seconds=161)
    begin, rows, spans = moment, [], []
    for kind, name, seconds in kinds:
        after = moment + timedelta(seconds=seconds)
        rows.append(StateRow(state_type=kind, state_name=name, timestamp=moment, duration=seconds))
        spans.append(
            Span(
                state_type=kind,
                state_name=name,
                start=moment,
                end=after,
                title=f"{name}: {seconds:g} s",
            )
        )
        moment = after
    rows.append(
        StateRow(
            state_type="FAILED",
            state_name="Failed",
            timestamp=moment,
            message=FAILURE,
        )
    )
    given: dict[str, Any] = {
        "rows": tuple(rows),
        "segments": segments(spans, begin=begin, end=moment),
        "live_path": f"/ui/fragments/runs/flow-run/{RUN_ID}/states",
    }
    return StateHistory(**(given | changes))


def run_detail(**changes: Any) -> RunDetail:
    given: dict[str, Any] = {
        "id": RUN_ID,
        "name": "amber-falcon",
        "state_type": "FAILED",
        "state_name": "Failed",
        "state_timestamp": NOW - timedelta(seconds=12),
        "state_message": FAILURE,
        "flow_id": TASK_ID,
        "flow_name": "nightly-invoices",
        "live_path": f"/ui/fragments/runs/flow-run/{RUN_ID}/header",
        "deployment_id": TASK_ID,
        "deployment_name": "production",
        "work_pool_name": "k8s-eu",
        "work_queue_name": "default",
        "expected_start_time": NOW - timedelta(seconds=161),
        "start_time": NOW - timedelta(seconds=136),
        "end_time": NOW - timedelta(seconds=12),
        "duration": 124.3,
        "run_count": 2,
        "task_run_count": 6,
        "tags": ("finance", "eu-west"),
        "created": NOW - timedelta(days=1),
        "updated": NOW - timedelta(seconds=12),
        "created_by": "schedule",
        "flow_version": "9c1f2ab",
        "infrastructure_pid": "k8s-eu:nightly-invoices-7xk2p",
        "parameters": '{"day":"2026-11-20","regions":["eu-west","eu-north"],"dry_run":false,'
        '"limits":{"rows":250000,"timeout":900}}',
        "job_variables": '{"image":"registry.example/invoices:9c1f2ab","cpu":"500m"}',
    }
    return RunDetail(**(given | changes))


def run_error(**changes: Any) -> RunError:
    lines = tuple(log_line(index) for index in range(6))
    given: dict[str, Any] = {
        "lines": lines,
        "title": "First error",
        "error_id": lines[3].id,
        "log_path": f"/runs/flow-run/{RUN_ID}?level=40",
        "live_path": f"/ui/fragments/runs/flow-run/{RUN_ID}/error",
    }
    return RunError(**(given | changes))


def question() -> Question:
    return Question(
        title="Delete amber-falcon?",
        consequence="Its states, task runs and log go with it, for good.",
        word="Delete",
        action_path=f"/runs/flow-run/{RUN_ID}/delete",
        back_path=f"/runs/flow-run/{RUN_ID}",
    )


def waiting(**changes: Any) -> Waiting:
    pool = Hindrance(
        grave=True,
        text="No worker polls the pool gpu, so nothing of it runs: start one.",
        commands=("prefect worker start --pool gpu",),
    )
    live_path = f"/ui/fragments/runs/flow-run/{RUN_ID}/waiting"
    return Waiting(**({"reasons": (pool,), "live_path": live_path} | changes))


def task_page(**changes: Any) -> TaskRunPage:
    begin, end = NOW - timedelta(seconds=136), NOW - timedelta(seconds=12)
    shapes = (
        ("read-ledger-a1f", "COMPLETED", "Completed", 0, 14),
        ("fetch-rates-77c", "COMPLETED", "Cached", 2, 1),
        ("match-payments-0", "COMPLETED", "Completed", 16, 43),
        ("match-payments-1", "RUNNING", "Running", 16, 107),
        ("render-invoices-5be", "FAILED", "Failed", 61, 58),
        ("send-mail-d02", "PENDING", "Pending", None, None),
    )
    rows = []
    for index, (name, kind, state, offset, seconds) in enumerate(shapes):
        start = None if offset is None else begin + timedelta(seconds=offset)
        bars = () if start is None else segments(
            [Span(state_type=kind, state_name=state, start=start,
                  end=start + timedelta(seconds=seconds or 0), title=f"{name}: {seconds} s")],
            begin=begin, end=end,
        )  # fmt: skip
        rows.append(
            TaskRunRow(
                id=f"{TASK_ID[:-2]}{index:02d}",
                name=name,
                state_type=kind,
                state_name=state,
                start_time=start,
                duration=seconds,
                running_since=start if kind == "RUNNING" else None,
                run_count=2 if kind == "FAILED" else 1,
                child_run_id=RUN_ID if index == 4 else None,
                bar=bars[0] if bars else None,
            )
        )
    given: dict[str, Any] = {
        "twins": TwinPaths(json_path="/task-runs.json", csv_path="/task-runs.csv"),
        "rows": tuple(rows),
        "live_path": f"/ui/fragments/runs/flow-run/{RUN_ID}/task-runs",
        "counts": (
            StateCount(state_type="COMPLETED", count=3, path="/runs"),
            StateCount(state_type="RUNNING", count=1, path="/runs"),
            StateCount(state_type="FAILED", count=1, path="/runs"),
        ),
        "total": 6,
    }
    return TaskRunPage(**(given | changes))


def task_detail(**changes: Any) -> TaskRunDetail:
    given: dict[str, Any] = {
        "id": TASK_ID,
        "name": "render-invoices-5be",
        "task_key": "invoices.render_invoices",
        "state_type": "RUNNING",
        "state_name": "Retrying",
        "state_timestamp": NOW - timedelta(seconds=50),
        "live_path": f"/ui/fragments/runs/task-run/{TASK_ID}/header",
        "flow_run_id": RUN_ID,
        "flow_run_name": "amber-falcon",
        "start_time": NOW - timedelta(seconds=75),
        "running_since": NOW - timedelta(seconds=75),
        "duration": 75.0,
        "run_count": 2,
        "retries": 3,
        "retry_delay": 10.0,
        "dynamic_key": "5be",
        "tags": ("pdf",),
        "created": NOW - timedelta(seconds=80),
        "task_inputs": '{"ledger":[{"input_type":"task_run","id":"0199"}],"day":[]}',
    }
    return TaskRunDetail(**(given | changes))


def log_line(index: int = 0, **changes: Any) -> LogLine:
    texts = (
        (20, "INFO", "Beginning flow run 'amber-falcon' for flow 'nightly-invoices'"),
        (10, "DEBUG", "Using the 3.11 interpreter of /opt/venv; cache key 5f0c…"),
        (20, "INFO", "Read \x1b[32m18 204\x1b[0m ledger rows in \x1b[1m13.8 s\x1b[0m"),
        (30, "WARNING", "Exchange rates for SEK are 26 h old, taking them anyway"),
        (40, "ERROR", TRACEBACK),
        (50, "CRITICAL", "Giving up after 2 attempts"),
    )
    level, level_name, message = texts[index % len(texts)]
    given: dict[str, Any] = {
        "id": f"{index:08d}",
        "timestamp": NOW - timedelta(seconds=136 - index * 3.217),
        "level": level,
        "level_name": level_name,
        "logger": "prefect.flow_runs",
        "message": message,
        "task_run_id": TASK_ID if index % 2 else None,
        "task_run_name": "render-invoices-5be" if index % 2 else None,
    }
    return LogLine(**(given | changes))


def log_page(**changes: Any) -> LogPage:
    path = f"/runs/flow-run/{RUN_ID}"
    given: dict[str, Any] = {
        "lines": tuple(log_line(index) for index in range(24)),
        "cursor": "00000023",
        "lines_path": f"/ui/fragments/runs/flow-run/{RUN_ID}/logs?level=0",
        "live": True,
        "levels": tuple(
            LogLevel(text=text, path=f"{path}?level={level}", current=level == 0)
            for text, level in (("All", 0), ("Info", 20), ("Warnings", 30), ("Errors", 40))
        ),
        "earlier_path": f"{path}?before=00000000",
        "download_path": f"{path}/logs.txt",
    }
    return LogPage(**(given | changes))


def pages() -> dict[str, dict[str, Any]]:
    """Every page and fragment with the context it expects."""
    run: dict[str, Any] = {
        "run": run_detail(),
        "waiting": waiting(),
        "error": run_error(),
        "states": state_history(),
        "tasks": task_page(),
        "logs": log_page(),
        "added": (),
        "run_id": RUN_ID,
        "now": NOW,
    }
    fault = {"shell": shell(), "detail": "There is no flow run 12.", "request_id": "0199b1"}
    return {
        "patterns.html": {"shell": shell(), "now": NOW},
        "errors/403.html": fault,
        "errors/404.html": fault,
        "errors/500.html": fault,
        "errors/refused.html": fault,
        "errors/fragment.html": {"detail": "The list could not be read.", "retry_path": "/runs"},
        "ui/home.html": {"shell": shell(), "page": home(), "now": NOW},
        "ui/_home.html": {"page": home(), "now": NOW},
        "ui/runs.html": {"shell": shell(), "page": run_page(), "now": NOW},
        "ui/_runs.html": {"page": run_page(), "now": NOW},
        "ui/run.html": {"shell": shell()} | run,
        "ui/_run_waiting.html": {"waiting": waiting(), "run_id": RUN_ID},
        "ui/_run_header.html": {"run": run_detail(), "now": NOW},
        "ui/_run_error.html": {"error": run_error(), "run_id": RUN_ID, "now": NOW},
        "ui/confirm.html": {"shell": shell(), "question": question()},
        "ui/_run_states.html": {"states": state_history(), "run_id": RUN_ID, "now": NOW},
        "ui/_task_runs.html": {"tasks": task_page(), "run_id": RUN_ID, "now": NOW},
        "ui/_logs.html": {"logs": log_page(), "run_id": RUN_ID},
        "ui/_log_lines.html": {"logs": log_page()},
        "ui/task_run.html": {"shell": shell()} | run | {"run": task_detail()},
        "ui/_task_run_header.html": {"run": task_detail(), "now": NOW},
        **flow_samples.pages(shell(), NOW, (run_row(0), run_row(8))),
        **pool_samples.pages(shell(), NOW),
        **system_samples.pages(shell(), NOW),
        **reference_samples.pages(shell(), EVIL),
        **deployment_samples.pages(shell=shell(), now=NOW, runs=(run_row(0), run_row(8))),
    }
