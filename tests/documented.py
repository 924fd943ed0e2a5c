"""Which statuses our own document names for what is asked."""

import json
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

DOCUMENT = Path(__file__).parent / "snapshots" / "openapi.json"


class Operation(NamedTuple):
    path: re.Pattern[str]
    method: str
    statuses: frozenset[str]


@cache
def operations() -> list[Operation]:
    """Those with fewer parameters first: ``/flows/filter`` is no id."""
    paths = json.loads(DOCUMENT.read_text())["paths"]
    return [
        Operation(
            re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "/?"),
            method.upper(),
            frozenset(operation["responses"]),
        )
        for path in sorted(paths, key=lambda path: path.count("{"))
        for method, operation in paths[path].items()
    ]


def undocumented(method: str, path: str, status: int) -> bool:
    """Whether the operation may not answer so; what the server itself gets wrong is no matter."""
    if status >= 500:
        return False
    asked = urlsplit(path).path
    found = (each for each in operations() if each.method == method and each.path.fullmatch(asked))
    operation = next(found, None)
    return operation is not None and str(status) not in operation.statuses
