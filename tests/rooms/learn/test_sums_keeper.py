"""The sum on disk is always the sum over the people who say yes now."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.engine import Engine
from assent.learn import MODEL, input_of
from assent.models.recommender import contribution, contributions_of
from assent.store.topics import records, sums
from assent.terms.errors import AssentError, Corrupt
from assent.terms.limits import limit
from assent.terms.purposes import Learn
from assent.terms.settings import Settings
from assent.testing import FixedClock
from assent.testing.shops import acts, crowd
from assent.vault import entries, no_history
from tests.insides import head, model_of
from tests.tables import drop_key, sum_rows


def served(engine: Engine) -> str:
    """Return the digest of the model that answers now."""
    return model_of(engine).digest()


def other(store_url: str, key_path: Path, clock: FixedClock) -> Engine:
    """Open the same store a second time, as another process would."""
    return Engine.open(store_url, keys=key_path, clock=clock, settings=Settings())


def withdraw_beside(engine: Engine, name: str) -> None:
    """Let somebody withdraw on another thread, while this one is busy; return once it holds."""
    leaver = threading.Thread(target=lambda: engine.consent(name, withdraw=["learn"]))
    leaver.start()
    leaver.join()


def test_an_empty_store_trains_to_an_empty_model(engine: Engine):
    """Nobody said yes: the sum is empty, and that is not an error."""
    report = engine.train()
    assert (report.people, report.items, report.added) == (0, 0, 0)
    assert engine.verify(rebuild=True).holds


def test_training_twice_changes_nothing(shop: Engine):
    """A second training finds everybody as they were."""
    before = head(shop).digest
    report = shop.train()
    assert (report.added, report.removed, report.digest) == (0, 0, before)


def test_new_events_are_taken_in_and_equal_a_rebuild(shop: Engine, clock: FixedClock):
    """Adding by differences and adding up everything anew give the same digest."""
    clock.move(days=1)
    shop.take_in([*acts("crowd-1", ["book-7"], clock), *acts("newcomer", ["tea-1", "tea-2"], clock)])
    step = shop.train()
    assert step.added == 2
    assert not step.rebuilt
    whole = shop.train(rebuild=True)
    assert whole.rebuilt
    assert whole.digest == step.digest


@pytest.mark.parametrize("leave", ["withdraw", "erase"])
def test_leaving_equals_never_having_been_there(
    shop: Engine, store_url: str, tmp_path: Path, clock: FixedClock, leave: str
):
    """The digest after somebody left is the digest of a shop that never knew them."""
    clock.move(days=1)
    before = head(shop).digest
    shop.take_in(acts("guest", ["tea-1", "garden-2", "book-3"], clock))
    assert shop.train().digest != before
    if leave == "withdraw":
        shop.consent("guest", withdraw=["learn"])
    else:
        shop.erase("guest")
    assert head(shop).digest == before
    assert served(shop) == before
    assert shop.verify(rebuild=True).holds


@pytest.mark.parametrize("leave", ["erase", "withdraw"])
def test_what_a_leaver_held_stands_nowhere_by_itself(shop: Engine, leave: str):
    """Once somebody left, the sum that answers keeps no short list of them beside its rows."""
    shop.train()
    model = model_of(shop)
    if leave == "erase":
        shop.erase("crowd-1")
    else:
        shop.consent("crowd-1", withdraw=["learn"])
    assert len(model.sum._current.pending) == 0
    assert model_of(shop).digest() == head(shop).digest


def test_withdrawing_learn_twice_takes_out_once(shop: Engine):
    """A second withdrawal finds nothing to subtract."""
    shop.consent("crowd-0", withdraw=["learn"])
    once = head(shop).digest
    shop.consent("crowd-0", withdraw=["learn"])
    assert head(shop).digest == once


def test_another_process_no_longer_serves_who_left(shop: Engine, store_url: str, key_path: Path, clock: FixedClock):
    """A second engine on the same store answers without the person from its next question on."""
    with other(store_url, key_path, clock) as second:
        assert served(second) == head(shop).digest
        shop.erase("crowd-3")
        assert served(second) == head(shop).digest


def test_another_process_follows_a_rebuild_that_took_people_out(
    shop: Engine, store_url: str, key_path: Path, clock: FixedClock
):
    """Many changed rows and somebody gone: the second engine solves anew before it answers."""
    with other(store_url, key_path, clock) as second:
        served(second)
        clock.move(days=limit("consent_days") + 1)
        report = shop.train()
        assert report.people == 0
        assert served(second) == report.digest


def test_another_process_solves_newcomers_in_the_background(
    shop: Engine, store_url: str, key_path: Path, clock: FixedClock
):
    """Many changed rows and nobody gone: the old model answers until the new one stands."""
    with other(store_url, key_path, clock) as second:
        before = served(second)
        crowd(shop, clock, people=60)
        after = shop.train().digest
        assert served(second) == before
        loading = second._rooms.learning.recommender._loading
        assert loading is not None
        loading.result()
        assert served(second) == after


def test_a_withdrawal_during_training_is_not_undone_by_it(shop: Engine, clock: FixedClock):
    """Somebody withdraws between reading and committing: the training starts again without them."""
    clock.move(days=1)
    shop.take_in(acts("crowd-1", ["book-7"], clock))
    drafts_before = shop._rooms.learning._trainer._drafts
    calls = []

    def read_then_withdraw(session, kept, *, rebuild):
        drafts = drafts_before(session, kept, rebuild=rebuild)
        if not calls:
            withdraw_beside(shop, "crowd-2")
        calls.append(drafts)
        return drafts

    shop._rooms.learning._trainer._drafts = read_then_withdraw
    report = shop.train()
    assert len(calls) == 2
    assert report.people == 23
    assert shop.verify(rebuild=True).holds


def test_a_training_that_is_overtaken_each_time_still_ends(shop: Engine, clock: FixedClock):
    """Consent that changes at every attempt makes the last one hold the writer."""
    clock.move(days=1)
    shop.take_in(acts("crowd-1", ["book-7"], clock))
    drafts_before = shop._rooms.learning._trainer._drafts
    calls = []

    def read_then_change(session, kept, *, rebuild):
        drafts = drafts_before(session, kept, rebuild=rebuild)
        calls.append(session.writable)
        if not session.writable:
            withdraw_beside(shop, f"crowd-{len(calls) + 1}")
        return drafts

    shop._rooms.learning._trainer._drafts = read_then_change
    report = shop.train()
    assert calls == [False, False, False, True]
    assert report.people == 21
    assert shop.verify(rebuild=True).holds


def test_an_altered_row_is_found_and_not_served(shop: Engine, store_url: str, key_path: Path, clock: FixedClock):
    """One changed number in the stored sum: verify says so, and a fresh process refuses to solve it."""

    def alter(session):
        rows = sum_rows(session, MODEL, [0])
        row = bytearray(rows[0])
        row[-8] ^= 1
        sums.put_rows(session, MODEL, 1, [(0, bytes(row))])

    shop._rooms.store.write(alter)
    verdict = shop.verify()
    assert not verdict.holds
    shutil.rmtree(key_path.parent / "shop.db.models", ignore_errors=True)
    with other(store_url, key_path, clock) as second, pytest.raises(Corrupt):
        second.decide("crowd-1")
    shop.train(rebuild=True)
    assert shop.verify(rebuild=True).holds


def test_what_was_learned_for_one_purpose_is_not_learned_for_another(engine: Engine, clock: FixedClock):
    """Leave to personalize is no leave to learn: the sum stays empty."""
    crowd(engine, clock, people=0)
    engine.take_in(acts("shy", ["tea-1", "tea-2"], clock, consent={"personalize": True, "learn": False}))
    assert engine.train().people == 0


def test_a_history_becomes_each_item_once_as_fresh_as_its_newest_act():
    """Acting twice on an item is one item of the contribution; old acts count less; an empty history adds nothing."""
    history = entries([(7, 510, 1, 3), (9, 20, 1, 3), (7, 11, 5, 3), (2, 390, 1, 3)])
    (made,) = contributions_of([history])
    assert made is not None
    assert np.array_equal(made.items, [2, 7, 9])
    assert np.array_equal(made.values, [2, 4, 1])
    assert contributions_of([no_history()]) == [None]


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 400), st.integers(1, 5), st.integers(1, 3)), max_size=8),
        max_size=6,
    )
)
def test_many_histories_become_what_each_becomes_alone(rows):
    """Weighing everybody at once is exactly weighing one after the other, empty histories among them."""
    histories = [entries(each) if each else no_history() for each in rows]
    alone = [contribution(*input_of(each)) if len(each) else None for each in histories]
    assert contributions_of(histories) == alone


def test_somebody_without_a_key_stops_the_training(shop: Engine):
    """Consent that stands beside a key that is gone is damage, not a person to leave out."""
    with shop._rooms.store.read() as session:
        person = shop._rooms.ledger.people_granting(session, Learn)[0]
    shop._rooms.store.write(lambda session: drop_key(session, person))
    with pytest.raises(AssentError, match="key is missing"):
        shop.train(rebuild=True)


def test_training_folds_histories_that_lie_in_many_pieces(shop: Engine, clock: FixedClock):
    """After many small batches a training puts the pieces together; what they say stays the same."""
    for number in range(3):
        clock.move(seconds=60)
        shop.take_in(acts("busy", [f"book-{number % 8}"], clock))
    before = shop.export("busy").history
    with shop._rooms.store.read() as session:
        assert records.long_tails(session, limit("history_tail_records")) != []
    shop.train()
    with shop._rooms.store.read() as session:
        assert records.long_tails(session, limit("history_tail_records")) == []
    assert shop.export("busy").history == before
