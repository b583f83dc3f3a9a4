"""Decisions: one hot route that answers once the decision's record is durable, and similar items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from litestar import Response
from litestar.handlers import ASGIRouteHandler, HTTPRouteHandler
from litestar.types import Receive, Scope

from assent.engine import Question
from assent.web import shapes
from assent.web.asking import Asking
from assent.web.bodies import accepted_language, header, opted_out, read_body, read_json, read_query
from assent.web.door import named
from assent.web.keys import admit, key_in
from assent.web.routing import AnyRequest, as_json, desk_of, lean, serves
from assent.web.shapes import Similar, SimilarQuery

if TYPE_CHECKING:
    from assent.web.desk import Desk

_decode = msgspec.json.Decoder(shapes.Question).decode


def deciding_routes(desk: Desk) -> list[ASGIRouteHandler | HTTPRouteHandler]:
    """Return the routes that ask what to show."""
    asking = Asking(desk)

    async def decide(scope: Scope, receive: Receive) -> bytes:
        authorization = header(scope, b"authorization")
        admit(desk.engine, None if authorization is None else key_in(authorization), "decide")
        question = read_json(_decode, await read_body(scope, receive))
        page = question.context
        return await asking.ask(
            Question.of(
                person=question.person,
                slot=question.slot,
                count=int(question.count),
                context=None if page is None else {"item": page.item},
                mode=question.mode,
                exclude=question.exclude,
                include_bought=question.include_bought,
                gpc=opted_out(scope),
                language=question.language or accepted_language(scope),
            )
        )

    return [lean(["decide"], decide), similar_items]


@serves("similar_items")
async def similar_items(request: AnyRequest) -> Response[bytes]:
    """Answer with the items most alike to one."""
    query = read_query(request.scope, SimilarQuery)
    item = named(request.scope)
    desk = desk_of(request)
    return as_json(Similar(await desk.in_thread(lambda: desk.engine.catalog.similar(item, query.count))))
