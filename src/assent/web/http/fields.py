"""Fields that several capabilities read, and the names that may stand in a path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from msgspec import Meta

from assent.terms.limits import limit
from assent.terms.sentences import TAG_CHARS_MAX

#: Characters that Python counts as space, written out because dialects of regular expressions differ.
SPACE: Final = r"\s\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
#: Something to see in it, and no zero byte.
VISIBLE: Final = rf"^[^\x00]*[^\x00{SPACE}][^\x00]*$"

PersonName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=limit("identifier_chars_max"),
        pattern=VISIBLE,
        description="Any identifier of the person: bare, or with its kind (`user_id:`, `anonymous_id:`, `email:`).",
        examples=["user_id:17", "email:ann@example.org", "17"],
    ),
]
ItemId = Annotated[
    str,
    Meta(min_length=1, max_length=limit("item_id_chars_max"), description="The item's id.", examples=["22423"]),
]
Count = Annotated[int, Meta(ge=1, le=limit("decide_count_max"), description="How many items to return at most.")]
LanguageTag = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=TAG_CHARS_MAX,
        description="The nearest known language answers; without one what Accept-Language asks for, then the shop's.",
        examples=["de", "de-AT"],
    ),
]
#: In JSON `10.0` is a whole number too.
WholeCount = Annotated[float, Meta(ge=1, le=limit("decide_count_max"), multiple_of=1, description="How many at most.")]

#: The field of a path's parameter that is called by its kind; any other is named by its operation.
PARAMETERS: Final[Mapping[str, Any]] = {"person": PersonName, "item": ItemId}
