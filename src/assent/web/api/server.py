"""The server itself: health, metrics, support of Global Privacy Control, and the description of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import msgspec

from assent.web.http.auth import PUBLIC
from assent.web.http.call import Call
from assent.web.http.operation import Tag, operation

TAG = Tag("server", "The server itself.")

#: Date of the last change in how Global Privacy Control is handled.
GPC_LAST_UPDATE = "2026-11-23"
METRICS_MEDIA_TYPE = "text/plain; version=0.0.4"

#: For answers without personal data: caches may keep them for an hour.
_CACHED = {"cache-control": "public, max-age=3600"}
#: The metric of each group of `engine.server.metrics`: (metric, label, type, help); others are not published.
_METRICS = {
    "events": ("assent_events_total", "outcome", "counter", "Events by what became of them."),
    "sizes": ("assent_event_bytes_total", "what", "counter", "Bytes of events received, and kept after minimizing."),
    "acts": ("assent_acts_total", "act", "counter", "Acts by name."),
    "stored": ("assent_stored", "what", "gauge", "What the store holds."),
}


class Gpc(msgspec.Struct, frozen=True, rename="camel"):
    """The Global Privacy Control support resource (W3C GPC, section 4)."""

    gpc: bool
    last_update: str


class Status(msgspec.Struct, frozen=True):
    """The health of server and store. It is public, so it holds nothing else."""

    status: str


def prometheus(metrics: Mapping[str, Mapping[str, int]]) -> str:
    """Write counts in Prometheus' text exposition format 0.0.4."""
    lines: list[str] = []
    for group, (name, label, kind, text) in _METRICS.items():
        counts = metrics.get(group, {})
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        lines += [f'{name}{{{label}="{key}"}} {value}' for key, value in sorted(counts.items())]
    return "\n".join(lines) + "\n"


@operation("GET", "/.well-known/gpc.json", act=PUBLIC, answer=Gpc, headers=_CACHED)
async def gpc_support(_: Call) -> Gpc:
    """State that Global Privacy Control is honored."""
    return Gpc(gpc=True, last_update=GPC_LAST_UPDATE)


@operation("GET", "/health", act=PUBLIC, answer=Status)
async def health(call: Call) -> Status:
    """Tell whether the server and its store answer."""
    call.engine.server.health()
    return Status(status="ok")


@operation("GET", "/metrics", act="metrics", answer=str, media=METRICS_MEDIA_TYPE)
async def metrics(call: Call) -> str:
    """List counts in Prometheus' text format; nothing about a person."""
    return prometheus(asdict(await call.in_thread(call.engine.server.metrics)))


@operation("GET", "/openapi.json", act=PUBLIC, answer=dict, headers=_CACHED)
async def openapi(call: Call) -> bytes:
    """Describe this API."""
    return call.bridge.description


ROUTES = (gpc_support, health, metrics, openapi)
