"""People's rights: consents are read and changed, data is exported, a person is erased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from assent.engine import Engine
from assent.terms.answers.people import Certificate, Consents, Export, Receipt
from assent.terms.errors import Conflict, InvalidInput, NotFound, TooLarge, UnknownPurpose
from assent.terms.limits import limit
from assent.web.http.call import Call
from assent.web.http.fields import PersonName
from assent.web.http.openapi import reference
from assent.web.http.operation import Described, Json, Tag, operation

TAG = Tag("people", "What people agreed to, and their rights.")


class Choices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Purposes to grant and to withdraw, in one call; a purpose named in both is withdrawn."""

    grant: tuple[str, ...] = ()
    withdraw: tuple[str, ...] = ()
    evidence: Annotated[str, Meta(max_length=limit("evidence_chars_max"))] | None = None
    language: Annotated[str, Meta(pattern="^[a-z]{2}$")] | None = None


class Receipts(msgspec.Struct, frozen=True):
    """One signed receipt for each purpose that was granted or withdrawn."""

    receipts: Sequence[Receipt]


def _choices(engine: Engine, schemas: dict[str, Json]) -> Json:
    """Name the purposes and languages that exist, and say that at least one purpose must be chosen."""
    purposes = engine.purposes.all()
    chosen = {"type": "array", "items": {"enum": [purpose.id for purpose in purposes if purpose.optional]}}
    some = {**chosen, "minItems": 1}
    languages = set.intersection(*(set(purpose.notices) for purpose in purposes))
    words = "Language of the notice that the person read; by default the shop's own."
    language = {"enum": [*sorted(languages), None], "description": words}
    schema = schemas[Choices.__name__]
    schema["properties"] |= {"grant": chosen, "withdraw": chosen, "language": language}
    schema["anyOf"] = [{"required": [name], "properties": {name: some}} for name in ("grant", "withdraw")]
    return reference(Choices)


CHOICES = Described(word="choices", schema=_choices, shapes=(Choices,))


@operation(
    "GET",
    "/v1/people/{id}/consent",
    act="consent",
    field=PersonName,
    answer=Consents,
    errors=(InvalidInput, NotFound),
)
async def get_consent(call: Call) -> Consents:
    """Return what a person agreed to, purpose by purpose, with the ledger entries behind it."""
    return await call.in_thread(lambda: call.engine.people.consents(call.name))


@operation(
    "PUT",
    "/v1/people/{id}/consent",
    act="consent",
    field=PersonName,
    body=CHOICES,
    answer=Receipts,
    errors=(InvalidInput, NotFound, Conflict, TooLarge, UnknownPurpose),
)
async def put_consent(call: Call) -> Receipts:
    """Grant and withdraw purposes, in force with the next call."""
    choices = await call.json(Choices)
    receipts = await call.in_thread(
        lambda: call.engine.consent(
            call.name, choices.grant, choices.withdraw, evidence=choices.evidence, language=choices.language
        )
    )
    return Receipts(receipts)


@operation("GET", "/v1/people/{id}", act="people", field=PersonName, answer=Consents, errors=(InvalidInput, NotFound))
async def get_person(call: Call) -> Consents:
    """Return what a person agreed to; answers 404 for a person whom the shop does not know."""
    return await call.in_thread(lambda: call.engine.people.consents(call.name))


@operation(
    "GET",
    "/v1/people/{id}/export",
    act="people",
    field=PersonName,
    answer=Export,
    errors=(InvalidInput, NotFound, Conflict),
    headers={"content-disposition": 'attachment; filename="export.json"'},
)
async def export_person(call: Call) -> Export:
    """Export all data about a person."""
    return await call.in_thread(lambda: call.engine.export(call.name))


@operation(
    "DELETE",
    "/v1/people/{id}",
    act="erase",
    field=PersonName,
    answer=Certificate,
    errors=(InvalidInput, NotFound, Conflict),
)
async def erase_person(call: Call) -> Certificate:
    """Erase a person from rows, keys and models; answers with the signed certificate."""
    return await call.in_thread(lambda: call.engine.erase(call.name))


ROUTES = (get_consent, put_consent, get_person, export_person, erase_person)
