"""Decisions: what one slot shows, answered once the decision's record is durable."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from assent import engine
from assent.terms.answers.decisions import Decision
from assent.terms.errors import InvalidInput, TooLarge
from assent.terms.limits import limit
from assent.web.decision_batcher import DecisionBatcher
from assent.web.http.call import Call
from assent.web.http.fields import ItemId, LanguageTag, PersonName, WholeCount
from assent.web.http.operation import Tag, operation
from assent.web.http.requests import accepted_language

TAG = Tag("decisions", "Decisions: what a slot shows, and why.")


class Page(msgspec.Struct, frozen=True):
    """The page that will show the suggestions."""

    item: Annotated[str, Meta(max_length=limit("item_id_chars_max"), description="The item on the page.")] | None = None


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question for a decision; every field may be left out."""

    person: PersonName | None = None
    slot: Annotated[
        str, Meta(min_length=1, max_length=limit("slot_chars_max"), description="The place on the page.")
    ] = "home"
    count: WholeCount = 10
    context: Page | None = None
    mode: Literal["personal", "non_profiled"] = "personal"
    exclude: Annotated[tuple[ItemId, ...], Meta(max_length=limit("exclude_items_max"))] = ()
    include_bought: bool = False
    language: LanguageTag | None = None


@operation(
    "POST", "/v1/decide", act="decide", body=Question, answer=Decision, errors=(InvalidInput, TooLarge), lean=True
)
async def decide(call: Call) -> bytes:
    """Choose what one place on a page shows, with true reasons."""
    question = await call.json(Question)
    page = question.context
    return await call.bridge.shared(DecisionBatcher).ask(
        engine.Question.of(
            person=question.person,
            slot=question.slot,
            count=int(question.count),
            context=None if page is None else {"item": page.item},
            mode=question.mode,
            exclude=question.exclude,
            include_bought=question.include_bought,
            gpc=call.opted_out,
            language=question.language or accepted_language(call.scope),
        )
    )


ROUTES = (decide,)
