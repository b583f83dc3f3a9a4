"""The routes about the server itself: health, metrics, what it supports, and the description of it all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from assent.web.openapi import describe
from assent.web.routing import AnyRequest, as_json, desk_of, encode, serves
from assent.web.shapes import Gpc, Health

if TYPE_CHECKING:
    from assent.web.desk import Desk

#: The day on which what Global Privacy Control does here last changed.
GPC_LAST_UPDATE = "2026-11-23"
METRICS_MEDIA_TYPE = "text/plain; version=0.0.4"

#: These say nothing about anybody and may be kept for an hour.
_CACHED = {"cache-control": "public, max-age=3600"}
#: What each group of `Engine.metrics` counts: (metric, label, type, help); a group not named here is not published.
_METRICS = {
    "events": ("assent_events_total", "outcome", "counter", "Events by what became of them."),
    "sizes": ("assent_event_bytes_total", "what", "counter", "Bytes of events received, and kept after minimising."),
    "acts": ("assent_acts_total", "act", "counter", "Acts by name."),
    "stored": ("assent_stored", "what", "gauge", "What the store holds."),
}


def prometheus(metrics: Mapping[str, Mapping[str, int]]) -> str:
    """Write counts in Prometheus' text exposition format 0.0.4."""
    lines: list[str] = []
    for group, (name, label, kind, text) in _METRICS.items():
        counts = metrics.get(group, {})
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        lines += [f'{name}{{{label}="{key}"}} {value}' for key, value in sorted(counts.items())]
    return "\n".join(lines) + "\n"


def standing_routes(desk: Desk) -> list[HTTPRouteHandler]:
    """Return the routes whose answers stay as they are, made once."""
    gpc = encode(Gpc(gpc=True, last_update=GPC_LAST_UPDATE))
    description = encode(describe([asdict(each) for each in desk.engine.purposes.all()]))

    @serves("gpc_support")
    async def gpc_support() -> Response[bytes]:
        return Response(gpc, media_type="application/json", headers=_CACHED)

    @serves("openapi")
    async def openapi() -> Response[bytes]:
        return Response(description, media_type="application/json", headers=_CACHED)

    return [gpc_support, openapi, health, metrics]


@serves("health")
async def health(request: AnyRequest) -> Response[bytes]:
    """Answer that the server is here and its store can be read."""
    desk_of(request).engine.server.health()
    return as_json(Health(status="ok"))


@serves("metrics")
async def metrics(request: AnyRequest) -> Response[bytes]:
    """Answer with the counts."""
    desk = desk_of(request)
    counts = await desk.in_thread(desk.engine.server.metrics)
    return Response(prometheus(asdict(counts)).encode(), media_type=METRICS_MEDIA_TYPE)
