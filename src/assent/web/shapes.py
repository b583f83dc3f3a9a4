"""The shapes of requests and answers; what they say is checked here and published in /openapi.json, from one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from assent.terms.answers.decisions import Suggestion
from assent.terms.limits import limit
from assent.terms.sentences import TAG_CHARS_MAX

#: What Python takes for space beyond what every dialect of regular expressions does.
_SPACE = r"\s\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
#: Something to see in it, and no zero byte.
VISIBLE = rf"^[^\x00]*[^\x00{_SPACE}][^\x00]*$"

#: No control characters, and no space at the ends.
_ID = rf"^[^\x00-\x1f\x7f{_SPACE}]([^\x00-\x1f\x7f]*[^\x00-\x1f\x7f{_SPACE}])?$"
_LINK = r"^(https?://|/)"
_Moment = Annotated[str, Meta(extra_json_schema={"format": "date"})]

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
ItemId = Annotated[str, Meta(min_length=1, max_length=limit("item_id_chars_max"), examples=["22423"])]
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


class Page(msgspec.Struct, frozen=True):
    """Where the suggestions will stand."""

    item: Annotated[str, Meta(max_length=limit("item_id_chars_max"), description="The item on the page.")] | None = None


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to decide, and for whom; every field may be left out."""

    person: PersonName | None = None
    slot: Annotated[str, Meta(min_length=1, max_length=64, description="The place on the page.")] = "home"
    count: WholeCount = 10
    context: Page | None = None
    mode: Literal["personal", "non_profiled"] = "personal"
    exclude: Annotated[tuple[ItemId, ...], Meta(max_length=limit("exclude_items_max"))] = ()
    include_bought: bool = False
    language: LanguageTag | None = None


class Choices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Purposes to grant and to withdraw, in one call; a purpose named in both is withdrawn."""

    grant: tuple[str, ...] = ()
    withdraw: tuple[str, ...] = ()
    evidence: Annotated[str, Meta(max_length=limit("evidence_chars_max"))] | None = None
    language: Annotated[str, Meta(pattern="^[a-z]{2}$")] | None = None


class SimilarQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query of a similar-items question."""

    count: Count = 10


class ItemsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query that turns the pages of the catalogue."""

    after: Annotated[str, Meta(max_length=limit("item_id_chars_max"), description="`next` of the page before.")] = ""
    count: Annotated[int, Meta(ge=1, le=1000, description="How many items to return at most.")] = 100


class Success(msgspec.Struct, frozen=True):
    """What Segment's clients look for."""

    success: bool


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item as the shop describes it; facts without a field of their own go into `properties`.

    `price` is in whole units of `currency` (ISO 4217); the moments are ISO 8601, in UTC where they name no zone.
    `first_seen` and `last_seen` only ever widen what is known of an item.
    """

    id: Annotated[str, Meta(min_length=1, max_length=limit("item_id_chars_max"), pattern=_ID)]
    name: Annotated[str, Meta(min_length=1, max_length=512, pattern=VISIBLE)]
    price: Annotated[float, Meta(ge=0)] | None = None
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None = None
    category: str | None = None
    brand: str | None = None
    description: str | None = None
    url: Annotated[str, Meta(pattern=_LINK)] | None = None
    image_url: Annotated[str, Meta(pattern=_LINK)] | None = None
    available: bool = True
    tags: Annotated[tuple[str, ...], Meta(max_length=64)] = ()
    released_at: _Moment | None = None
    first_seen: _Moment | None = None
    last_seen: _Moment | None = None
    properties: dict[str, str | int | float | bool | None] | None = None


class Similar(msgspec.Struct, frozen=True):
    """Items alike, best first."""

    items: Sequence[Suggestion]


class ItemPage(msgspec.Struct, frozen=True):
    """Items in order of their ids; `next` is what to send as `after` for the page that follows, or null."""

    items: Sequence[Mapping[str, Any]]
    next: str | None


class Stored(msgspec.Struct, frozen=True):
    """How many items were added or replaced."""

    stored: int


class Purpose(msgspec.Struct, frozen=True):
    """One purpose, with the text that a person is shown in English; `notices` has it in every language."""

    id: str
    title: str
    text: str
    optional: bool
    legal_basis: str
    retention_days: int
    recipients: Sequence[str]
    notices: Mapping[str, Mapping[str, str]]


class Purposes(msgspec.Struct, frozen=True):
    """Every purpose there is."""

    purposes: Sequence[Purpose]


class Standing(msgspec.Struct, frozen=True):
    """Whether a person's data may be used for one purpose now, and if not, why not."""

    allowed: bool
    why_not: str | None
    since: str | None = None
    until: str | None = None
    source: str | None = None
    receipt: str | None = None


class Entry(msgspec.Struct, frozen=True):
    """One line of the consent ledger; `notice` is the hash of the words that the person saw."""

    receipt: str
    purpose: str
    action: str
    at: str
    until: str | None
    source: str
    notice: str
    language: str


class Consents(msgspec.Struct, frozen=True):
    """How a person stands to every purpose, and the ledger entries behind it."""

    purposes: Mapping[str, Standing]
    entries: Sequence[Entry]


class Receipt(msgspec.Struct, frozen=True):
    """A consent receipt (ISO/IEC TS 27560 fields as DPV JSON-LD) with an Ed25519 signature over it."""

    payload: Mapping[str, Any]
    signature: str
    public_key: str


class Receipts(msgspec.Struct, frozen=True):
    """One signed receipt for each purpose that was granted or withdrawn."""

    receipts: Sequence[Receipt]


class Gpc(msgspec.Struct, frozen=True, rename="camel"):
    """The Global Privacy Control support resource (W3C GPC, section 4)."""

    gpc: bool
    last_update: str


class Health(msgspec.Struct, frozen=True):
    """Whether the server and its store answer."""

    status: str


class SegmentSettings(msgspec.Struct, frozen=True):
    """What Segment's browser client reads before it sends anything."""

    integrations: Mapping[str, Mapping[str, Any]]
    plan: Mapping[str, Any]
