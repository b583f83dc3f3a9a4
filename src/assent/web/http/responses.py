"""Answers as ASGI messages: one head and one body, of an operation or of an error."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from litestar.types import Send

from assent.terms.errors import AssentError
from assent.web.http.policies import Headers
from assent.web.http.problems import problem_headers, problem_of

encode = msgspec.json.Encoder().encode


def body_of(answer: object) -> bytes:
    """Return a handler's answer as bytes: None is empty, text is encoded, bytes stay, all else becomes JSON."""
    if isinstance(answer, bytes):
        return answer
    if answer is None:
        return b""
    return answer.encode() if isinstance(answer, str) else encode(answer)


async def send_answer(
    send: Send, status: int, body: bytes, headers: Headers, media: bytes = b"application/json"
) -> None:
    """Send one whole answer; without a body when it is 204."""
    if status != 204:
        headers = [(b"content-type", media), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def send_problem(
    send: Send, error: AssentError, headers: Headers | None = None, allow: Sequence[str] = ()
) -> None:
    """Send an error as a problem detail."""
    own = problem_headers(error, allow)
    media = own.pop("content-type").encode()
    lines = [(name.encode(), value.encode()) for name, value in own.items()]
    await send_answer(send, error.status, encode(problem_of(error)), [*lines, *(headers or [])], media)
