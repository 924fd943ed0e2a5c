"""How an HTTP or websocket route is declared: once, with its scope, body and answers.

A route is served by Litestar; the few marked ``hot`` are answered before it by
:mod:`armillary.lane`, from the same declaration.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Annotated, Any, Optional, TypeAlias, TypeVar

import msgspec

from armillary.api_query import reading_query
from armillary.db.unit import Reader, Unit
from armillary.errors import Invalid, NotFound
from armillary.exact_json import TOO_LONG, has_too_long_number
from armillary.forms import Form
from armillary.knowing import knowing, member_of
from armillary.orchestration.transition import Client
from armillary.shared_reads import sharing

if TYPE_CHECKING:
    from armillary.access import Actor
    from armillary.api_socket import Socket
    from armillary.core import Core

T = TypeVar("T")

if TYPE_CHECKING:
    OrDefault: TypeAlias = Annotated[T, "null means the default"]
else:
    OrDefault = Optional

API = "/api"
"""Where routes are served unless they say otherwise."""
MAX_PAGE = 200
_ENCODE = msgspec.json.Encoder().encode
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_CANONICAL = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")


class Body(msgspec.Struct, kw_only=True):
    """A request body.  Unknown members are ignored; null means the default where there is one.

    Declare a member whose null shall turn into its default as ``OrDefault[int] = 200``.
    """

    def __post_init__(self) -> None:
        """Put defaults where the client sent null."""
        for name, make in _defaults(type(self)):
            if getattr(self, name) is None:
                setattr(self, name, make())


def _same(value: object) -> object:
    return value


@cache
def _defaults(body: type[Body]) -> tuple[tuple[str, Callable[[], object]], ...]:
    found: list[tuple[str, Callable[[], object]]] = []
    for field in msgspec.structs.fields(body):
        if field.default_factory is not msgspec.NODEFAULT:
            found.append((field.name, field.default_factory))
        elif field.default not in (msgspec.NODEFAULT, None, msgspec.UNSET):
            found.append((field.name, partial(_same, field.default)))
    return tuple(found)


class Answer:
    """What a handler answers with; a hot route may stream parts after the body instead."""

    __slots__ = ("body", "headers", "media_type", "status", "stream")

    def __init__(
        self,
        body: bytes,
        status: int = 200,
        *,
        media_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        stream: AsyncIterator[bytes] | None = None,
    ) -> None:
        self.body = body
        self.status = status
        self.media_type = media_type
        self.headers = headers
        self.stream = stream

    @classmethod
    def json(cls, value: object, status: int = 200) -> Answer:
        """Encode a value."""
        return cls(_ENCODE(value), status)

    @classmethod
    def empty(cls, status: int = 204) -> Answer:
        """Answer without a body."""
        return cls(b"", status)

    @classmethod
    def text(cls, value: str, status: int = 200) -> Answer:
        """Answer with plain text."""
        return cls(value.encode(), status, media_type="text/plain; charset=utf-8")


class Call:
    """One request as a handler sees it: who asks, in which workspace, with which parameters.

    ``received`` is the arrival in microseconds since the epoch; a row created later than that
    was created by this request.
    """

    __slots__ = (
        "account_id", "actor", "client", "core", "headers", "path", "query", "received",
        "workspace", "workspace_id",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 - made in one place, by the front
        self,
        core: Core,
        *,
        workspace: int,
        workspace_id: str,
        account_id: str,
        actor: Actor,
        client: Client,
        received: int,
        path: Mapping[str, str],
        query: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> None:
        self.core = core
        self.workspace = workspace
        self.workspace_id = workspace_id
        self.account_id = account_id
        self.actor = actor
        self.client = client
        self.received = received
        self.path = path
        self.query = query
        self.headers = headers

    def read(self) -> Reader:
        """Return a reader of the caller's workspace."""
        return self.core.deletions.reader(self.workspace)

    def write(self, work: Callable[[Unit], Awaitable[T]]) -> Awaitable[T]:
        """Do a unit of work in the caller's workspace."""
        return self.core.database.write(work, workspace=self.workspace)


Handler: TypeAlias = Callable[..., Awaitable[Answer]]
Failure: TypeAlias = Callable[[Call, int, str], Answer]
"""Answers a request outside the API that failed: with this status, for this reason."""
SocketHandler: TypeAlias = "Callable[[Call, Socket], Awaitable[None]]"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One declared route.  ``scope`` None means open to anybody, signed in or not."""

    method: str
    path: str
    handler: Handler
    scope: str | None
    body: Any = None
    query: Any = None
    answers: Mapping[int, Any] = msgspec.field(default_factory=lambda: {200: None})
    refuses: Collection[int] = ()
    """Statuses of refusals beyond those that follow from the rest: see the OpenAPI document."""
    tag: str = ""
    group: str = ""
    mount: str = API
    hot: bool = False
    streams: bool = False
    """Whether answers may come in parts, as long as there are any."""
    nul: bool = False
    """Whether NUL characters in the body are the handler's business."""

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (inspect.getdoc(self.handler) or "").partition("\n")[0]


class SocketRoute(msgspec.Struct, frozen=True, kw_only=True):
    """One declared websocket route."""

    path: str
    handler: SocketHandler
    scope: str


