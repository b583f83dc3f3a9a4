"""Batches taken in, on both databases: what is kept, under which purposes, and what is not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from assent.intake import item_numbers, known_people, write_job
from assent.store.topics import items, meta, people, records
from assent.terms.clock import DAY_MS, to_text
from assent.terms.ids import Identifier
from assent.vault import AuditLog
from tests.rooms.intake.shop import BOTH, YES, Shop

NO = {"personalize": False, "learn": False}


def consenting(**purposes: bool) -> dict:
    """Return a context with these categories."""
    return {"consent": {"categoryPreferences": purposes}}


def test_an_event_under_consent_is_kept_and_becomes_history(shop: Shop) -> None:
    """An event under consent is stored, sealed, and its action with the item is in the person's history."""
    taken = shop.send(shop.event("ann", "tea"))
    assert (taken.stored, taken.dropped) == (1, {})
    ((purposes, event),) = shop.events("ann")
    assert purposes == BOTH
    assert event["event"] == "Product Viewed"
    assert event["user_id"] == "ann"
    assert event["properties"] == {"product_id": "tea"}
    assert shop.history("ann") == {("tea", 1, BOTH)}
    assert shop.states("ann") == {"personalize": "granted", "learn": "granted"}


def test_without_consent_nothing_is_kept_and_nobody_becomes_known(shop: Shop) -> None:
    """No consent object, a no, an unreadable object: each is dropped by its reason and leaves no trace."""
    taken = shop.send(
        shop.event("ann", context=None),
        shop.event("bob", context=consenting(**NO)),
        shop.event("cid", context={"consent": {"categoryPreferences": "yes"}}),
        shop.event("dan", context={"consent": None}),
        shop.event("eve", context=consenting(sunshine=True)),
    )
    assert taken.stored == 0
    assert taken.dropped == {"no_consent": 2, "signal": 1, "unreadable": 2}
    assert shop.people() == 0
    with shop.store.read() as session:
        assert records.count(session) == 0
        assert items.count(session) == 0


def test_the_ledger_alone_permits(shop: Shop) -> None:
    """An event without a signal is kept for what the person agreed to through our own API, and for nothing else."""
    shop.consent("ann", grant=["personalize"])
    assert shop.send(shop.event("ann", context=None)).stored == 1
    assert shop.history("ann") == {("tea", 1, 1)}


def test_the_most_restrictive_of_two_banners_wins(shop: Shop) -> None:
    """Segment's yes and RudderStack's no make a no for that purpose."""
    management = {"allowedConsentIds": ["personalize"], "deniedConsentIds": ["learn"], "provider": "custom"}
    context = {**consenting(**YES), "consentManagement": management}
    assert shop.send(shop.event("ann", context=context)).stored == 1
    assert shop.history("ann") == {("tea", 1, 1)}
    assert shop.states("ann") == {"personalize": "granted"}


def test_the_batch_context_speaks_for_events_that_say_nothing(shop: Shop) -> None:
    """Consent in the batch's own context holds for its events, unless an event's own says otherwise."""
    body = {
        "batch": [shop.event("ann", context=None), shop.event("bob", context=consenting(**NO))],
        "context": consenting(**YES),
    }
    import json

    batch = shop.intake.parse(json.dumps(body).encode(), kind="batch")
    taken = shop.intake.submit(batch).result()
    assert (taken.stored, taken.dropped) == (1, {"signal": 1})


def test_global_privacy_control_refuses_every_optional_purpose(shop: Shop) -> None:
    """`Sec-GPC: 1` outweighs a yes in the ledger and in the event, for that request."""
    shop.consent("ann", grant=["personalize", "learn"])
    taken = shop.send(shop.event("ann"), shop.event("bob"), gpc=True)
    assert (taken.stored, taken.dropped) == (0, {"gpc": 2})
    assert shop.states("ann") == {"personalize": "granted", "learn": "granted"}
    assert shop.find("bob") is None
    assert shop.send(shop.event("ann")).stored == 1


