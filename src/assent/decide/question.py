"""A question as a caller asks it, checked once before anything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from assent.terms.errors import InvalidInput
from assent.terms.limits import limit
from assent.terms.sentences import TAG_CHARS_MAX, nearest

Mode = Literal["personal", "non_profiled"]
MODES: tuple[Mode, ...] = ("personal", "non_profiled")


@dataclass(frozen=True, slots=True)
class Question:
    """One question: for whom, for which slot, how many, and what must not appear."""

    person: str | None
    slot: str
    count: int
    #: The item on the page, if any.
    item: str | None
    mode: Mode
    exclude: frozenset[str]
    include_bought: bool
    gpc: bool
    #: A language that has sentences, None for that of the shop.
    language: str | None

    @classmethod
    def of(
        cls,
        *,
        person: str | None = None,
        slot: str = "home",
        count: int = 10,
        context: Mapping[str, Any] | None = None,
        mode: str = "personal",
        exclude: Sequence[str] = (),
        include_bought: bool = False,
        gpc: bool = False,
        language: str | None = None,
    ) -> Self:
        """Check one question; raises `InvalidInput` that names the field and what it may be.

        `language` is a tag such as `de` or `de-AT`; the nearest known language answers, or that of the shop.
        """
        if not 1 <= count <= limit("decide_count_max"):
            raise InvalidInput(f"count is {count}.", advice=f"Ask for 1 to {limit('decide_count_max')} items.")
        if mode not in MODES:
            raise InvalidInput("mode is not one that exists.", advice=f"Use one of: {', '.join(MODES)}.")
        if not slot or len(slot) > limit("slot_chars_max"):
            most = limit("slot_chars_max")
            raise InvalidInput(
                "slot is empty or too long.", advice=f"Name the place on the page in 1 to {most} characters."
            )
        if len(exclude) > limit("exclude_items_max"):
            raise InvalidInput(
                f"exclude names {len(exclude)} items.",
                advice=f"Exclude at most {limit('exclude_items_max')} items in one question.",
            )
        item = (context or {}).get("item")
        if item is not None and not isinstance(item, str):
            raise InvalidInput(
                "context.item is not text.", advice='Send the item on the page as {"context": {"item": "ITEM ID"}}.'
            )
        if language is not None and len(language) > TAG_CHARS_MAX:
            raise InvalidInput("language is not a language tag.", advice="Name the language as in `de` or `de-AT`.")
        known = None if language is None else nearest(language)
        return cls(person, slot, count, item, mode, frozenset(exclude), include_bought, gpc, known)
