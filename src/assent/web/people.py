"""The routes of consent and of a person's rights."""

from __future__ import annotations

import msgspec
from litestar import Response

from assent.web import shapes
from assent.web.bodies import read_body, read_json
from assent.web.door import named
from assent.web.routing import AnyRequest, as_json, desk_of, serves

_decode = msgspec.json.Decoder(shapes.Choices).decode


@serves("list_purposes")
async def list_purposes(request: AnyRequest) -> Response[bytes]:
    """Answer with every purpose and the text that a person is shown."""
    return as_json({"purposes": desk_of(request).engine.purposes.all()})


@serves("get_consent")
async def get_consent(request: AnyRequest) -> Response[bytes]:
    """Answer with what a person agreed to."""
    desk, person = desk_of(request), named(request.scope)
    return as_json(await desk.in_thread(lambda: desk.engine.people.consents(person)))


@serves("get_person")
async def get_person(request: AnyRequest) -> Response[bytes]:
    """Answer whether a person is known, and with what they agreed to."""
    desk, person = desk_of(request), named(request.scope)
    return as_json(await desk.in_thread(lambda: desk.engine.people.consents(person)))


@serves("put_consent")
async def put_consent(request: AnyRequest) -> Response[bytes]:
    """Record what a person chose; what they both granted and withdrew is withdrawn, the more careful reading."""
    desk, person = desk_of(request), named(request.scope)
    choices = read_json(_decode, await read_body(request.scope, request.receive))
    withdraw = tuple(dict.fromkeys(choices.withdraw))
    grant = tuple(each for each in dict.fromkeys(choices.grant) if each not in withdraw)
    receipts = await desk.in_thread(
        lambda: desk.engine.consent(person, grant, withdraw, evidence=choices.evidence, language=choices.language)
    )
    return as_json({"receipts": receipts})


@serves("export_person")
async def export_person(request: AnyRequest) -> Response[bytes]:
    """Answer with everything held on a person."""
    desk, person = desk_of(request), named(request.scope)
    held = await desk.in_thread(lambda: desk.engine.export(person))
    return as_json(held, headers={"content-disposition": 'attachment; filename="export.json"'})


@serves("erase_person")
async def erase_person(request: AnyRequest) -> Response[bytes]:
    """Erase a person and answer with the certificate."""
    desk, person = desk_of(request), named(request.scope)
    return as_json(await desk.in_thread(lambda: desk.engine.erase(person)))
