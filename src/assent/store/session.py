"""A session runs statements on one connection, inside a transaction that the store begins and ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from assent.terms.errors import AssentError, Conflict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.sql.base import Executable

    from assent.store.plans import Plans

NOTHING: Mapping[str, Any] = {}

#: A function that is called after a write job was committed, or was undone.
Hook = Callable[[], object]


class Cursor(Protocol):
    """The part of a database cursor that a session uses."""

    @property
    def rowcount(self) -> int:
        """The number of rows that the last statement changed."""
        ...

    def execute(self, text: Any, values: Any = ..., /) -> Any:
        """Run one statement."""
        ...

    def executemany(self, text: Any, rows: Any, /) -> Any:
        """Run one statement for many rows of values."""
        ...

    def fetchall(self) -> list[Any]:
        """Return the rows of the last query."""
        ...


class Session:
    """Runs Core statements inside a transaction; handed to topic functions as their first argument.

    `writable` is True inside a write job. A statement that fails ends its job: the job is undone even if it swallows
    the error, on both databases alike.
    """

    __slots__ = (
        "_compiled",
        "_cursor",
        "_errors",
        "_on_commit",
        "_on_undo",
        "_plans",
        "_translate",
        "failure",
        "kept",
        "writable",
    )

    def __init__(
        self,
        cursor: Cursor,
        plans: Plans,
        errors: tuple[type[Exception], ...],
        translate: Callable[[Exception], AssentError],
        *,
        writable: bool,
    ) -> None:
        """Run on `cursor`; `translate` makes our errors of the driver's `errors`."""
        self._cursor = cursor
        self._plans = plans
        self._compiled = plans.compiled
        self._errors = errors
        self._translate = translate
        self._on_commit: list[Hook] = []
        self._on_undo: list[Hook] = []
        self.writable = writable
        #: Values that topics keep on this connection between transactions: only those that can never change.
        self.kept: dict[str, Any] = {}
        #: The error of the first statement that failed, if any.
        self.failure: AssentError | None = None

    def all(self, statement: Executable, parameters: Mapping[str, Any] = NOTHING) -> list[tuple[Any, ...]]:
        """Return every row of a query; a list parameter may be of any length, its chunks' rows follow each other."""
        plan = self._compiled.get(id(statement)) or self._plans.plan(statement)
        cursor = self._cursor
        try:
            if plan.list_name is None:
                cursor.execute(plan.text, plan.bind(parameters))
                return cursor.fetchall()
            rows: list[tuple[Any, ...]] = []
            for text, values in self._plans.queries(plan, parameters):
                cursor.execute(text, values)
                rows += cursor.fetchall()
        except self._errors as error:
            raise self._failed(error) from error
        return rows

    def one(self, statement: Executable, parameters: Mapping[str, Any] = NOTHING) -> tuple[Any, ...] | None:
        """Return the first row of a query, or None; meant for queries that have at most one."""
        rows = self.all(statement, parameters)
        return rows[0] if rows else None

    def run(self, statement: Executable, parameters: Mapping[str, Any] = NOTHING) -> int:
        """Run a statement that returns no rows; return how many rows it changed."""
        plan = self._compiled.get(id(statement)) or self._plans.plan(statement)
        cursor = self._cursor
        try:
            if plan.list_name is None:
                cursor.execute(plan.text, plan.bind(parameters))
                return cursor.rowcount
            changed = 0
            for text, values in self._plans.queries(plan, parameters):
                cursor.execute(text, values)
                changed += cursor.rowcount
        except self._errors as error:
            raise self._failed(error) from error
        return changed

    def run_many(self, statement: Executable, rows: Sequence[Mapping[str, Any]] | Sequence[tuple[Any, ...]]) -> None:
        """Run a statement for many rows: mappings, or named tuples whose fields are the statement's parameters."""
        if not rows:
            return
        plan = self._compiled.get(id(statement)) or self._plans.plan(statement)
        try:
            if plan.insert is None or len(rows) == 1:
                self._cursor.executemany(plan.text, plan.rows(rows))
                return
            for text, values in self._plans.inserts(plan, list(plan.rows(rows))):
                self._cursor.execute(text, values)
        except self._errors as error:
            raise self._failed(error) from error

    def after_commit(self, hook: Hook) -> None:
        """Register `hook`, which the writer thread calls once this job is durable, before its future resolves.

        A hook that raises gives its error to the job's future although the write is kept, so hooks must not raise.
        Raises `Conflict` outside a write job.
        """
        self._check_writable()
        self._on_commit.append(hook)

    def after_undo(self, hook: Hook) -> None:
        """Register `hook`, which the writer thread calls when this job fails, before any other job runs.

        The job itself failed, or the commit that it shared with others did. A job that remembers anything outside the
        store registers here what drops it. Hooks must not raise. Raises `Conflict` outside a write job.
        """
        self._check_writable()
        self._on_undo.append(hook)

    def pop_hooks(self) -> tuple[list[Hook], list[Hook]]:
        """Return the hooks of the job that just ended, for its commit and its undoing, and clear them."""
        hooks = self._on_commit, self._on_undo
        self._on_commit, self._on_undo = [], []
        return hooks

    def _check_writable(self) -> None:
        if not self.writable:
            raise Conflict("Only a write job is kept or undone.", advice="Register the hook inside store.write().")

    def _failed(self, error: Exception) -> AssentError:
        ours = self._translate(error)
        if self.failure is None:
            self.failure = ours
        return ours
