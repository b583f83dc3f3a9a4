"""Batches that wait are taken in together: each sender hears about their own, whatever becomes of the others."""

from __future__ import annotations

import threading

import pytest

from assent.intake import queue as queue_module
from assent.intake import write_job
from assent.intake.intake import INLINE_BYTES
from assent.store.topics import records
from assent.terms.errors import Busy, InvalidInput, StoreUnavailable
from tests.rooms.intake.shop import BOTH, Shop


def hold(shop: Shop) -> threading.Event:
    """Keep the writer busy until the event is set."""
    begun, go_on = threading.Event(), threading.Event()

    def job(_):
        begun.set()
        go_on.wait(30)

    shop.store.submit(job)
    begun.wait(30)
    return go_on


def queue(shop: Shop, *events):
    """Parse a batch and queue it."""
    return shop.intake.submit(shop.intake.parse(shop.intake.body_of(events), kind="batch"))


def test_batches_that_wait_become_one_record_for_each_person(shop: Shop) -> None:
    """Events that came while the writer was busy are sealed once for each person, and counted batch by batch."""
    go_on = hold(shop)
    waiting = [queue(shop, shop.event("ann", f"item-{number}"), shop.event("bob", context=None)) for number in range(5)]
    go_on.set()
    assert [(each.result().stored, each.result().dropped) for each in waiting] == [(1, {"no_consent": 1})] * 5
    with shop.store.read() as session:
        assert len(records.of(session, shop.find("ann"))) == 1
    assert len(shop.history("ann")) == 5


def test_a_duplicate_is_counted_in_the_batch_that_came_later(shop: Shop) -> None:
    """The first batch keeps the event, whichever job takes both in."""
    go_on = hold(shop)
    event = shop.event("ann", "tea", messageId="m-1")
    first, second = queue(shop, event), queue(shop, event)
    go_on.set()
    assert (first.result().stored, second.result().dropped) == (1, {"duplicate": 1})


def test_a_no_takes_back_what_an_earlier_batch_of_the_same_job_brought(shop: Shop) -> None:
    """The batch whose event is not kept after all is told so."""
    no = {"consent": {"categoryPreferences": {"personalize": False, "learn": False}}}
    go_on = hold(shop)
    first, second = queue(shop, shop.event("ann")), queue(shop, shop.event("ann", "mug", context=no))
    go_on.set()
    assert (first.result().stored, first.result().dropped) == (0, {"signal": 1})
    assert second.result().dropped == {"signal": 1}


def test_when_a_job_fails_each_of_its_batches_is_tried_alone(shop: Shop, monkeypatch) -> None:
    """One batch that cannot be taken in costs nobody else theirs."""
    add_many = records.add_many

    def fail(session, rows):
        if any(row.person == poisoned for row in rows):
            message = "a damaged page"
            raise OSError(message)
        add_many(session, rows)

    shop.send(shop.event("eve"))
    poisoned = shop.find("eve")
    monkeypatch.setattr(records, "add_many", fail)
    go_on = hold(shop)
    good, bad, fine = queue(shop, shop.event("ann")), queue(shop, shop.event("eve")), queue(shop, shop.event("bob"))
    go_on.set()
    assert (good.result().stored, fine.result().stored) == (1, 1)
    with pytest.raises(OSError, match="damaged"):
        bad.result()
    assert shop.history("ann") == {("tea", 1, BOTH)}
    assert len(shop.events("eve")) == 1


def test_a_sender_who_gave_up_is_left_out(shop: Shop) -> None:
    """A batch whose future was cancelled while it waited is not taken in; the others are."""
    go_on = hold(shop)
    given_up, kept = queue(shop, shop.event("ann")), queue(shop, shop.event("bob"))
    assert given_up.cancel()
    go_on.set()
    assert kept.result().stored == 1
    assert shop.find("ann") is None
    go_on = hold(shop)
    alone = queue(shop, shop.event("ann"))
    assert alone.cancel()
    go_on.set()
    assert shop.send(shop.event("cid")).stored == 1


