"""The catalog, and items that events named before the catalog did; an item's number is its column in every sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, func, insert, select, update

from assent.store.statements import among, equal, upsert
from assent.store.tables import ITEMS
from assent.store.topics import meta

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assent.store.session import Session


class ItemRow(NamedTuple):
    """One item. `number` (dense from 0) and `changed` (a catalog version) are given by the store, not the caller.

    `listed` and `available` are 0 or 1, `facts` is JSON text, times are milliseconds since the epoch.
    """

    number: int
    id: str
    listed: int
    available: int
    name: str
    facts: str
    first_seen_ms: int
    last_seen_ms: int
    changed: int = 0


#: The number of an item that has none yet.
NO_NUMBER = -1
_NUMBERS = "items"
_VERSIONS = "items_version"

_PUT = upsert(ITEMS, "id")
_BY_IDS = select(ITEMS).where(among(ITEMS.c.id, "ids"))
_GET = select(ITEMS).where(equal(ITEMS.c.id))
_ALL = select(ITEMS).order_by(ITEMS.c.number)
_CHANGED = select(ITEMS).where(ITEMS.c.changed > bindparam("after")).order_by(ITEMS.c.number)
_COUNT = select(func.count()).select_from(ITEMS)
_COUNT_UNLISTED = select(func.count()).select_from(ITEMS).where(ITEMS.c.listed == 0)
_VERSION = select(func.coalesce(func.max(ITEMS.c.changed), 0))
_NUMBER_OF = select(ITEMS.c.id, ITEMS.c.number).where(among(ITEMS.c.id, "ids"))
_ADD = insert(ITEMS).values({name: bindparam(name) for name in ItemRow._fields})
_UNLIST = (
    update(ITEMS)
    .values(listed=0, available=0, changed=bindparam("changed_at"))
    .where(ITEMS.c.id == bindparam("of_id"), ITEMS.c.listed == 1)
)
_TOUCH = (
    update(ITEMS)
    .values(last_seen_ms=bindparam("at_ms"))
    .where(ITEMS.c.number == bindparam("of_number"), ITEMS.c.last_seen_ms < bindparam("at_ms"))
)


def put_many(session: Session, rows: Sequence[ItemRow]) -> dict[str, int]:
    """Write items by id, overwriting what is there; return their numbers by id.

    Numbers are kept or newly given, `changed` becomes a new catalog version, and the time between first and last
    seen only grows. The last of several rows of one id counts.
    """
    wanted = {row.id: row for row in rows}
    if not wanted:
        return {}
    known = by_ids(session, list(wanted))
    version = meta.allocate(session, _VERSIONS)
    fresh = [id_ for id_ in wanted if id_ not in known]
    numbers = {id_: row.number for id_, row in known.items()} | _new_numbers(session, fresh)
    written = []
    for id_, row in wanted.items():
        before = known.get(id_, row)
        written.append(
            row._replace(
                number=numbers[id_],
                first_seen_ms=min(row.first_seen_ms, before.first_seen_ms),
                last_seen_ms=max(row.last_seen_ms, before.last_seen_ms),
                changed=version,
            )
        )
    session.run_many(_PUT, written)
    return numbers


def number_of(session: Session, ids: Sequence[str], at_ms: int) -> dict[str, int]:
    """Return the numbers of these items by id; an item not known yet is made, unlisted, first seen at `at_ms`."""
    wanted = list(dict.fromkeys(ids))
    numbers: dict[str, int] = dict(session.all(_NUMBER_OF, {"ids": wanted}))
    fresh = [id_ for id_ in wanted if id_ not in numbers]
    if fresh:
        version = meta.allocate(session, _VERSIONS)
        given = _new_numbers(session, fresh)
        rows = [ItemRow(given[id_], id_, 0, 0, "", "{}", at_ms, at_ms, version) for id_ in fresh]
        session.run_many(_ADD, rows)
        numbers |= given
    return numbers


def by_ids(session: Session, ids: Sequence[str]) -> dict[str, ItemRow]:
    """Return the items of these ids, by id; those unknown are left out."""
    return {row[1]: ItemRow._make(row) for row in session.all(_BY_IDS, {"ids": ids})}


def get(session: Session, id_: str) -> ItemRow | None:
    """Return the item of that id, listed or not, or None."""
    row = session.one(_GET, {"id": id_})
    return None if row is None else ItemRow._make(row)


def all(session: Session) -> list[ItemRow]:  # noqa: A001 - reads as items.all(session)
    """Return every item, listed or not, in the order of numbers."""
    return list(map(ItemRow._make, session.all(_ALL)))


def changed_after(session: Session, version: int) -> list[ItemRow]:
    """Return the items that changed after a catalog version, in the order of numbers."""
    return list(map(ItemRow._make, session.all(_CHANGED, {"after": version})))


def version(session: Session) -> int:
    """Return the catalog's version: that of the newest change, 0 when there is none."""
    row = session.one(_VERSION)
    return int(row[0]) if row else 0


def count(session: Session) -> int:
    """Return how many items there are, listed or not: also how many columns a sum needs."""
    row = session.one(_COUNT)
    return int(row[0]) if row else 0


def count_unlisted(session: Session) -> int:
    """Return how many items are not in the catalog: named by events only, or taken out of it."""
    row = session.one(_COUNT_UNLISTED)
    return int(row[0]) if row else 0


def delete(session: Session, id_: str) -> bool:
    """Unlist an item, which keeps its number; False when it was not listed."""
    return session.run(_UNLIST, {"of_id": id_, "changed_at": meta.allocate(session, _VERSIONS)}) > 0


def touch_seen(session: Session, seen: Mapping[int, int]) -> None:
    """Move items' `last_seen` forward: milliseconds since the epoch, by number. The catalog's version stays."""
    session.run_many(_TOUCH, [{"of_number": int(number), "at_ms": int(at_ms)} for number, at_ms in seen.items()])


def _new_numbers(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """Give the next numbers, dense from 0."""
    if not ids:
        return {}
    first = meta.allocate(session, _NUMBERS, len(ids)) - 1
    return {id_: first + place for place, id_ in enumerate(ids)}
