"""The driver's part of a training on Spark: who is asked, what travels, and what becomes of the answers."""

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
from assent.learn.spark.histories import KEY_FILE, STORE, Errand, Histories, boxes_of, hear, release
from assent.learn.spark.pieces import Box, Moved, take
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
    """What to write, the sum, and who solves its columns where the model is sparse."""

    plan: TrainingPlan
    total: PairSum
    solver: Solver


#: Reads everybody once; None when what was read changed meanwhile.
Gather = Callable[[], Gathered | None]


@contextmanager
def gatherer(spark: Spark, *, store: Store, vault: Vault, ledger: Ledger, clock: Clock) -> Iterator[Gather]:
    """Open Spark (a session, or a master's URL) and yield what reads everybody there.

    Raises `SparkUnavailable`, `InvalidInput`, `Conflict`; the function raises those too, and what an executor told.
    """
    sessions.refuse_without_packages()
    if isinstance(spark, str):
        # A master far away is not told where the key file is, so a missing one is found out without it.
        here = {STORE: store.url, KEY_FILE: str(vault.key_path.absolute())} if sessions.is_local(spark) else {}
        with sessions.opened(spark, here) as session:
            yield lambda: gather(session, store, vault, ledger, clock)
    else:
        yield lambda: gather(spark, store, vault, ledger, clock)


def gather(spark: SparkSession, store: Store, vault: Vault, ledger: Ledger, clock: Clock) -> Gathered | None:
    """Have executors read everybody who says yes; None when consent changed."""
    with store.read() as session:
        head = sums.head(session, MODEL)
        granting = ledger.people_granting(session, Learn)
        held = {person for person, _ in sums.contributions(session, MODEL)}
        at_ms, epoch, columns = clock.now_ms(), meta.epoch(session), items.count(session)
    plan = TrainingPlan(epoch=epoch, version=head.version if head else 0, columns=columns, rebuild=True)
    plan.gone += sorted(held - set(granting))
    if not granting:
        return Gathered(plan, PairSum(columns), solve_here)
    # Keys are touched once there is somebody to read: what is wrong with the store has been told by now.
    run = PersonId(vault.randomness.bytes(RUN_BYTES))
    wrapped, key_id = vault.new_person_key(run)
    errand = Errand(
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
    work = Histories(errand, tuple(b"".join(granting[part::parts]) for part in range(parts)))
    own = functools.partial(_own_boxes, vault, errand)
    try:
        with own() as (unseal, _):
            places = len(blocks.cut(columns)) - 1 + parts
            pieces = cluster.add_up(spark.range(0, parts, 1, parts), places, work, errand.boxes)
            total, said = take(pieces, parts, columns, unseal)
    except Moved:
        return None
    for person, sealed in (each for part in said for each in hear(part)):
        if sealed:
            plan.sealed.append((person, sealed))
        else:
            plan.gone.append(person)
    # With no more cores than there are here, sending the sum to them would only take time.
    there = cores > (os.cpu_count() or 1)
    return Gathered(plan, total, solver_on(spark, errand.boxes, own) if there else solve_here)


@contextmanager
def _own_boxes(vault: Vault, errand: Errand) -> Iterator[tuple[Box, Box]]:
    """Open the boxes of a run here; its key is in memory for no longer."""
    try:
        yield boxes_of(vault.key(errand.run, errand.wrapped, errand.key_id))
    finally:
        vault.drop_key(errand.run)


def without_password(store: Store) -> str:
    """Return the store's URL as other machines may know it: without a password, a file by its whole path."""
    if store.path is not None:
        return str(store.path.absolute())
    parts = urlsplit(store.url)
    names, at, place = parts.netloc.rpartition("@")
    query = urlencode(
        [(name, value) for name, value in parse_qsl(parts.query) if name not in {"password", "sslpassword"}]
    )
    return urlunsplit((parts.scheme, names.partition(":")[0] + at + place, parts.path, query, ""))
