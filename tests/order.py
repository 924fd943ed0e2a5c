"""In what order the tests are run where several processes share them."""

from collections.abc import Sequence

import pytest

LONG = (
    ("tests/end_to_end/",),
    ("tests/soak/", "tests/contracts/bad_input/", "tests/web/test_browser.py"),
    ("tests/simulation/", "tests/model/", "tests/contracts/test_tenancy.py", "tests/speed/"),
)
"""Where long tests are: those that wait, those that share programs, those that compute."""


def long_first(items: Sequence[pytest.Item], processes: int) -> list[pytest.Item]:
    """Each process is given as many in a row, and takes from the end of others' once it has done.

    So each begins with long ones, and what is left at the end are short ones for everybody: none
    waits alone for a minute for a test that began last.
    """
    groups = [[item for item in items if item.nodeid.startswith(places)] for places in LONG]
    long = {id(item) for group in groups for item in group}
    short = [item for item in items if id(item) not in long]
    ordered: list[pytest.Item] = []
    for process in range(processes):
        share = (len(items) - len(ordered)) // (processes - process)
        own = [item for group in groups[process::processes] for item in group]
        filling = max(0, share - len(own))
        ordered += own + short[:filling]
        short = short[filling:]
    return ordered + short
