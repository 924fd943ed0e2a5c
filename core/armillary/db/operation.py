"""Work of one kind that is done for all who wait for it at once: load, decide, apply.

What has queued by the time the writer is free shares one transaction, on either database.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from armillary.db.unit import Unit

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class Operation(ABC, Generic[Request, Answer]):
    """A hot operation.  ``execute`` answers every request, in order; an exception is an answer.

    If ``execute`` itself raises, each request is done again alone, so that one bad request
    fails by itself.
    """

    serial: ClassVar[bool] = False
    """Whether its batches are done one after the other, so that requests keep their order."""

    @abstractmethod
    async def execute(
        self, unit: Unit, requests: Sequence[Request]
    ) -> Sequence[Answer | Exception]:
        """Do the work for all requests inside one unit across workspaces."""

    def key(self, request: Request) -> object:
        """Name what the request changes: two with one key never share a batch."""
        return id(request)
