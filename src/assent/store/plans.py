"""A Core statement is compiled once for each dialect and then runs as text with a tuple of values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.base import Executable

#: The longest list of values in one query; longer lists run in chunks. Keeps plans few and statements short.
LIST_VALUES = 500

#: Plans in the cache. Only statements that are made anew for each call could fill it; it is emptied then.
KEPT_PLANS = 2_000

#: Rows that one statement inserts on SQLite. Each statement releases and takes the interpreter's lock; beside busy
#: threads that takes longer than the row.
ROWS_AT_ONCE = 64

#: An insert of one row: the text before its values, the places of the values, and the text after them.
_INSERT = re.compile(r"(INSERT INTO .* VALUES )(\([?, ]*\))( ON CONFLICT [^?]*)?", re.DOTALL)

Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class StatementPlan:
    """One compiled statement: its text, how to order named values, and the name of its one list parameter if any."""

    statement: Executable
    text: str
    names: tuple[str, ...]
    bind: Callable[[Mapping[str, Any]], Values]
    list_name: str | None = None
    #: For an insert that may write several rows: the text before the places of one row, the places, the text after.
    insert: tuple[str, str, str] | None = None
    #: For a list parameter or such an insert: the text with n places or rows, by n.
    texts: dict[int, str] = field(default_factory=dict)

    def rows(self, rows: Sequence[Mapping[str, Any]] | Sequence[Values]) -> Sequence[Values] | map[Values]:
        """Order the values of many rows: mappings by name, named tuples by their fields."""
        first = rows[0]
        if not isinstance(first, tuple):
            return map(self.bind, rows)  # type: ignore[arg-type]
        fields: tuple[str, ...] = first._fields  # type: ignore[attr-defined]
        if fields == self.names:
            return rows  # type: ignore[return-value]
        return map(_getter([fields.index(name) for name in self.names]), rows)


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans of one dialect, by the identity of the statement (each plan keeps its statement alive)."""

    dialect: Dialect
    #: SQLite wants one place for each value of a list, PostgreSQL takes the list as one array.
    lists_as_arrays: bool
    compiled: dict[int, StatementPlan] = field(default_factory=dict)

    def plan(self, statement: Executable) -> StatementPlan:
        """Compile a statement, once."""
        found = self.compiled.get(id(statement))
        if found is None:
            if len(self.compiled) >= KEPT_PLANS:
                self.compiled.clear()
            found = self.compiled[id(statement)] = self._compile(statement)
        return found

    def _compile(self, statement: Executable) -> StatementPlan:
        compiled: Any = statement.compile(dialect=self.dialect)  # type: ignore[attr-defined]
        names = tuple(compiled.positiontup or ())
        text = str(compiled)
        list_name = None
        for parameter in compiled.post_compile_params:
            list_name = parameter.key
            if self.lists_as_arrays:
                text = text.replace(f"IN (__[POSTCOMPILE_{list_name}])", "= ANY(%s)")
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        found = None if self.lists_as_arrays else _INSERT.fullmatch(text)
        insert = (found[1], found[2], found[3] or "") if found else None
        return StatementPlan(statement, text, names, _binder(names, constants), list_name, insert)

    def inserts(self, plan: StatementPlan, rows: Sequence[Values]) -> Iterator[tuple[str, Values]]:
        """Yield text and values of each statement that inserts these rows."""
        head, places, tail = plan.insert or ("", "", "")
        for start in range(0, len(rows), ROWS_AT_ONCE):
            count = min(ROWS_AT_ONCE, len(rows) - start)
            text = plan.texts.get(count)
            if text is None:
                text = plan.texts[count] = head + ", ".join([places] * count) + tail
            yield text, tuple(chain.from_iterable(rows[start : start + count]))

    def queries(self, plan: StatementPlan, parameters: Mapping[str, Any]) -> Iterator[tuple[str, Values]]:
        """Yield the text and values of each query that a list parameter needs: long lists are cut."""
        values: Sequence[Any] = parameters[plan.list_name or ""]
        bound = plan.bind(parameters)
        at = plan.names.index(plan.list_name or "")
        before, after = bound[:at], bound[at + 1 :]
        for start in range(0, len(values), LIST_VALUES):
            chunk = list(values[start : start + LIST_VALUES])
            if self.lists_as_arrays:
                yield plan.text, (*before, chunk, *after)
                continue
            # Padded to a power of two with its last value, so that few different texts occur.
            count = 1 << (len(chunk) - 1).bit_length()
            chunk.extend(chunk[-1:] * (count - len(chunk)))
            yield self._with_places(plan, count), (*before, *chunk, *after)

    def _with_places(self, plan: StatementPlan, count: int) -> str:
        """Return the text of a plan with `count` places for its list."""
        text = plan.texts.get(count)
        if text is None:
            places = ", ".join("?" * count)
            text = plan.texts[count] = plan.text.replace(f"__[POSTCOMPILE_{plan.list_name}]", places)
        return text


def _getter(names: Sequence[Any]) -> Callable[[Any], Values]:
    """Return a function that takes these entries, in order, as a tuple."""
    if not names:
        return lambda _: ()
    if len(names) == 1:
        only = names[0]
        return lambda source: (source[only],)
    return itemgetter(*names)


def _binder(names: tuple[str, ...], constants: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Values]:
    """Return a function that orders a mapping's values; constants of the statement fill the missing ones."""
    ordered = _getter(names)
    if not constants:
        return ordered
    return lambda parameters: ordered({**constants, **parameters})