def test_a_no_in_an_event_withdraws_and_takes_back_what_was_kept_for_it(shop: Shop) -> None:
    """A banner's no withdraws in the ledger, strips records and history, and the other purpose goes on."""
    shop.send(shop.event("ann", "tea"), shop.event("ann", "mug", context=consenting(learn=True, personalize=False)))
    shop.clock.move(seconds=5)
    taken = shop.send(shop.event("ann", "jam", context=consenting(personalize=True, learn=False)))
    assert taken.stored == 1
    assert shop.states("ann") == {"personalize": "granted", "learn": "withdrawn"}
    assert shop.history("ann") == {("jam", 1, 1)}
    assert [event["properties"]["product_id"] for _, event in shop.events("ann")] == ["jam"]


def test_a_later_yes_of_the_same_banner_grants_again(shop: Shop) -> None:
    """A changed choice in the banner is followed, in both directions."""
    for seconds, said in ((0, True), (5, False), (5, True)):
        shop.clock.move(seconds=seconds)
        shop.send(shop.event("ann", "tea", context=consenting(personalize=said)))
    assert shop.states("ann")["personalize"] == "granted"
    assert shop.history("ann") == {("tea", 1, 1)}


def test_an_older_yes_that_changed_nothing_does_not_hide_a_newer_one(shop: Shop) -> None:
    """The answer for one event serves the next only where signals and ledger agree."""
    both, only = consenting(personalize=True, learn=True), consenting(personalize=True, learn=False)
    older = to_text(shop.clock.now_ms())
    shop.send(shop.event("ann", "tea", context=both))
    shop.clock.move(seconds=60)
    shop.send(shop.event("ann", "mug", context=only))
    for _ in range(2):  # sent late: it happened before the no, so the no stands
        shop.send(shop.event("ann", "jam", context=both, timestamp=older))
        assert shop.states("ann") == {"personalize": "granted", "learn": "withdrawn"}
    shop.clock.move(seconds=60)
    shop.send(shop.event("ann", "pot", context=both))
    assert shop.states("ann") == {"personalize": "granted", "learn": "granted"}
    assert {item: mask for item, _, mask in shop.history("ann")} == {"tea": 1, "mug": 1, "jam": 1, "pot": BOTH}


def test_what_was_settled_ends_with_the_consent(shop: Shop) -> None:
    """Events of somebody whose year is over are not kept on the strength of those before."""
    shop.send(shop.event("ann", "tea"))
    assert [shop.send(shop.event("ann", "mug", context=None)).stored for _ in range(2)] == [1, 1]
    shop.clock.move(seconds=366 * 86_400)
    assert shop.send(shop.event("ann", "jam", context=None)).dropped == {"no_consent": 1}


def test_a_banner_never_overrules_a_withdrawal_through_our_api(shop: Shop) -> None:
    """A purpose that a person withdrew in the privacy center stays withdrawn; a banner does not change it."""
    shop.send(shop.event("ann", "tea"))
    shop.clock.move(seconds=5)
    shop.consent("ann", withdraw=["personalize", "learn"])
    shop.clock.move(seconds=5)
    taken = shop.send(shop.event("ann", "mug"))
    assert (taken.stored, taken.dropped) == (0, {"no_consent": 1})
    assert set(shop.states("ann").values()) == {"withdrawn"}


def test_a_no_inside_a_batch_takes_back_what_came_before_it_in_the_batch(shop: Shop) -> None:
    """Events that were waiting in the same batch for a purpose that is then refused are not kept."""
    taken = shop.send(
        shop.event("ann", "tea"), shop.event("ann", "mug", context=consenting(personalize=False, learn=False))
    )
    assert (taken.stored, taken.dropped) == (0, {"signal": 2})
    assert set(shop.states("ann").values()) == {"withdrawn"}
    assert shop.events("ann") == []


