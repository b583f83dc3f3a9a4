"""Ids: a person is 128 random bits; the names that a shop knows them by are identifiers of a kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

from assent.terms.errors import InvalidInput
from assent.terms.limits import limit

PersonId = NewType("PersonId", bytes)
PERSON_ID_BYTES = 16

#: The kinds of identifier, in the order in which a bare name is looked up.
IDENTIFIER_KINDS = ("user_id", "anonymous_id", "email")


@dataclass(frozen=True, slots=True)
class Identifier:
    """One name of a person: a kind (`user_id`, `anonymous_id`, `email`) and its normalized value."""

    kind: str
    value: str


def identifier(kind: str, value: str) -> Identifier:
    """Normalize one identifier: trimmed, e-mail in lower case.

    Raises `InvalidInput` for an unknown kind, an empty value, or one longer than `identifier_chars_max`.
    """
    if kind not in IDENTIFIER_KINDS:
        raise InvalidInput(
            f"'{kind[:32]}' is not a kind of identifier.", advice=f"Use one of: {', '.join(IDENTIFIER_KINDS)}."
        )
    text = value.strip()
    if not text or len(text) > limit("identifier_chars_max") or "\x00" in text:
        raise InvalidInput(
            f"The {kind} is empty, too long or has a zero byte.",
            advice=f"Send 1 to {limit('identifier_chars_max')} characters.",
        )
    return Identifier(kind, text.lower() if kind == "email" else text)


def identifiers_named(name: str) -> tuple[Identifier, ...]:
    """Read a person's name as a caller gives it: `kind:value` is that one, a bare name is tried as every kind in order.

    Raises `InvalidInput` when the name is empty or too long.
    """
    kind, colon, value = name.partition(":")
    if len(value if colon and kind in IDENTIFIER_KINDS else name) > limit("identifier_chars_max"):
        raise InvalidInput("The name is too long.", advice=f"Send at most {limit('identifier_chars_max')} characters.")
    if colon and kind in IDENTIFIER_KINDS:
        return (identifier(kind, value),)
    kinds = IDENTIFIER_KINDS if "@" in name else IDENTIFIER_KINDS[:2]
    return tuple(identifier(each, name) for each in kinds)
