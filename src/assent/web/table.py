"""Every route there is, as one table of acts, shapes and errors; routing, guards and OpenAPI are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from assent.terms.answers.decisions import Decision
from assent.terms.answers.people import Certificate
from assent.terms.errors import AssentError, Conflict, InvalidInput, NotFound, TooLarge, UnknownPurpose
from assent.terms.segment import CALLS
from assent.web import shapes
from assent.web.keys import PUBLIC

Method = Literal["GET", "PUT", "POST", "DELETE"]

#: A body that is described by hand in `assent.web.openapi`.
Described = Literal["event", "batch", "anything", "items", "choices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one route.

    `act` is what a key's role must allow (`assent.engine.ROLES`), or `PUBLIC`. `answer` is the shape of the JSON
    answer, None for an empty one. `errors` come on top of those that every route of its kind has.
    """

    name: str
    method: Method
    path: str
    act: str
    summary: str
    tag: str
    answer: type[Any] | None
    status: int = 200
    media: str = "application/json"
    query: type[Any] | None = None
    body: type[Any] | Described | None = None
    errors: tuple[type[AssentError], ...] = ()
    write_key: bool = False


def _tracking() -> tuple[Operation, ...]:
    return tuple(
        Operation(
            name=f"{call}_short" if path == short else call,
            method="POST",
            path=f"/v1/{path}",
            act="take_in",
            summary=f"Take in {'a batch of events' if call == 'batch' else f'one {call} event'}, as Segment does.",
            tag="events",
            answer=shapes.Success,
            body="batch" if call == "batch" else "event",
            errors=(InvalidInput, TooLarge),
            write_key=True,
        )
        for call, short in CALLS.items()
        for path in (call, short)
    )


OPERATIONS: tuple[Operation, ...] = (
    *_tracking(),
    Operation(
        name="client_metrics",
        method="POST",
        path="/v1/m",
        act=PUBLIC,
        summary="Take the figures that Segment's browser client sends about itself, and throw them away.",
        tag="events",
        answer=shapes.Success,
        body="anything",
        errors=(TooLarge,),
    ),
    Operation(
        name="client_settings",
        method="GET",
        path="/v1/projects/{key}/settings",
        act=PUBLIC,
        summary="Tell Segment's browser client where to send events; the path names a browser write key.",
        tag="events",
        answer=shapes.SegmentSettings,
        errors=(NotFound,),
    ),
    Operation(
        name="decide",
        method="POST",
        path="/v1/decide",
        act="decide",
        summary="Choose what one place on a page shows, with true reasons.",
        tag="decisions",
        answer=Decision,
        body=shapes.Question,
        errors=(InvalidInput, TooLarge),
    ),
    Operation(
        name="similar_items",
        method="GET",
        path="/v1/items/{id}/similar",
        act="decide",
        summary="Items most alike to one, for anybody.",
        tag="decisions",
        answer=shapes.Similar,
        query=shapes.SimilarQuery,
        errors=(InvalidInput, NotFound),
    ),
    Operation(
        name="put_items",
        method="PUT",
        path="/v1/items",
        act="items",
        summary="Add or replace items: one JSON object, a JSON list, or NDJSON.",
        tag="items",
        answer=shapes.Stored,
        body="items",
        errors=(InvalidInput, TooLarge),
    ),
    Operation(
        name="list_items",
        method="GET",
        path="/v1/items",
        act="items",
        summary="List items in order of their ids, page by page.",
        tag="items",
        answer=shapes.ItemPage,
        query=shapes.ItemsQuery,
        errors=(InvalidInput,),
    ),
    Operation(
        name="get_item",
        method="GET",
        path="/v1/items/{id}",
        act="items",
        summary="One item's facts.",
        tag="items",
        answer=dict,
        errors=(InvalidInput, NotFound),
    ),
    Operation(
        name="drop_item",
        method="DELETE",
        path="/v1/items/{id}",
        act="items",
        summary="Take one item off the list, so that it is suggested no more.",
        tag="items",
        answer=None,
        status=204,
        errors=(InvalidInput, NotFound),
    ),
    Operation(
        name="list_purposes",
        method="GET",
        path="/v1/purposes",
        act="consent",
        summary="Every purpose, with its plain text, legal basis, data used, retention and recipients.",
        tag="consent",
        answer=shapes.Purposes,
    ),
    Operation(
        name="get_consent",
        method="GET",
        path="/v1/people/{id}/consent",
        act="consent",
        summary="What a person agreed to, purpose by purpose, and the ledger entries behind it.",
        tag="consent",
        answer=shapes.Consents,
        errors=(InvalidInput, NotFound),
    ),
    Operation(
        name="put_consent",
        method="PUT",
        path="/v1/people/{id}/consent",
        act="consent",
        summary="Grant and withdraw purposes, in force with the next call.",
        tag="consent",
        answer=shapes.Receipts,
        body="choices",
        errors=(InvalidInput, NotFound, Conflict, TooLarge, UnknownPurpose),
    ),
    Operation(
        name="get_person",
        method="GET",
        path="/v1/people/{id}",
        act="people",
        summary="Whether a person is known, and what they agreed to.",
        tag="people",
        answer=shapes.Consents,
        errors=(InvalidInput, NotFound),
    ),
    Operation(
        name="export_person",
        method="GET",
        path="/v1/people/{id}/export",
        act="people",
        summary="Everything held on a person, to carry away.",
        tag="people",
        answer=dict,
        errors=(InvalidInput, NotFound, Conflict),
    ),
    Operation(
        name="erase_person",
        method="DELETE",
        path="/v1/people/{id}",
        act="erase",
        summary="Erase a person from rows, keys and models; answers with the signed certificate.",
        tag="people",
        answer=Certificate,
        errors=(InvalidInput, NotFound, Conflict),
    ),
    Operation(
        name="gpc_support",
        method="GET",
        path="/.well-known/gpc.json",
        act=PUBLIC,
        summary="States that Global Privacy Control is honoured.",
        tag="server",
        answer=shapes.Gpc,
    ),
    Operation(
        name="health",
        method="GET",
        path="/health",
        act=PUBLIC,
        summary="Whether the server and its store answer.",
        tag="server",
        answer=shapes.Health,
    ),
    Operation(
        name="metrics",
        method="GET",
        path="/metrics",
        act="metrics",
        summary="Counts in Prometheus' text format; nothing about a person.",
        tag="server",
        answer=str,
        media="text/plain",
    ),
    Operation(
        name="openapi",
        method="GET",
        path="/openapi.json",
        act=PUBLIC,
        summary="This description of the API.",
        tag="server",
        answer=dict,
    ),
)

OPERATION_BY_NAME: Mapping[str, Operation] = {operation.name: operation for operation in OPERATIONS}


def methods_of(path: str) -> list[str]:
    """Return every method that a path of the table takes, for `Allow`: with HEAD where there is GET, and OPTIONS."""
    own = {operation.method for operation in OPERATIONS if operation.path == path}
    return sorted({*own, "OPTIONS", *(("HEAD",) if "GET" in own else ())})
