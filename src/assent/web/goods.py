"""The catalogue's routes."""

from __future__ import annotations

from litestar import Response

from assent.web.bodies import read_body, read_query
from assent.web.door import named
from assent.web.routing import AnyRequest, as_json, desk_of, serves
from assent.web.shapes import ItemPage, ItemsQuery, Stored


@serves("put_items")
async def put_items(request: AnyRequest) -> Response[bytes]:
    """Add or replace items; what the body is, JSON or NDJSON, is read from the body."""
    desk = desk_of(request)
    body = await read_body(request.scope, request.receive)
    return as_json(Stored(await desk.in_thread(lambda: desk.engine.put_items(body))))


@serves("list_items")
async def list_items(request: AnyRequest) -> Response[bytes]:
    """Answer with one page of the catalogue."""
    desk = desk_of(request)
    query = read_query(request.scope, ItemsQuery)
    page = await desk.in_thread(lambda: desk.engine.catalog.page(query.after or None, query.count))
    return as_json(ItemPage([each.fields() for each in page.items], page.next))


@serves("get_item")
async def get_item(request: AnyRequest) -> Response[bytes]:
    """Answer with one item's facts."""
    desk, item = desk_of(request), named(request.scope)
    found = await desk.in_thread(lambda: desk.engine.catalog.get(item))
    return as_json(found.fields())


@serves("drop_item")
async def drop_item(request: AnyRequest) -> Response[None]:
    """Take one item off the list."""
    desk, item = desk_of(request), named(request.scope)
    await desk.in_thread(lambda: desk.engine.catalog.drop(item))
    return Response(None, status_code=204)