def test_too_many_waiting_batches_are_told_to_come_again(file_shop: Shop, monkeypatch) -> None:
    """Past the bound a sender hears at once that the store is busy; nothing that waits is lost."""
    monkeypatch.setattr(queue_module, "_WAITING_BATCHES_MAX", 2)
    go_on = hold(file_shop)
    waiting = [queue(file_shop, file_shop.event("ann")) for _ in range(2)]
    with pytest.raises(Busy):
        queue(file_shop, file_shop.event("ann"))
    go_on.set()
    assert sum(each.result().stored for each in waiting) == 2


def test_more_than_one_job_can_hold_is_taken_in_by_the_next(file_shop: Shop, monkeypatch) -> None:
    """The bound of one job cuts what waits into several; every batch is answered."""
    monkeypatch.setattr(file_shop.intake._queue._jobs, "weight_max", 2)
    go_on = hold(file_shop)
    waiting = [queue(file_shop, file_shop.event("ann"), file_shop.event("bob")) for _ in range(4)]
    go_on.set()
    assert sum(each.result().stored for each in waiting) == 8
    with file_shop.store.read() as session:
        assert len(records.of(session, file_shop.find("ann"))) == 4


def test_closing_finishes_what_waits(file_shop: Shop, monkeypatch) -> None:
    """A store that closes takes in everything that was queued, also what one job could not hold."""
    monkeypatch.setattr(file_shop.intake._queue._jobs, "weight_max", 1)
    go_on = hold(file_shop)
    waiting = [queue(file_shop, file_shop.event("ann")) for _ in range(3)]
    closing = threading.Thread(target=file_shop.store.close)
    closing.start()
    while not file_shop.store._writer._closing:
        pass
    go_on.set()
    closing.join()
    assert [each.result().stored for each in waiting] == [1, 1, 1]


def test_after_closing_nothing_is_queued(file_shop: Shop) -> None:
    """A batch for a closed store fails with the store's own words, and so does the next."""
    file_shop.store.close()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            queue(file_shop, file_shop.event("ann")).result()


def unread(shop: Shop, *events):
    """Queue a body that is too long to be read at once."""
    body = shop.intake.body_of(events) + b" " * INLINE_BYTES
    return shop.intake.submit_body(body, kind="batch")


def test_long_bodies_are_read_in_turn_and_taken_in_together(file_shop: Shop, monkeypatch) -> None:
    """A job is asked for when nothing is left to read, not for the first of many bodies."""
    batches, first, go_on, jobs = file_shop.intake._queue, threading.Event(), threading.Event(), []
    parse, take = file_shop.intake._parser.parse, batches._jobs._work

    def slowly(*given, **named):
        first.set()
        go_on.wait(30)
        return parse(*given, **named)

    def count(session, taken):
        jobs.append(len(taken))
        return take(session, taken)

    monkeypatch.setattr(file_shop.intake._parser, "parse", slowly)
    monkeypatch.setattr(batches._jobs, "_work", count)
    waiting = [unread(file_shop, file_shop.event("ann"))]
    first.wait(30)
    waiting += [unread(file_shop, file_shop.event("ann")) for _ in range(3)]
    go_on.set()
    assert [each.result().stored for each in waiting] == [1] * 4
    assert jobs == [4]


def test_what_was_read_does_not_wait_for_all_that_comes(file_shop: Shop, monkeypatch) -> None:
    """Enough events, or enough batches, are worth a job of their own while more is read."""
    batches = file_shop.intake._queue
    batches._reading = True
    monkeypatch.setattr(queue_module, "WORTH_EVENTS", 2)
    assert queue(file_shop, file_shop.event("ann"), file_shop.event("bob")).result().stored == 2
    monkeypatch.setattr(queue_module, "WORTH_EVENTS", 1_000)
    monkeypatch.setattr(queue_module, "WORTH_BATCHES", 2)
    first = queue(file_shop, file_shop.event("ann"))
    assert batches._jobs.count == 1
    second = queue(file_shop, file_shop.event("ann"))
    assert (first.result().stored, second.result().stored) == (1, 1)


