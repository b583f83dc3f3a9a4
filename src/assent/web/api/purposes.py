"""Purposes: what people can agree to, with the texts of their notices."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from assent.terms.answers.purposes import PurposeText
from assent.web.http.call import Call
from assent.web.http.operation import Tag, operation

TAG = Tag("purposes", "Purposes that people can agree to.")


class Purposes(msgspec.Struct, frozen=True):
    """Every declared purpose."""

    purposes: Sequence[PurposeText]


@operation("GET", "/v1/purposes", act="consent", answer=Purposes)
async def list_purposes(call: Call) -> Purposes:
    """List every purpose, with its plain text, legal basis, data used, retention and recipients."""
    return Purposes(call.engine.purposes.all())


ROUTES = (list_purposes,)
