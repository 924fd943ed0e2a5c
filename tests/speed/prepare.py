"""What a server must hold before it is measured, made over its own API."""

import datetime as dt
import http.client
import json
import time
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from tests.speed.client import SDK_HEADERS

POOL = "speed"

# As the SDK does: a server that is busy for a moment can still be measured.
CLOSED = 0
RETRIED = (CLOSED, 429, 502, 503)
TRIES = 10
PAUSE_SECONDS = 1


class Refused(Exception):
    """The server did not answer a request of the preparation with 2xx."""


class Api:
    """One kept-alive connection to an API."""

    def __init__(self, base_url: str) -> None:
        address = urlsplit(base_url)
        self._path = address.path.rstrip("/")
        self._connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=60
        )
        self._headers = dict(header.split(": ", 1) for header in SDK_HEADERS)
        self._headers["Content-Type"] = "application/json"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def post(self, path: str, body: object) -> Any:
        status, text = self._try("POST", path, body)
        for _ in range(TRIES):
            if status not in RETRIED:
                break
            time.sleep(PAUSE_SECONDS)
            status, text = self._try("POST", path, body)
        if not 200 <= status < 300:
            raise Refused(f"POST {path} was answered {status}: {text[:500]}")
        return json.loads(text)

    def exists(self, path: str) -> bool:
        status, _ = self._ask("GET", path, None)
        return status == 200

    def _try(self, method: str, path: str, body: object) -> tuple[int, str]:
        try:
            return self._ask(method, path, body)
        except (ConnectionError, http.client.HTTPException) as failure:
            # Closed while we paused, or in the middle: a new connection is part of the next try.
            self._connection.close()
            return CLOSED, f"the connection broke: {failure!r}"

    def _ask(self, method: str, path: str, body: object) -> tuple[int, str]:
        payload = None if body is None else json.dumps(body)
        self._connection.request(method, self._path + path, body=payload, headers=self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")


@dataclass(frozen=True)
class Prepared:
    """What the load client must be told about the server's content."""

    flow_id: str
    pool: str
    deployment_id: str


def prepare(base_url: str, *, scheduled_runs: int) -> Prepared:
    """A flow, a pool, a deployment, and scheduled runs that a worker of the pool may take."""
    with Api(base_url) as api:
        flow = api.post("/flows/", {"name": "speed", "tags": [], "labels": {}})
        if not api.exists(f"/work_pools/{POOL}"):
            api.post("/work_pools/", {"name": POOL, "type": "process"})
        deployment = api.post(
            "/deployments/",
            {
                "name": "speed",
                "flow_id": flow["id"],
                "work_pool_name": POOL,
                "entrypoint": "speed.py:speed",
                "path": ".",
                "tags": ["speed"],
            },
        )
        for _ in range(scheduled_runs):
            api.post(f"/deployments/{deployment['id']}/create_flow_run", _scheduled())
    return Prepared(flow_id=flow["id"], pool=POOL, deployment_id=deployment["id"])


def _scheduled() -> dict[str, Any]:
    now = dt.datetime.now(dt.UTC).isoformat()
    details = {"scheduled_time": now}
    return {"state": {"type": "SCHEDULED", "state_details": details}, "parameters": {"n": 3}}
