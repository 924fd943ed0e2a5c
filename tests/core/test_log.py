"""A line for each event, named after its plugin."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from armillary import log
from armillary.settings import LogSettings


@pytest.fixture(autouse=True)
def _root_logger_is_given_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def written(settings: LogSettings) -> str:
    stream = io.StringIO()
    log.configure(settings, stream)
    logging.getLogger("armillary_plugins.scheduler").warning("%d runs are late", 3)
    logging.getLogger("armillary.db").debug("not said")
    return stream.getvalue()


def test_a_console_line_names_the_plugin() -> None:
    assert written(LogSettings())[8:] == " warning scheduler: 3 runs are late\n"


def test_a_json_line_is_one_object() -> None:
    line = json.loads(written(LogSettings(format="json")))
    assert (line["level"], line["logger"]) == ("warning", "scheduler")
    assert line["message"] == "3 runs are late"


def test_a_trace_stands_in_its_line() -> None:
    stream = io.StringIO()
    log.configure(LogSettings(format="json"), stream)
    try:
        int("out of sorts")
    except ValueError:
        logging.getLogger("armillary.app").exception("it failed")
    (line,) = stream.getvalue().splitlines()
    assert "out of sorts" in json.loads(line)["trace"]