class Routes:
    """Routes of one topic, declared by decorating their handlers.

    With ``mount=""`` they lie outside the API, where ``failure`` answers what goes wrong.  Give
    ``shared=True`` for what reads much and depends on nothing but what is asked and the workspace:
    it is read once for all who ask at the same time.
    """

    def __init__(self, *, tag: str, mount: str = API, failure: Failure | None = None) -> None:
        self.tag = tag
        self.mount = mount
        self.failure = failure
        self.http: list[Route] = []
        self.sockets: list[SocketRoute] = []

    def get(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Declare a GET route."""
        return self._add("GET", path, options)

    def post(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Declare a POST route."""
        return self._add("POST", path, options)

    def put(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Declare a PUT route."""
        return self._add("PUT", path, options)

    def patch(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Declare a PATCH route."""
        options.setdefault("answers", {204: None})
        return self._add("PATCH", path, options)

    def delete(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Declare a DELETE route."""
        options.setdefault("answers", {204: None})
        return self._add("DELETE", path, options)

    def websocket(self, path: str, *, scope: str) -> Callable[[SocketHandler], SocketHandler]:
        """Declare a websocket route."""

        def declare(handler: SocketHandler) -> SocketHandler:
            self.sockets.append(SocketRoute(path=path, handler=handler, scope=scope))
            return handler

        return declare

    def _add(self, method: str, path: str, options: dict[str, Any]) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            hints = typing.get_type_hints(handler, localns=_NAMES)
            query = hints.get("query")
            served = handler if query is None else reading_query(handler, query)
            if options.pop("shared", False):
                served = sharing(served, path)
            self.http.append(
                Route(
                    method=method,
                    path=path,
                    handler=served,
                    body=hints.get("body"),
                    query=query,
                    tag=self.tag,
                    group=group_of(method, path),
                    mount=self.mount,
                    **options,
                )
            )
            return handler

        return declare


_NAMES: dict[str, object] = {"Call": Call, "Answer": Answer}
_READS = ("filter", "count", "history", "paginate", "lateness", "graph", "graph-v2")


def group_of(method: str, path: str) -> str:
    """Name the request group a route of flow runs or task runs belongs to; else ``server``."""
    for kind in ("flow_run", "task_run"):
        if f"/{kind}s/" in f"{path}/" or f"/{kind}_states/" in f"{path}/":
            last = path.rstrip("/").rpartition("/")[2]
            reads = method == "GET" or last in _READS or path.startswith("/ui/")
            return f"{kind}_{'reads' if reads else 'writes'}"
    return "server"


def decode(
    kind: type[T],
    body: bytes,
    *,
    nul: bool = False,
    unknown: Callable[[str], None] | None = None,
) -> T:
    """Decode a request's body, laxly; Invalid says where it went wrong.

    NUL characters are refused unless ``nul``: no database of ours keeps them; so are whole numbers
    of so many digits that a client in Python could not read them back.  A handler whose
    body is a :class:`~armillary.forms.Form` takes what a form of a page sends.  ``unknown`` is
    told of a member that is ignored, if there is any.
    """
    if kind is Form:
        return Form.read(body)  # type: ignore[return-value]  # T is Form
    if not nul and b"\\u0000" in body and _NUL.search(body):
        message = "Text must not contain NUL characters (\\u0000)."
        raise Invalid(message, kind="nul", request_body=None)
    if has_too_long_number(body):
        raise Invalid(TOO_LONG, kind="int_parsing_size", request_body=None)
    try:
        if not body.isascii():
            body.decode()  # msgspec lets anything pass inside a Raw
        return _decoded(kind, body or b"{}", unknown)  # type: ignore[no-any-return]
    except msgspec.ValidationError as error:
        raise _invalid(error, body) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"The body is not valid JSON: {error}"
        raise Invalid(message, kind="json_invalid") from error
    except Invalid as error:
        error.request_body = _echo(body)
        raise
    except ValueError as error:  # what msgspec says of an epoch number beyond the year 9999
        message = f"A date in the body is out of range: {error}."
        raise Invalid(message, kind="datetime_parsing", request_body=_echo(body)) from error


def _decoded(kind: Any, body: bytes, unknown: Callable[[str], None] | None) -> Any:
    if unknown is None:
        return _decoder(kind).decode(body)
    try:
        return _decoder(knowing(kind)).decode(body)
    except msgspec.ValidationError as error:
        found = _decoder(kind).decode(body)  # fails again unless that was all
        unknown(member_of(error))
        return found


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, strict=False)


_AT = re.compile(r"^(?P<message>.*?)(?: - at `\$?(?P<path>.*)`)?$", re.DOTALL)


def _invalid(error: msgspec.ValidationError, body: bytes) -> Invalid:
    found = _AT.match(str(error))
    message = found["message"] if found else str(error)
    steps = re.findall(r"[^.\[\]]+", (found and found["path"]) or "")
    loc = ("body", *(int(step) if step.isdigit() else step for step in steps))
    return Invalid(message, loc=loc, kind="type_error", request_body=_echo(body))


def _echo(body: bytes) -> object:
    """Give the request back in the error, unless it is large or no JSON."""
    if len(body) > 65536:
        return None
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return msgspec.Raw(body)


def uuid_text(text: str) -> str:
    """Return a path's uuid in canonical form; NotFound if it is none."""
    if _CANONICAL.fullmatch(text):
        return text
    if not _UUID.fullmatch(text):
        message = "Not Found"
        raise NotFound(message)
    digits = text.replace("-", "").lower()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def page_limit(limit: int | None) -> int:
    """Check the ``limit`` member of a list request; clients match these words."""
    if limit is None:
        return MAX_PAGE
    if limit > MAX_PAGE:
        message = f"Invalid limit: must be less than or equal to {MAX_PAGE}."
    elif limit < 0:
        message = "Invalid limit: must be greater than or equal to 0."
    else:
        return limit
    raise LimitRefused(message)


class LimitRefused(Invalid):
    """A page limit out of bounds: 422 with ``detail``, which clients look for."""

    @property
    def body(self) -> dict[str, object]:
        """The shape with ``detail``."""
        return {"detail": str(self)}