def test_withdrawing_learn_by_a_signal_takes_the_person_out_of_the_sum(shop: Shop) -> None:
    """The same transaction that writes the withdrawal subtracts what the person had added."""
    for name in ("ann", "bob"):
        shop.send(shop.event(name, "tea"), shop.event(name, "mug"))
    shop.learning.train()
    shop.clock.move(seconds=5)
    shop.send(shop.event("ann", "tea", context=consenting(personalize=True, learn=False)))
    with shop.store.read() as session:
        assert shop.learning.model(session).people == 1
        assert all(check.holds for check in shop.learning.verify(session, rebuild=True))


def test_mixed_purposes_in_one_batch_are_kept_event_by_event(shop: Shop) -> None:
    """Each event remembers its own purposes, so that taking one back drops exactly what served it alone."""
    shop.send(
        shop.event("ann", "tea", context=consenting(personalize=True)),
        shop.event("ann", "mug", context=consenting(personalize=True, learn=True)),
        shop.event("ann", "jam", context=None),
    )
    with shop.store.read() as session:
        (row,) = records.of(session, shop.find("ann"))
    assert row.purposes == BOTH
    kept = {event["properties"]["product_id"]: purposes for purposes, event in shop.events("ann")}
    assert kept == {"tea": 1, "mug": BOTH, "jam": BOTH}
    assert shop.history("ann") == {("tea", 1, 1), ("mug", 1, BOTH), ("jam", 1, BOTH)}
    shop.clock.move(seconds=1)
    shop.send(shop.event("ann", "pen", context=consenting(personalize=False, learn=True)))
    assert shop.history("ann") == {("mug", 1, 2), ("jam", 1, 2), ("pen", 1, 2)}
    assert {event["properties"]["product_id"] for _, event in shop.events("ann")} == {"mug", "jam", "pen"}


@pytest.mark.parametrize("bound", ["CACHED_SIGNALS", "CACHED_SIGNAL_BYTES"])
def test_memory_for_signals_is_bounded(file_shop: Shop, monkeypatch, bound) -> None:
    """Consent objects that are too many or too long to remember are read anew, with the same answer."""
    monkeypatch.setattr(write_job, bound, 1)
    for number in range(4):
        padding = "x" * number
        context = {"consent": {"categoryPreferences": YES, "note": padding}}
        assert file_shop.send(file_shop.event("ann", f"item-{number}", context=context)).stored == 1
    assert len(file_shop.intake._job._signals) <= 1


def test_memory_for_people_and_items_is_bounded(file_shop: Shop, monkeypatch) -> None:
    """Past the bounds everything is dropped and asked of the store again; nothing is doubled."""
    monkeypatch.setattr(known_people, "CACHED_NAMES", 2)
    monkeypatch.setattr(item_numbers, "CACHED_NUMBERS", 2)
    for number in range(12):
        file_shop.send(file_shop.event(f"person-{number % 4}", f"item-{number % 5}"))
    assert file_shop.people() == 4
    with file_shop.store.read() as session:
        assert items.count(session) == 5
    assert len(file_shop.events("person-1")) == 3


def test_the_same_message_counts_once(shop: Shop) -> None:
    """A message id that comes again, in the batch, in the next, or in another process, is a duplicate."""
    event = shop.event("ann", "tea", messageId="m-1")
    assert shop.send(event, event).dropped == {"duplicate": 1}
    assert shop.send(event).dropped == {"duplicate": 1}
    assert shop.another().send(event).dropped == {"duplicate": 1}
    assert shop.send(shop.event("bob", "tea", messageId="m-1")).stored == 1
    assert shop.send(shop.event("ann", "tea"), shop.event("ann", "tea")).stored == 2
    assert len(shop.events("ann")) == 3


def test_a_dropped_message_is_not_remembered(shop: Shop) -> None:
    """Nothing of an event without consent is kept, not even the digest of its message id."""
    event = shop.event("ann", "tea", messageId="m-1", context=None)
    assert shop.send(event).dropped == {"no_consent": 1}
    shop.consent("ann", grant=["personalize"])
    assert shop.send(event).stored == 1


