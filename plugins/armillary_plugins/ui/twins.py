"""What a list page shows, for programs: the same address ending in `.json` or `.csv`.

::

    /runs?state=Failed       the page
    /runs.json?state=Failed  {"rows": [...], "next": "/runs.json?state=Failed&before=..."}
    /runs.csv?state=Failed   a heading and rows; `Link: <...>; rel="next"` names where they go on

Columns are the members of the rows' struct.  A part has at most :data:`MOST` rows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from armillary.api import Answer, Call, Routes
from armillary_plugins.ui.answers import HEADERS, packed
from armillary_plugins.ui.site import site_of
from armillary_web.pages import Twin

MOST = 1000
"""Rows in one part, and how many come where `limit` asks for no fewer."""

TWIN_ENDINGS = (".json", ".csv")
_CSV = "text/csv; charset=utf-8"
_JSON = "application/json"
_FORMULA = tuple("=+-@\t\r\n\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}") + tuple(
    "\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
"""What makes a table program take a text for a formula when it begins with it."""
_encode = msgspec.json.Encoder(decimal_format="number").encode


Make = Callable[[Call, int], Awaitable[Twin]]
"""Reads the rows that the call's query asks for, at most so many."""


def declare_twins(routes: Routes, path: str, make: Make, *, scope: str) -> None:
    """Declare the twins of the list page at a path: ``{name}`` parts are in ``call.path``."""

    async def send_json(call: Call) -> Answer:
        """Send what the list page shows as JSON."""
        twin = await make(call, read_limit(call.query))
        following = _next(call, twin, ".json")
        body = _encode({"rows": twin.rows, "next": following})
        return _answer(call, body, _JSON, following)

    async def send_csv(call: Call) -> Answer:
        """Send what the list page shows as CSV."""
        twin = await make(call, read_limit(call.query))
        name = path.rpartition("/")[2]
        disposition = {"content-disposition": f'attachment; filename="{name}.csv"'}
        body = csv_bytes(twin.kind, twin.rows)
        return _answer(call, body, _CSV, _next(call, twin, ".csv"), disposition)

    routes.get(f"{path}.json", scope=scope)(send_json)
    routes.get(f"{path}.csv", scope=scope)(send_csv)


def read_limit(query: Mapping[str, str]) -> int:
    """Read how many rows are wanted; what makes no sense is left out."""
    text = query.get("limit", "")
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        return MOST
    return min(max(int(text), 1), MOST)


def csv_bytes(kind: type[msgspec.Struct], rows: Sequence[msgspec.Struct]) -> bytes:
    """Write rows as CSV; no cell of it is a formula to any table program."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(kind.__struct_fields__)
    writer.writerows(
        [_cell(value) for value in msgspec.to_builtins(msgspec.structs.astuple(row))]
        for row in rows
    )
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if isinstance(value, bool | list | tuple | dict):
        return _encode(value).decode()
    return value


def _beside(path: str, ending: str) -> str:
    page, mark, query = path.partition("?")
    return f"{page}{ending}{mark}{query}"


def _next(call: Call, twin: Twin, ending: str) -> str | None:
    if twin.next_path is None:
        return None
    path = _beside(twin.next_path, ending)
    if (limit := read_limit(call.query)) != MOST:
        path += f"{'&' if '?' in path else '?'}limit={limit}"
    return site_of(call.core).base_path + path


def _answer(
    call: Call,
    body: bytes,
    media_type: str,
    following: str | None,
    more: Mapping[str, str] | None = None,
) -> Answer:
    headers = {**HEADERS, "vary": "accept-encoding", **(more or {})}
    if following is not None:
        headers["link"] = f'<{following}>; rel="next"'
    return packed(call, Answer(body, media_type=media_type, headers=headers))
