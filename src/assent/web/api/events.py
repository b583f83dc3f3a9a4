"""Events in, by Segment's tracking API as its clients use it: any content type, gzip or not, long and short paths."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from assent.terms.errors import InvalidInput, NotFound, TooLarge
from assent.terms.limits import limit
from assent.terms.segment import CALLS
from assent.web.http.auth import PUBLIC
from assent.web.http.call import Call
from assent.web.http.operation import Described, Json, Operation, Tag, operation
from assent.web.http.responses import encode

TAG = Tag("events", "Events in, from Segment's and RudderStack's clients.")

#: Larger bodies are searched for a write key in a thread, so that small requests need not wait.
INLINE_BYTES = 16_384

WriteKey = Annotated[str, Meta(min_length=1, description="A browser write key.", examples=["browser_0123"])]


class Success(msgspec.Struct, frozen=True):
    """The answer that Segment's clients expect."""

    success: bool


class SegmentSettings(msgspec.Struct, frozen=True):
    """The settings that Segment's browser client reads before it sends anything."""

    integrations: Mapping[str, Mapping[str, Any]]
    plan: Mapping[str, Any]


_SUCCESS = encode(Success(success=True))
_PLAN: dict[str, Any] = {"track": {}, "identify": {}, "group": {}}

_TEXT_OR_NULL: Json = {"type": ["string", "null"]}
_OBJECT_OR_NULL: Json = {"type": ["object", "null"]}
_FRAME = {"context": _OBJECT_OR_NULL, "sentAt": _TEXT_OR_NULL, "writeKey": _TEXT_OR_NULL}
_EVENTS: Json = {"type": "array", "description": f"At most {limit('batch_events_max')} events."}

EVENT = Described(word="event", schema=lambda *_: {"type": "object", "properties": _FRAME})
BATCH = Described(
    word="batch",
    schema=lambda *_: {"type": "object", "required": ["batch"], "properties": {"batch": _EVENTS, **_FRAME}},
)
ANYTHING = Described(word="anything", schema=lambda *_: {"type": "string"}, media="text/plain", required=False)


def _tracking(call_name: str, path: str) -> Operation:
    """Make one path of one of Segment's calls."""
    batch = call_name == "batch"

    @operation(
        "POST",
        f"/v1/{path}",
        act="take_in",
        body=BATCH if batch else EVENT,
        answer=Success,
        errors=(InvalidInput, TooLarge),
        write_key=True,
        lean=True,
        cross_origin=True,
        name=path if path == call_name else f"{call_name}_short",
        summary=f"Take in {'a batch of events' if batch else f'one {call_name} event'}, as Segment does.",
    )
    async def take_in(call: Call) -> bytes:
        body = await call.body()
        sent = call.header(b"content-encoding")
        encoding = None if sent is None else sent.decode("latin-1").strip().lower()
        await _admit(call, body, encoding)
        stored = call.engine.events.submit(body, encoding=encoding, kind=call_name, gpc=call.opted_out)
        await call.bridge.committed(stored)
        return _SUCCESS

    return take_in


async def _admit(call: Call, body: bytes, encoding: str | None) -> None:
    """Check that a key may send events; raises `Unauthenticated` or `Forbidden`.

    A header without a known key does not hide a `writeKey` in the body: clients with OAuth send both.
    """
    key = call.key
    if key is None or call.engine.keys.role(key) is None:
        look = partial(call.engine.events.write_key_of, body, encoding)
        key = look() if len(body) <= INLINE_BYTES else await call.in_thread(look)
    call.admit(key, "take_in")


@operation("POST", "/v1/m", act=PUBLIC, body=ANYTHING, answer=Success, errors=(TooLarge,), lean=True, cross_origin=True)
async def client_metrics(call: Call) -> bytes:
    """Accept the metrics that Segment's browser client sends about itself, and discard them."""
    await call.body()
    return _SUCCESS


@operation(
    "GET",
    "/v1/projects/{key}/settings",
    act=PUBLIC,
    field=WriteKey,
    answer=SegmentSettings,
    errors=(NotFound,),
    cross_origin=True,
)
async def client_settings(call: Call) -> SegmentSettings:
    """Return the settings of Segment's browser client; the path names a browser write key."""
    key = call.name
    role = await call.in_thread(lambda: call.engine.keys.role(key))
    if role != "browser":
        raise NotFound("No browser write key has that name.", advice="Make one with the role `browser`.")
    integrations = {"Segment.io": {"apiKey": key, "unbundledIntegrations": [], "addBundledMetadata": True}}
    return SegmentSettings(integrations, _PLAN)


ROUTES = (
    *(_tracking(call, path) for call, short in CALLS.items() for path in (call, short)),
    client_metrics,
    client_settings,
)
