"""Each model's sum over people, row by row, and each person's contribution to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from sqlalchemy import bindparam, delete, func, select

from assent.store.statements import PAGE_ROWS, among, equal, upsert
from assent.store.tables import CONTRIBUTIONS, SUM_HEADS, SUM_ROWS
from assent.terms.ids import PersonId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from assent.store.session import Session


class HeadRow(NamedTuple):
    """The head of one sum: version, how many columns and people, digest, counts (int64 bytes).

    `last_left_version`: the version at which a person last left the sum, 0 for never.
    """

    model: str
    version: int
    columns: int
    people: int
    digest: str
    counts: bytes
    at_ms: int
    last_left_version: int


#: Rows of one page of a sum: they are tens of kilobytes each.
PAGE_SUM_ROWS = 200
FIRST = -1

_HEAD = select(SUM_HEADS).where(equal(SUM_HEADS.c.model))
_MODELS = select(SUM_HEADS.c.model)
_VERSION = select(SUM_HEADS.c.version).where(equal(SUM_HEADS.c.model))
_PUT_HEAD = upsert(SUM_HEADS)
_DROP_HEAD = delete(SUM_HEADS).where(equal(SUM_HEADS.c.model))

_ROWS_AFTER = (
    select(SUM_ROWS.c.item, SUM_ROWS.c.version, SUM_ROWS.c.row)
    .where(equal(SUM_ROWS.c.model), SUM_ROWS.c.item > bindparam("after_item"))
    .where(SUM_ROWS.c.version > bindparam("after_version"))
    .order_by(SUM_ROWS.c.item)
    .limit(PAGE_SUM_ROWS)
)
_COUNT_AFTER = (
    select(func.count())
    .select_from(SUM_ROWS)
    .where(equal(SUM_ROWS.c.model), SUM_ROWS.c.version > bindparam("after_version"))
)
_PUT_ROW = upsert(SUM_ROWS)
_CLEAR_ROWS = delete(SUM_ROWS).where(equal(SUM_ROWS.c.model))

_CONTRIBUTION = select(CONTRIBUTIONS.c.sealed).where(equal(CONTRIBUTIONS.c.model), equal(CONTRIBUTIONS.c.person))
_CONTRIBUTIONS_OF = select(CONTRIBUTIONS.c.person, CONTRIBUTIONS.c.sealed).where(
    equal(CONTRIBUTIONS.c.model), among(CONTRIBUTIONS.c.person, "people")
)
_CONTRIBUTION_PAGE = (
    select(CONTRIBUTIONS.c.person, CONTRIBUTIONS.c.sealed)
    .where(equal(CONTRIBUTIONS.c.model), CONTRIBUTIONS.c.person > bindparam("after"))
    .order_by(CONTRIBUTIONS.c.person)
    .limit(PAGE_ROWS)
)
_PUT_CONTRIBUTION = upsert(CONTRIBUTIONS)
_DROP_CONTRIBUTION = delete(CONTRIBUTIONS).where(equal(CONTRIBUTIONS.c.model), equal(CONTRIBUTIONS.c.person))


def head(session: Session, model: str) -> HeadRow | None:
    """Return the head of a model's sum, or None before the first training."""
    row = session.one(_HEAD, {"model": model})
    return None if row is None else HeadRow._make(row)


def models(session: Session) -> set[str]:
    """Return the names of the models that have a sum."""
    return {row[0] for row in session.all(_MODELS)}


def version(session: Session, model: str) -> int:
    """Return the version of a model's sum without its counts, which are long; 0 before the first training."""
    row = session.one(_VERSION, {"model": model})
    return 0 if row is None else int(row[0])


def put_head(session: Session, row: HeadRow) -> None:
    """Write the head of a model's sum, in place of the one before."""
    numbers = {name: int(getattr(row, name)) for name in ("version", "columns", "people", "last_left_version")}
    session.run(_PUT_HEAD, row._asdict() | numbers)


def rows_after(session: Session, model: str, version: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield item, version and bytes of every row newer than `version`, in the order of items, read page by page."""
    after = FIRST
    parameters = {"model": model, "after_version": version}
    while page := session.all(_ROWS_AFTER, parameters | {"after_item": after}):
        yield from cast("list[tuple[int, int, bytes]]", page)
        after = page[-1][0]


def count_after(session: Session, model: str, version: int) -> int:
    """Return how many rows are newer than `version`."""
    row = session.one(_COUNT_AFTER, {"model": model, "after_version": version})
    return int(row[0]) if row else 0


def put_rows(session: Session, model: str, version: int, rows: Iterable[tuple[int, bytes]]) -> None:
    """Write rows (item, bytes) as of `version`, in place of those before."""
    page: list[dict[str, object]] = []
    for item, row in rows:
        page.append({"model": model, "item": int(item), "version": version, "row": row})
        if len(page) == PAGE_SUM_ROWS:
            session.run_many(_PUT_ROW, page)
            page = []
    session.run_many(_PUT_ROW, page)


def clear(session: Session, model: str) -> None:
    """Delete the head and the rows of a model's sum; contributions stay, and are replaced one by one."""
    for statement in (_DROP_HEAD, _CLEAR_ROWS):
        session.run(statement, {"model": model})


def contribution(session: Session, model: str, person: bytes) -> bytes | None:
    """Return a person's sealed contribution to a model's sum, or None."""
    row = session.one(_CONTRIBUTION, {"model": model, "person": person})
    return None if row is None else row[0]


def contributions_of(session: Session, model: str, persons: Collection[bytes]) -> dict[bytes, bytes]:
    """Return the sealed contributions of many people, by person; those without one are left out."""
    rows = session.all(_CONTRIBUTIONS_OF, {"model": model, "people": list(persons)})
    return {PersonId(person): sealed for person, sealed in rows}


def contributions(session: Session, model: str) -> Iterator[tuple[PersonId, bytes]]:
    """Yield every person with their sealed contribution, in the order of people, read page by page."""
    after = b""
    while page := session.all(_CONTRIBUTION_PAGE, {"model": model, "after": after}):
        for person, sealed in page:
            yield PersonId(person), sealed
        after = page[-1][0]


def put_contributions(session: Session, model: str, rows: Iterable[tuple[bytes, bytes]]) -> None:
    """Write the contributions of many people (person, sealed), in place of those before."""
    session.run_many(
        _PUT_CONTRIBUTION, [{"model": model, "person": person, "sealed": sealed} for person, sealed in rows]
    )


def drop_contribution(session: Session, model: str, person: bytes) -> bool:
    """Delete a person's contribution; False when there was none."""
    return session.run(_DROP_CONTRIBUTION, {"model": model, "person": person}) > 0
