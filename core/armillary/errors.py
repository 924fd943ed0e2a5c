"""The closed family of deliberate errors, each with the status it is answered with."""

from __future__ import annotations

from collections.abc import Mapping


class ArmillaryError(Exception):
    """Something a person asked for cannot be done; the message says what, which input, what to do.

    ``status`` is the HTTP status, ``body`` the JSON object of the answer.
    """

    status = 500
    headers: Mapping[str, str] = {}

    @property
    def body(self) -> dict[str, object]:
        """The answer's JSON object."""
        return {"detail": str(self)}


class ConfigError(ArmillaryError):
    """The installation or its settings are at fault; stops the start with one sentence."""


class PluginFailed(ConfigError):
    """A plugin is at fault: the server starts anew without it."""

    def __init__(self, plugin: str, reason: str) -> None:
        super().__init__(f"The plugin {plugin} cannot be used: {reason}.")
        self.plugin = plugin
        self.reason = reason


class Refused(ArmillaryError):
    """A request that is understood and turned down, with a status of its own."""

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}


class NotFound(ArmillaryError):
    """What the request names is not there: 404 with ``detail``."""

    status = 404


class RunNotFound(ArmillaryError):
    """A run that orchestration was asked about is not there: 404 with ``exception_message``."""

    status = 404

    @property
    def body(self) -> dict[str, object]:
        """The shape clients know from orchestration."""
        return {"exception_message": str(self)}


class Conflict(ArmillaryError):
    """The request contradicts what is stored: 409."""

    status = 409

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(
            detail
            or "Data integrity conflict. This usually means a unique or foreign key constraint "
            "was violated. See server logs for details."
        )


class Invalid(ArmillaryError):
    """The request is malformed: 422 in the shape clients print.

    ``problems`` are objects of ``loc`` (path), ``msg`` and ``type``; ``request_body`` is echoed.
    """

    status = 422

    def __init__(
        self,
        message: str,
        *,
        loc: tuple[str | int, ...] = ("body",),
        kind: str = "value_error",
        request_body: object = None,
    ) -> None:
        super().__init__(message)
        self.problems = [{"loc": list(loc), "msg": message, "type": kind}]
        self.request_body = request_body

    @property
    def body(self) -> dict[str, object]:
        """The shape of a request that did not validate."""
        return {
            "exception_message": "Invalid request received.",
            "exception_detail": self.problems,
            "request_body": self.request_body,
        }


class Unavailable(ArmillaryError):
    """The database is away for now: 503, to be tried again."""

    status = 503
    headers = {"Retry-After": "1"}

    @property
    def body(self) -> dict[str, object]:
        """The shape clients retry on."""
        return {"exception_message": "Service Unavailable"}


class Busy(ArmillaryError):
    """Too much of that kind is waiting: 503, to be tried again."""

    status = 503
    headers = {"Retry-After": "5"}

    @property
    def body(self) -> dict[str, object]:
        """The shape clients retry on."""
        return {"exception_message": str(self)}
