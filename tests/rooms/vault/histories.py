"""What the vault's tests speak of: two people, what they did and may be used for, a history as it is compared."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from assent.terms.ids import PersonId
from assent.terms.permits import Permit
from assent.terms.purposes import Learn, Personalize, Purpose
from assent.testing import START_MS
from assent.vault import rows_of

P, L = Personalize.bit, Learn.bit
ANN, BOB = PersonId(b"ann".ljust(16, b"-")), PersonId(b"bob".ljust(16, b"-"))
VIEWED, BOUGHT = 1, 5


class Deed(NamedTuple):
    """One act: which item, on which day since 1970, which act, for which purposes."""

    item: int
    day: int
    act: int
    purposes: int


def deed(*, item: int, day: int = 1, act: int = VIEWED, purposes: int = P) -> Deed:
    """Return an act, where nothing else is said somebody's look at an item that may serve to personalize."""
    return Deed(item, day, act, purposes)


def deeds_of(history: np.ndarray) -> list[Deed]:
    """Return the entries as whole numbers."""
    return [Deed(*row) for row in rows_of(history)]


def permit(
    person: PersonId = ANN, purpose: type[Purpose] = Personalize, seconds: int = 30, epoch: int = 0
) -> Permit[Purpose]:
    """Return a permit as the ledger mints it, by default Ann's to personalize."""
    return Permit(person, purpose, START_MS + seconds * 1000, "granted", "entry", epoch)