def test_the_reader_looks_out_for_as_many_as_came_before(file_shop: Shop, monkeypatch) -> None:
    """After a job of several batches the next waits until as many are there; nobody waits alone, or for long."""
    batches, jobs = file_shop.intake._queue, []
    take, read = batches._jobs._work, threading.Semaphore(0)

    def count(session, taken):
        jobs.append(len(taken))
        return take(session, taken)

    def told(unread):
        original(unread)
        read.release()

    original = batches._read
    monkeypatch.setattr(batches._jobs, "_work", count)
    monkeypatch.setattr(batches, "_read", told)
    monkeypatch.setattr(queue_module, "LINGER_SECONDS", 30)
    assert unread(file_shop, file_shop.event("ann")).result(10).stored == 1
    batches._jobs.last_count = 3
    waiting = []
    for _ in range(3):
        waiting.append(unread(file_shop, file_shop.event("ann")))
        read.acquire(timeout=10)
    assert [each.result(10).stored for each in waiting] == [1] * 3
    monkeypatch.setattr(queue_module, "LINGER_SECONDS", 0.001)
    assert unread(file_shop, file_shop.event("ann")).result(10).stored == 1
    assert jobs == [1, 3, 1]
    monkeypatch.setattr(queue_module, "LINGER_SECONDS", 30)
    batches._jobs.last_count = 3
    last = unread(file_shop, file_shop.event("ann"))
    batches.close()
    assert last.result(10).stored == 1


def test_a_long_body_that_cannot_be_read_says_so(file_shop: Shop) -> None:
    """The future of a bad body raises its error, and the bodies after it are read."""
    bad = file_shop.intake.submit_body(b"[" * (INLINE_BYTES + 1), kind="batch")
    good = unread(file_shop, file_shop.event("ann"))
    with pytest.raises(InvalidInput):
        bad.result()
    assert good.result().stored == 1


def test_a_body_whose_sender_gave_up_is_not_taken_in(file_shop: Shop) -> None:
    """A future that is cancelled before its body is read costs nothing more; one while it is read, only that."""
    batches = file_shop.intake._queue
    batches._reading = True
    read = []

    def give_up() -> None:
        assert failing.cancel()
        raise InvalidInput("Nobody hears this.")

    given_up = batches.submit_unread(lambda: read.append(1), 1, gpc=False)
    failing = batches.submit_unread(give_up, 1, gpc=False)
    assert given_up.cancel()
    batches._read_all()
    assert not read
    assert not batches._jobs.count
    assert failing.cancelled()


def test_too_many_waiting_bytes_are_told_to_come_again(file_shop: Shop, monkeypatch) -> None:
    """The bodies that wait to be read are bounded in bytes too."""
    monkeypatch.setattr(queue_module, "_WAITING_BYTES_MAX", INLINE_BYTES)
    batches = file_shop.intake._queue
    batches._reading = True
    waiting = unread(file_shop, file_shop.event("ann"))
    with pytest.raises(Busy):
        unread(file_shop, file_shop.event("ann"))
    batches._read_all()
    assert waiting.result().stored == 1


def test_closing_reads_what_is_not_read_yet(file_shop: Shop) -> None:
    """Bodies that were queued before are taken in; one that comes later is read at once, by whoever brings it."""
    go_on = hold(file_shop)
    waiting = [unread(file_shop, file_shop.event("ann")) for _ in range(3)]
    file_shop.intake.close()
    late = unread(file_shop, file_shop.event("ann"))
    go_on.set()
    assert [each.result().stored for each in (*waiting, late)] == [1] * 4
    file_shop.store.close()
    with pytest.raises(StoreUnavailable):
        unread(file_shop, file_shop.event("ann")).result()


def test_trails_do_not_lie_loose_without_end(shop: Shop, monkeypatch) -> None:
    """Somebody with many loose trails has them folded into one history, which stays the same."""
    monkeypatch.setattr(write_job, "FOLD_TRAILS", 3)
    monkeypatch.setattr(write_job, "CACHED_TRAIL_COUNTS", 0)
    for number in range(6):
        shop.send(shop.event("ann", f"item-{number}"))
    with shop.store.read() as session:
        folded = records.history(session, shop.find("ann"))
        loose = records.trails(session, shop.find("ann"), folded.through_seq if folded else 0)
    assert folded is None
    assert len(loose) == 6
    monkeypatch.setattr(write_job, "CACHED_TRAIL_COUNTS", 1_000)
    for number in range(6, 12):
        shop.send(shop.event("ann", f"item-{number}"))
    with shop.store.read() as session:
        folded = records.history(session, shop.find("ann"))
        assert len(records.trails(session, shop.find("ann"), folded.through_seq)) <= 3
    assert shop.history("ann") == {(f"item-{number}", 1, BOTH) for number in range(12)}
