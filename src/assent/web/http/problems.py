"""Errors on the wire: RFC 9457 problem details, made from the one error tree and from nothing else."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException

from assent.terms.errors import AssentError, Forbidden, InvalidInput, MethodNotAllowed, NotFound, TooLarge
from assent.terms.errors import Unauthenticated as NoKey

PROBLEM_MEDIA_TYPE = "application/problem+json"
#: Seconds after which a client may repeat a request that the server could not take.
RETRY_AFTER_SECONDS = 1

_TYPE_PREFIX = "urn:assent:error:"
_log = logging.getLogger("assent.web")

#: Our error for each status that the web framework raises itself.
_BY_STATUS: dict[int, type[AssentError]] = {400: InvalidInput, 401: NoKey, 403: Forbidden, 404: NotFound, 413: TooLarge}


class Problem(msgspec.Struct, frozen=True):
    """A problem detail (RFC 9457), with `advice` on what to do next; Segment's clients read `code` and `message`."""

    type: str
    title: str
    status: int
    detail: str
    advice: str
    code: str
    message: str


def problem_of(error: AssentError) -> Problem:
    """Put an error into the shape of RFC 9457."""
    kind = type(error)
    return Problem(
        type=_TYPE_PREFIX + kind.code,
        title=kind.title,
        status=kind.status,
        detail=error.message,
        advice=error.advice,
        code=kind.code,
        message=error.message,
    )


def problem_headers(error: AssentError, allow: Sequence[str] = ()) -> dict[str, str]:
    """Return the headers that the status of an error asks for: `WWW-Authenticate`, `Allow`, `Retry-After`."""
    headers = {"content-type": PROBLEM_MEDIA_TYPE}
    if error.status == NoKey.status:
        headers["www-authenticate"] = 'Bearer realm="assent"'
    if error.status == MethodNotAllowed.status:
        headers["allow"] = ", ".join(allow)
    if error.status in {429, 503}:
        headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    return headers


def to_assent_error(error: Exception) -> AssentError:
    """Return an error as one of our own tree; logs a fault, never what was sent."""
    if isinstance(error, AssentError):
        if error.status >= 500:
            _log_fault(error)
        return error
    if isinstance(error, NotFoundException):
        return NotFound("There is no such route.", advice="GET /openapi.json lists every route.")
    if isinstance(error, MethodNotAllowedException):
        return MethodNotAllowed("The route does not take this method.")
    if isinstance(error, HTTPException) and error.status_code in _BY_STATUS:
        return _BY_STATUS[error.status_code]("The request cannot be read as it is.")
    _log_fault(error)
    return AssentError("The server met a fault of its own; it is in the log.")


def _log_fault(error: Exception) -> None:
    """Log the fault's type and place: never its text, which may hold what a client sent."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
    _log.error("%s at %s", type(error).__name__, where)


def leave_unanswered(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Raise an error again for the outermost layer, which sends no answer to a client that is gone."""
    raise error


def answer_error(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer any error that a route raises."""
    own = to_assent_error(error)
    allow = []
    if isinstance(error, MethodNotAllowedException):
        allow = [each.strip() for each in (error.headers or {}).get("allow", "").split(",")]
        allow += ["HEAD"] if "GET" in allow else []
    return Response(
        msgspec.json.encode(problem_of(own)),
        status_code=own.status,
        headers=problem_headers(own, sorted(allow)),
        media_type=PROBLEM_MEDIA_TYPE,
    )
