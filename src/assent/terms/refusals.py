"""Stable codes: why something is refused, dropped or not used; `assent.terms.sentences` says each in a language.

Programs compare codes, people read sentences. A code never changes its meaning; `CODES` lists every one by its table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from assent.terms.events import ACTIONS, ON_PAGE

# -- refusals: why records may not serve a purpose now ----------------------------------------------------------------

UNKNOWN_PERSON: Final = "unknown_person"
ERASING: Final = "erasing"
SIGNAL: Final = "signal"
GPC: Final = "gpc"
NOT_GRANTED: Final = "not_granted"
REFUSED: Final = "refused"
WITHDRAWN: Final = "withdrawn"
EXPIRED: Final = "expired"
NOTICE_CHANGED: Final = "notice_changed"
NON_PROFILED: Final = "non_profiled"

REFUSALS: Final = (
    UNKNOWN_PERSON,
    NON_PROFILED,
    NOT_GRANTED,
    REFUSED,
    WITHDRAWN,
    EXPIRED,
    NOTICE_CHANGED,
    GPC,
    SIGNAL,
    ERASING,
)

# -- drops: why an event is not kept; the labels under /metrics -------------------------------------------------------

MALFORMED: Final = "malformed"
TOO_LARGE: Final = "too_large"
TOO_DEEP: Final = "too_deep"
TOO_MANY_PRODUCTS: Final = "too_many_products"
UNKNOWN_TYPE: Final = "unknown_type"
NO_IDENTIFIER: Final = "no_identifier"
IDENTIFIER_INVALID: Final = "identifier_invalid"
MESSAGE_ID_TOO_LONG: Final = "message_id_too_long"
BAD_TIMESTAMP: Final = "bad_timestamp"
TOO_OLD: Final = "too_old"
IN_FUTURE: Final = "in_future"
DUPLICATE: Final = "duplicate"
NO_CONSENT: Final = "no_consent"
UNREADABLE: Final = "unreadable"
SUPPRESSED: Final = "suppressed"
ALIAS_REFUSED: Final = "alias_refused"

DROPS: Final = (
    MALFORMED,
    TOO_LARGE,
    TOO_DEEP,
    TOO_MANY_PRODUCTS,
    UNKNOWN_TYPE,
    NO_IDENTIFIER,
    IDENTIFIER_INVALID,
    MESSAGE_ID_TOO_LONG,
    BAD_TIMESTAMP,
    TOO_OLD,
    IN_FUTURE,
    DUPLICATE,
    NO_CONSENT,
    SIGNAL,
    UNREADABLE,
    GPC,
    SUPPRESSED,
    ALIAS_REFUSED,
)

#: Outcomes of a line of an imported file, beside the drops.
LINES: Final = ("imported", "guest", "cancelled", "not_goods", "bad")

# -- decisions: how the items were found, what was used, what was not, and why not ------------------------------------

PERSONAL: Final = "personal"
SIMILAR: Final = "similar"
POPULAR: Final = "popular"
EMPTY: Final = "empty"

METHODS: Final = (PERSONAL, SIMILAR, POPULAR, EMPTY)

HISTORY: Final = "history"
PAGE: Final = "page"
OTHERS: Final = "others"

USED: Final = (HISTORY, PAGE, OTHERS)

BOUGHT: Final = "bought"
UNLISTED: Final = "unlisted"
DEVICE: Final = "device"
SENSITIVE: Final = "sensitive"
OUTSIDE: Final = "outside"

NOT_USED: Final = (HISTORY, PAGE, BOUGHT, UNLISTED, DEVICE, SENSITIVE, OUTSIDE)

NOBODY_NAMED: Final = "nobody_named"
NOT_LISTED: Final = "not_listed"
NONE_LISTED: Final = "none_listed"
LEFT_OUT: Final = "left_out"
REMOVED: Final = "removed"
NOT_COLLECTED: Final = "not_collected"
NOT_TAKEN_IN: Final = "not_taken_in"

#: Reasons of disuse that are no refusal of consent.
NOT_USED_REASONS: Final = (NOBODY_NAMED, NOT_LISTED, NONE_LISTED, LEFT_OUT, REMOVED, NOT_COLLECTED, NOT_TAKEN_IN)

_ACTIONS: Final = (*(action.name for action in ACTIONS), ON_PAGE)

#: Every table of sentences, and the codes that it has a sentence for.
CODES: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("thousands",),
    "refusal": REFUSALS,
    "why_not": REFUSALS,
    "drop": DROPS,
    "outcome": (*DROPS, *LINES),
    "method": METHODS,
    "action": _ACTIONS,
    "because": _ACTIONS,
    "text": ("because", "and", "popular", "share"),
    "used": USED,
    "counted": ("action", "actions", "item", "items"),
    "not_used": NOT_USED,
    "not_used_because": NOT_USED_REASONS,
    "change": ("how",),
    "heading": ("item", "because", "used", "not_used", "change", "receipt"),
}
