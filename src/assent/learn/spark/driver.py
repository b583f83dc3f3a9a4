"""The driver's part of a training on Spark: it sends people's ids to executors, and makes a plan of their answers."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from assent.learn.registry import MODEL
from assent.learn.spark import blocks, cluster, sessions
from assent.learn.spark.columns import solver_on
from assent.learn.spark.histories import KEY_FILE, STORE, Histories, RunState, boxes_of, release, unpack_contributions
from assent.learn.spark.pieces import Box, SourceChanged, sum_of_pieces
from assent.learn.training_plan import TrainingPlan
from assent.models.recommender.sparse.solver import Solver, solve_here
from assent.store.topics import items, meta, sums
from assent.sums import PairSum
from assent.terms.ids import PersonId
from assent.terms.purposes import Learn

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from assent.consent import Ledger
    from assent.store import Store
    from assent.terms.clock import Clock
    from assent.vault import Vault

#: The people of one part: few enough that a lost part is soon read again, many enough for their sum to be compact.
PART_PEOPLE: Final = 20_000
RUN_BYTES: Final = 16

#: An open session, or a master's URL.
Spark: TypeAlias = "SparkSession | str"


class Gathered(NamedTuple):
    """The plan, the sum, and the solver of its columns where the model is sparse."""

    plan: TrainingPlan
    total: PairSum
    solver: Solver


#: Reads all people once; returns None when the store changed meanwhile.
Gather = Callable[[], Gathered | None]


@contextmanager
def gatherer(spark: Spark, *, store: Store, vault: Vault, ledger: Ledger, clock: Clock) -> Iterator[Gather]:
    """Open Spark (a session, or a master's URL) and yield the function that reads all people there.

    Raises `SparkUnavailable`, `InvalidInput`, `Conflict`; the function raises those too, and an executor's error.
    """
    sessions.refuse_without_packages()
    if isinstance(spark, str):
        # A remote master does not get the path of the key file: its executors have their own.
        here = {STORE: store.url, KEY_FILE: str(vault.key_path.absolute())} if sessions.is_local(spark) else {}
        with sessions.opened(spark, here) as session:
            yield lambda: gather(session, store, vault, ledger, clock)
    else:
        yield lambda: gather(spark, store, vault, ledger, clock)


def gather(spark: SparkSession, store: Store, vault: Vault, ledger: Ledger, clock: Clock) -> Gathered | None:
    """Let executors read all people who consent; None when consent changed. Raises as `gatherer`."""
    with store.read() as session:
        head = sums.head(session, MODEL)
        granting = ledger.people_granting(session, Learn)
        stored = {person for person, _ in sums.contributions(session, MODEL)}
        at_ms, epoch, columns = clock.now_ms(), meta.epoch(session), items.count(session)
    plan = TrainingPlan(epoch=epoch, version=head.version if head else 0, columns=columns, rebuild=True)
    plan.gone += sorted(stored - set(granting))
    if not granting:
        return Gathered(plan, PairSum(columns), solve_here)
    # Keys are used only now: errors of the store have been raised before.
    run = PersonId(vault.randomness.bytes(RUN_BYTES))
    wrapped, key_id = vault.new_person_key(run)
    state = RunState(
        store=without_password(store),
        public_key=vault.public_key,
        release=release(),
        at_ms=at_ms,
        epoch=epoch,
        columns=columns,
        run=run,
        wrapped=wrapped,
        key_id=key_id,
        purposes=ledger.purposes.source,
    )
    cores = spark.sparkContext.defaultParallelism
    parts = min(max(2 * cores, -(-len(granting) // PART_PEOPLE)), len(granting))
    work = Histories(state, tuple(b"".join(granting[part::parts]) for part in range(parts)))
    own = functools.partial(_own_boxes, vault, state)
    try:
        with own() as (unseal, _):
            places = len(blocks.cut(columns)) - 1 + parts
            pieces = cluster.add_up(spark.range(0, parts, 1, parts), places, work, state.boxes)
            total, changes = sum_of_pieces(pieces, parts, columns, unseal)
    except SourceChanged:
        return None
    for person, sealed in (each for part in changes for each in unpack_contributions(part)):
        if sealed:
            plan.sealed.append((person, sealed))
        else:
            plan.gone.append(person)
    # With no more cores than there are here, sending the sum to them would only take time.
    there = cores > (os.cpu_count() or 1)
    return Gathered(plan, total, solver_on(spark, state.boxes, own) if there else solve_here)


@contextmanager
def _own_boxes(vault: Vault, state: RunState) -> Iterator[tuple[Box, Box]]:
    """Open the boxes of a run in this process; its key leaves memory at the end."""
    try:
        yield boxes_of(vault.key(state.run, state.wrapped, state.key_id))
    finally:
        vault.drop_key(state.run)


def without_password(store: Store) -> str:
    """Return the store's URL for other machines: without a password, a file by its whole path."""
    if store.path is not None:
        return str(store.path.absolute())
    parts = urlsplit(store.url)
    names, at, place = parts.netloc.rpartition("@")
    query = urlencode(
        [(name, value) for name, value in parse_qsl(parts.query) if name not in {"password", "sslpassword"}]
    )
    return urlunsplit((parts.scheme, names.partition(":")[0] + at + place, parts.path, query, ""))
