"""Purposes: what people can be asked for, and in which words."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from assent.terms.answers.purposes import PurposeText
from assent.web.http.call import Call
from assent.web.http.operation import Tag, operation

TAG = Tag("purposes", "What people can be asked for.")


class Purposes(msgspec.Struct, frozen=True):
    """Every purpose there is."""

    purposes: Sequence[PurposeText]


@operation("GET", "/v1/purposes", act="consent", answer=Purposes)
async def list_purposes(call: Call) -> Purposes:
    """List every purpose, with its plain text, legal basis, data used, retention and recipients."""
    return Purposes(call.engine.purposes.all())


ROUTES = (list_purposes,)