def test_orders_of_several_products_become_one_entry_each(shop: Shop) -> None:
    """Products in a list, by `product_id` or `sku`, as text or number, each become something bought."""
    products = [{"product_id": "tea", "quantity": 2, "price": 3.5}, {"sku": "mug"}, {"product_id": 17}, {"x": 1}, 5]
    shop.send(shop.event("ann", event="Order Completed", properties={"order_id": "o-1", "products": products}))
    assert shop.history("ann") == {("tea", 5, BOTH), ("mug", 5, BOTH), ("17", 5, BOTH)}
    ((_, event),) = shop.events("ann")
    assert event["properties"]["products"][0] == {"product_id": "tea", "quantity": 2, "price": 3.5}


def test_items_nobody_listed_are_numbered_but_not_listed(shop: Shop) -> None:
    """An unknown product id becomes an unlisted item, unless it could be an address of a person."""
    shop.catalog.put([{"id": "tee/grün", "name": "Tee"}])
    shop.send(*(shop.event("ann", item) for item in ("tea 1/2", "bob@example.org", "tee/grün", "käse", "a\x00b")))
    with shop.store.read() as session:
        rows = {row.id: row.listed for row in items.all(session)}
    assert rows == {"tee/grün": 1, "tea 1/2": 0}
    assert {item for item, _, _ in shop.history("ann")} == {"tea 1/2", "tee/grün"}
    assert len(shop.events("ann")) == 5


def test_the_items_last_sight_moves_forward(shop: Shop) -> None:
    """An item that is looked at again on a later day was seen on that day; a late event does not move it back."""
    shop.send(shop.event("ann", "tea"))
    first = shop.clock.now_ms() // DAY_MS
    shop.clock.move(days=3)
    shop.send(shop.event("ann", "tea"))
    shop.send(shop.event("ann", "tea", timestamp=to_text(shop.clock.now_ms() - 2 * DAY_MS)))
    with shop.store.read() as session:
        assert items.get(session, "tea").last_seen_ms // DAY_MS == first + 3


def test_erased_people_do_not_come_back_by_events(shop: Shop) -> None:
    """An event that names a suppressed identifier is dropped, also beside one that is known."""
    shop.send(shop.event("ann", anonymousId="device-1"))
    blind = shop.vault.blind(Identifier("anonymous_id", "device-2"))

    def job(session):
        people.suppress(session, "anonymous_id", blind, shop.clock.now_ms())
        meta.bump_epoch(session)

    shop.store.write(job)
    taken = shop.send(shop.event("ann", anonymousId="device-2"), shop.event(None, anonymousId="device-2"))
    assert (taken.stored, taken.dropped) == (0, {"suppressed": 2})
    assert shop.send(shop.event("ann", anonymousId="device-1")).stored == 1


def test_people_being_erased_are_left_alone(shop: Shop) -> None:
    """From the first step of an erasure on, nothing is added to a person, known before or not."""
    shop.send(shop.event("ann"))

    def job(session):
        people.set_state(session, shop.find("ann"), "erasing")
        meta.bump_epoch(session)

    shop.store.write(job)
    for house in (shop, shop.another()):
        assert house.send(shop.event("ann", "mug")).dropped == {"suppressed": 1}


def test_a_change_made_elsewhere_is_in_force_with_the_next_batch(shop: Shop) -> None:
    """A withdrawal in another process is seen by this one although it has the person in memory."""
    other = shop.another()
    shop.send(shop.event("ann", "tea", context=None), shop.event("ann", "tea"))
    other.consent("ann", withdraw=["personalize", "learn"])
    assert shop.send(shop.event("ann", "mug", context=None)).dropped == {"no_consent": 1}


@pytest.mark.parametrize("plainly", [True, False])
def test_a_job_that_is_undone_leaves_nothing_in_memory(shop: Shop, plainly) -> None:
    """When a batch fails after it found people and items, the next one does not use what it found."""
    send = shop.send_plainly if plainly else shop.send
    add_many = records.add_many

    def fail(session, rows):
        message = "the disk is full"
        raise OSError(message)

    records.add_many = fail
    try:
        with pytest.raises(OSError, match="disk"):
            send(shop.event("ann", "tea"))
    finally:
        records.add_many = add_many
    assert shop.people() == 0
    assert send(shop.event("ann", "mug")).stored == 1
    assert shop.history("ann") == {("mug", 1, BOTH)}


