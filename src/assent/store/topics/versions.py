"""Versions of the data that `decide` caches, read in one query."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from assent.store.statements import equal
from assent.store.tables import ITEMS, META, SEQUENCES, SUM_HEADS
from assent.store.topics import meta, records

if TYPE_CHECKING:
    from sqlalchemy import ScalarSelect
    from sqlalchemy.sql import ColumnElement

    from assent.store.session import Session


class Versions(NamedTuple):
    """Numbers that only grow; a copy in memory is out of date once its number has grown.

    `epoch`: consents, keys and names of people. `erasures`: people who were erased. `records`: records on people.
    `items`: the catalog. `sums`: the sum of one model.
    """

    epoch: int
    erasures: int
    records: int
    items: int
    sums: int


def _fact(name: str) -> ScalarSelect[str]:
    return select(META.c.value).where(META.c.key == name).scalar_subquery()


def _or_zero(number: ScalarSelect[int]) -> ColumnElement[int]:
    return func.coalesce(number, 0)


_VERSIONS = select(
    _fact(meta.EPOCH),
    _fact(meta.ERASURES),
    _or_zero(select(SEQUENCES.c.next).where(SEQUENCES.c.name == records.SEQUENCE).scalar_subquery()),
    _or_zero(select(func.max(ITEMS.c.changed)).scalar_subquery()),
    _or_zero(select(SUM_HEADS.c.version).where(equal(SUM_HEADS.c.model)).scalar_subquery()),
)


def versions(session: Session, model: str) -> Versions:
    """Return the versions that `session` sees; `model` names the sum."""
    row = session.all(_VERSIONS, {"model": model})[0]
    return Versions(int(row[0] or 0), int(row[1] or 0), row[2], row[3], row[4])
