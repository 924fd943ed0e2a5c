"""What a request says of its API version decides whether it is taken."""

from __future__ import annotations

import httpx
import pytest


@pytest.mark.parametrize(
    ("version", "status"),
    [
        (None, 200), ("0.8.0", 200), ("0.8.4", 200), ("0.9.0", 200), ("12.0.0", 200),
        ("0.7.9", 400), ("0.0.0", 400), ("", 400), ("0.8", 400), ("0.8.4.1", 400), ("v0.8.4", 400),
    ],
)  # fmt: skip
async def test_versions_from_0_8_0_on_are_spoken(
    client: httpx.AsyncClient, version: str | None, status: int
) -> None:
    headers = {} if version is None else {"X-Prefect-Api-Version": version}
    for path in ("/api/flows/count", "/api/flows/count/"):
        answer = await client.post(path, headers=headers)
        assert answer.status_code == status
        if status == 400:
            assert "ersion" in answer.json()["detail"]