@pytest.mark.parametrize("plainly", [True, False])
def test_a_group_whose_commit_fails_leaves_nothing_in_memory(shop: Shop, plainly) -> None:
    """When the commit itself fails, the caches that the jobs of the group filled are dropped."""
    send = shop.send_plainly if plainly else shop.send
    writer = shop.store._writer
    shop.store.write(lambda _: None)
    link = type(writer._link)
    commit = link.commit

    def fail(self):
        link.commit = commit
        self.rollback()
        message = "lost the connection"
        raise OSError(message)

    link.commit = fail
    try:
        with pytest.raises(OSError, match="lost"):
            send(shop.event("ann", "tea"))
    finally:
        link.commit = commit
    assert shop.people() == 0
    assert send(shop.event("ann", "mug")).stored == 1
    assert shop.history("ann") == {("mug", 1, BOTH)}


def test_many_batches_at_once_lose_and_double_nothing(shop: Shop) -> None:
    """Batches that share a commit see each other's people; every event is kept exactly once."""
    batches = [
        [
            shop.event(f"person-{(number + place) % 7}", f"item-{place}", messageId=f"m-{number}-{place}")
            for place in range(9)
        ]
        for number in range(30)
    ]
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda batch: shop.send(*batch), batches))
    assert sum(each.stored for each in taken) == 270
    assert shop.people() == 7
    assert sum(len(shop.events(f"person-{number}")) for number in range(7)) == 270
    assert shop.intake.counts()["stored"] == 270


def test_what_changed_stands_in_the_log(shop: Shop) -> None:
    """Making a key and every change of consent is an entry of the tamper-evident log."""
    shop.send(shop.event("ann", context=consenting(personalize=True)))
    shop.clock.move(seconds=1)
    shop.send(shop.event("ann", context=consenting(personalize=False)))
    with shop.store.read() as session:
        audit = AuditLog(shop.vault)
        kinds = [each.kind for each in audit.of(session, shop.find("ann"))]
        assert all(check.holds for check in audit.verify(session))
    assert kinds == ["key made", "consent granted", "consent withdrawn"]


def test_counts_tell_reasons_and_sizes_but_nothing_about_anybody(shop: Shop) -> None:
    """The counters under /metrics: stored, each reason, how much came in and how little of it was kept."""
    shop.send(
        shop.event("ann", properties={"product_id": "tea", "secret": "x", "note": "y"}),
        shop.event(None),
        shop.event("bob", context=None),
    )
    assert shop.intake.counts() == {"stored": 1, "no_identifier": 1, "no_consent": 1}
    sizes = shop.intake.sizes()
    assert 0 < sizes["bytes_kept"] < sizes["bytes_received"]


def test_after_an_erasure_memory_can_be_emptied(shop: Shop) -> None:
    """Dropping somebody leaves no name in memory, and changes nothing else."""
    shop.send(shop.event("ann"))
    known = shop.intake._job._people
    assert known._blinds
    shop.intake.drop_person(shop.find("ann"))
    assert not any(known._by_name.values())
    assert not known._blinds
    assert shop.send(shop.event("ann", "mug")).stored == 1
    assert shop.people() == 1


def test_old_events_do_not_grant_consent_that_has_run_out(shop: Shop) -> None:
    """A yes that was said over a year ago gives no consent today."""
    old = to_text(shop.clock.now_ms() - 400 * DAY_MS)
    taken = shop.send(shop.event("ann", timestamp=old))
    assert (taken.stored, taken.dropped) == (0, {"no_consent": 1})


def test_the_day_of_an_act_is_the_events_own(shop: Shop) -> None:
    """History remembers the day on which something was done, not the day on which it was heard of."""
    shop.send(shop.event("ann", timestamp=to_text(shop.clock.now_ms() - 40 * DAY_MS)))
    assert shop.days("ann") == [shop.clock.now_ms() // DAY_MS - 40]
