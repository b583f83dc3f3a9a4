"""The catalog: items are added, read, listed page by page and removed, and similar ones are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict, cast

import msgspec
from msgspec import Meta

from assent.engine import Engine
from assent.terms.answers import catalog as answers
from assent.terms.answers.decisions import Suggestion
from assent.terms.errors import InvalidInput, NotFound, TooLarge
from assent.terms.limits import limit
from assent.terms.links import LINK
from assent.web.http.call import Call
from assent.web.http.fields import SPACE, VISIBLE, Count, ItemId
from assent.web.http.openapi import reference
from assent.web.http.operation import Described, Json, Tag, operation

TAG = Tag("catalog", "The catalog.")

#: No control characters, and no space at the ends.
_ID = rf"^[^\x00-\x1f\x7f{SPACE}]([^\x00-\x1f\x7f]*[^\x00-\x1f\x7f{SPACE}])?$"
_Moment = Annotated[str, Meta(extra_json_schema={"format": "date"})]


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item as the shop describes it; facts without a field of their own go into `properties`.

    `price` is in whole units of `currency` (ISO 4217); the moments are ISO 8601, in UTC where they name no zone.
    `first_seen` and `last_seen` can only widen the stored period of an item.
    """

    id: Annotated[str, Meta(min_length=1, max_length=limit("item_id_chars_max"), pattern=_ID)]
    name: Annotated[str, Meta(min_length=1, max_length=limit("item_name_chars_max"), pattern=VISIBLE)]
    price: Annotated[float, Meta(ge=0)] | None = None
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None = None
    category: str | None = None
    brand: str | None = None
    description: str | None = None
    url: Annotated[str, Meta(pattern=LINK)] | None = None
    image_url: Annotated[str, Meta(pattern=LINK)] | None = None
    available: bool = True
    tags: Annotated[tuple[str, ...], Meta(max_length=limit("item_tags_max"))] = ()
    released_at: _Moment | None = None
    first_seen: _Moment | None = None
    last_seen: _Moment | None = None
    properties: dict[str, str | int | float | bool | None] | None = None


class ListedItem(TypedDict):
    """One listed item: the facts that it was put in with, and when it was first and last seen."""

    id: str
    name: str
    available: bool
    price: NotRequired[float]
    currency: NotRequired[str]
    category: NotRequired[str]
    brand: NotRequired[str]
    description: NotRequired[str]
    url: NotRequired[str]
    image_url: NotRequired[str]
    tags: NotRequired[Sequence[str]]
    released_at: NotRequired[str]
    properties: NotRequired[Mapping[str, str | int | float | bool | None]]
    first_seen: str
    last_seen: str


class ItemPage(msgspec.Struct, frozen=True):
    """Items in order of their ids; `next` is what to send as `after` for the page that follows, or null."""

    items: Sequence[ListedItem]
    next: str | None


class ItemsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query that turns the pages of the catalog."""

    after: Annotated[str, Meta(max_length=limit("item_id_chars_max"), description="`next` of the page before.")] = ""
    count: Annotated[int, Meta(ge=1, le=limit("page_items_max"), description="How many items to return at most.")] = 100


class Stored(msgspec.Struct, frozen=True):
    """The number of items that were added or replaced."""

    stored: int


class SimilarQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query of a similar-items question."""

    count: Count = 10


class Similar(msgspec.Struct, frozen=True):
    """Similar items, best first."""

    items: Sequence[Suggestion]


def _items(_: Engine, __: dict[str, Json]) -> Json:
    """Describe one item, or several."""
    item = reference(Item)
    most = f"At most {limit('items_per_request_max')} items."
    return {"anyOf": [item, {"type": "array", "items": item, "description": most}]}


ITEMS = Described(word="items", schema=_items, shapes=(Item,))


def _listed(item: answers.Item) -> ListedItem:
    return cast("ListedItem", item.fields())


@operation("PUT", "/v1/items", act="items", body=ITEMS, answer=Stored, errors=(InvalidInput, TooLarge))
async def put_items(call: Call) -> Stored:
    """Add or replace items: one JSON object, a JSON list, or NDJSON."""
    body = await call.body()
    return Stored(await call.in_thread(lambda: call.engine.put_items(body)))


@operation("GET", "/v1/items", act="items", query=ItemsQuery, answer=ItemPage, errors=(InvalidInput,))
async def list_items(call: Call) -> ItemPage:
    """List items in order of their ids, page by page."""
    query = call.query(ItemsQuery)
    page = await call.in_thread(lambda: call.engine.catalog.page(query.after or None, query.count))
    return ItemPage([_listed(each) for each in page.items], page.next)


@operation("GET", "/v1/items/{id}", act="items", field=ItemId, answer=ListedItem, errors=(InvalidInput, NotFound))
async def get_item(call: Call) -> ListedItem:
    """Return one item's facts."""
    return _listed(await call.in_thread(lambda: call.engine.catalog.get(call.name)))


@operation("DELETE", "/v1/items/{id}", act="items", field=ItemId, status=204, errors=(InvalidInput, NotFound))
async def drop_item(call: Call) -> None:
    """Remove one item from the catalog, so that it is no longer suggested."""
    await call.in_thread(lambda: call.engine.catalog.drop(call.name))


@operation(
    "GET",
    "/v1/items/{id}/similar",
    act="decide",
    field=ItemId,
    query=SimilarQuery,
    answer=Similar,
    errors=(InvalidInput, NotFound),
)
async def similar_items(call: Call) -> Similar:
    """List the items most similar to one, the same for every person."""
    query = call.query(SimilarQuery)
    return Similar(await call.in_thread(lambda: call.engine.catalog.similar(call.name, query.count)))


ROUTES = (put_items, list_items, get_item, drop_item, similar_items)
