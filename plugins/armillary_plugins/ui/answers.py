"""Pages and their parts as answers: policy, validators, compression."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping

from armillary.api import Answer, Call

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
HTML = "text/html; charset=utf-8"
HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "private, no-cache",
}
"""What every answer of ours outside the API carries."""
_WORTH_PACKING = 1400
_LEVEL = 4


def accepts_gzip(call: Call) -> bool:
    """Whether the browser takes compressed answers."""
    return "gzip" in call.headers.get("accept-encoding", "")


def html_answer(
    call: Call, body: bytes, status: int = 200, *, headers: Mapping[str, str] | None = None
) -> Answer:
    """Answer with a page or a part of one; 304 where the browser has the same already."""
    given = {**HEADERS, "vary": "accept-encoding", **(headers or {})}
    if status == 200:
        tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        given["etag"] = tag
        if call.headers.get("if-none-match") == tag:
            return Answer(b"", 304, media_type=HTML, headers=given)
    return packed(call, Answer(body, status, media_type=HTML, headers=given))


def packed(call: Call, answer: Answer) -> Answer:
    """Compress an answer where that is worth it and the browser takes it."""
    if len(answer.body) >= _WORTH_PACKING and accepts_gzip(call):
        answer.body = gzip.compress(answer.body, compresslevel=_LEVEL, mtime=0)
        answer.headers = {**(answer.headers or {}), "content-encoding": "gzip"}
    return answer
