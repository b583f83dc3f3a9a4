"""People by name: names that lead to one person, visitors who become known, devices that are shared."""

from __future__ import annotations

from typing import Any

from assent.store.topics import people
from assent.terms.clock import DAY_MS, to_text
from tests.rooms.intake.shop import BOTH, YES, Shop

DEVICE = "6f1c-device"


def call(kind: str, **fields: Any) -> dict[str, Any]:
    """Return one call of another kind than track, under consent."""
    return {"type": kind, "context": {"consent": {"categoryPreferences": YES}}, **fields}


def test_a_visitor_who_signs_up_keeps_their_history(shop: Shop) -> None:
    """A user id that nobody has joins the person of the device, whose history and consent go on."""
    shop.send(shop.event(None, "tea", anonymousId=DEVICE))
    visitor = shop.find(f"anonymous_id:{DEVICE}")
    shop.send(call("identify", userId="ann", anonymousId=DEVICE, traits={"email": " Ann@Example.org", "age": 40}))
    assert shop.find("ann") == visitor == shop.find("email:ann@example.org")
    assert shop.history("ann") == {("tea", 1, BOTH)}
    assert [event["type"] for _, event in shop.events("ann")] == ["track", "identify"]
    assert shop.people() == 1


def test_a_known_person_on_a_new_device_is_found_by_it(shop: Shop) -> None:
    """A device that nobody used before leads to the person who was seen with it."""
    shop.send(shop.event("ann", "tea"))
    shop.send(shop.event("ann", "mug", anonymousId=DEVICE))
    assert shop.find(f"anonymous_id:{DEVICE}") == shop.find("ann")
    assert shop.send(shop.event(None, "jam", anonymousId=DEVICE, context=None)).stored == 1
    assert {item for item, _, _ in shop.history("ann")} == {"tea", "mug", "jam"}


def test_a_visitor_who_signs_in_becomes_the_person_they_are(shop: Shop) -> None:
    """When both exist, records and history move under the known person's key, and the visitor is gone."""
    shop.send(shop.event("ann", "tea"))
    shop.send(shop.event(None, "mug", anonymousId=DEVICE, timestamp=to_text(shop.clock.now_ms() - 3 * DAY_MS)))
    shop.send(shop.event(None, "jam", anonymousId=DEVICE))
    visitor = shop.find(f"anonymous_id:{DEVICE}")
    shop.learning.train()
    shop.send(shop.event("ann", "pen", anonymousId=DEVICE))
    assert shop.find(f"anonymous_id:{DEVICE}") == shop.find("ann") != visitor
    assert shop.history("ann") == {(item, 1, BOTH) for item in ("tea", "mug", "jam", "pen")}
    assert sorted(event["properties"]["product_id"] for _, event in shop.events("ann")) == ["jam", "mug", "pen", "tea"]
    assert shop.people() == 1
    with shop.store.read() as session:
        assert people.state(session, visitor) is None
        assert people.key(session, visitor) is None
        assert shop.learning.model(session).people == 1
        assert all(check.holds for check in shop.learning.verify(session, rebuild=True))


def test_in_one_batch_a_visitor_signs_in(shop: Shop) -> None:
    """The visitor's earlier events in the same batch move with them."""
    shop.send(shop.event("ann", "tea"))
    taken = shop.send(
        shop.event(None, "mug", anonymousId=DEVICE),
        call("identify", userId="ann", anonymousId=DEVICE),
        shop.event("ann", "jam"),
    )
    assert taken.stored == 3
    assert {item for item, _, _ in shop.history("ann")} == {"tea", "mug", "jam"}
    assert shop.people() == 1


def test_what_moves_is_only_what_the_known_person_agrees_to(shop: Shop) -> None:
    """The known person's own consent decides what of the visitor's is kept."""
    shop.consent("ann", grant=["personalize"])
    shop.send(shop.event(None, "mug", anonymousId=DEVICE))
    shop.send(shop.event("ann", "tea", anonymousId=DEVICE, context=None))
    assert shop.history("ann") == {("tea", 1, 1), ("mug", 1, 1)}
    assert {purposes for purposes, _ in shop.events("ann")} == {1}


def test_what_a_visitor_refused_later_holds_for_the_person(shop: Shop) -> None:
    """A later no, said before signing in, outweighs an earlier yes of the person."""
    shop.send(shop.event("ann", "tea"))
    shop.send(shop.event(None, "mug", anonymousId=DEVICE))
    shop.clock.move(seconds=5)
    refusing = {"consent": {"categoryPreferences": {"personalize": True, "learn": False}}}
    shop.send(shop.event(None, "mug", anonymousId=DEVICE, context=refusing))
    shop.clock.move(seconds=5)
    shop.send(shop.event("ann", "jam", anonymousId=DEVICE, context=None))
    assert shop.states("ann") == {"personalize": "granted", "learn": "withdrawn"}
    assert {purposes for _, _, purposes in shop.history("ann")} == {1}


def test_a_visitor_who_refused_everything_stops_what_comes_with_signing_in(shop: Shop) -> None:
    """When joining leaves no purpose, the event that joined them is not kept either."""
    shop.consent("ann", grant=["personalize"])
    shop.send(shop.event(None, "mug", anonymousId=DEVICE))
    shop.clock.move(seconds=5)
    shop.send(
        shop.event(
            None, "mug", anonymousId=DEVICE, context={"consent": {"categoryPreferences": {"personalize": False}}}
        )
    )
    shop.clock.move(seconds=5)
    taken = shop.send(shop.event("ann", "jam", anonymousId=DEVICE, context=None))
    assert (taken.stored, taken.dropped) == (0, {"no_consent": 1})
    assert shop.history("ann") == set()
    assert shop.find(f"anonymous_id:{DEVICE}") == shop.find("ann")


def test_without_consent_two_people_are_not_joined(shop: Shop) -> None:
    """An event that may not be kept joins nobody and names nobody."""
    shop.send(shop.event("ann", "tea"), shop.event(None, "mug", anonymousId=DEVICE))
    no = {"consent": {"categoryPreferences": {"personalize": False, "learn": False}}}
    shop.send(shop.event("ann", "jam", anonymousId=DEVICE, context=no))
    assert shop.find(f"anonymous_id:{DEVICE}") != shop.find("ann")


def test_a_shared_device_stays_with_the_first_who_signed_in(shop: Shop) -> None:
    """Two people with user ids of their own are never made one by a device they share."""
    shop.send(shop.event("ann", "tea", anonymousId=DEVICE))
    shop.send(shop.event("bob", "mug", anonymousId=DEVICE))
    assert shop.find(f"anonymous_id:{DEVICE}") == shop.find("ann") != shop.find("bob")
    assert {item for item, _, _ in shop.history("bob")} == {"mug"}
    shop.send(shop.event("bob", "jam", anonymousId=DEVICE))
    assert {item for item, _, _ in shop.history("bob")} == {"mug", "jam"}


def test_an_email_never_leads_to_somebody_else(shop: Shop) -> None:
    """A holder of the public write key may send any e-mail address; the first person with it keeps it."""
    shop.send(call("identify", userId="ann", traits={"email": "ann@example.org"}))
    shop.send(call("identify", userId="bob", traits={"email": "ann@example.org"}))
    assert shop.find("email:ann@example.org") == shop.find("ann") != shop.find("bob")
    shop.send(call("identify", userId="cid", traits={"email": "no address"}))
    assert shop.people() == 3


def test_an_alias_names_a_visitor(shop: Shop) -> None:
    """An alias of a visitor's id gives them a user id; the history stays theirs."""
    shop.send(shop.event(None, "tea", anonymousId=DEVICE))
    taken = shop.send(call("alias", previousId=DEVICE, userId="ann"))
    assert taken.stored == 1
    assert shop.find("ann") == shop.find(f"anonymous_id:{DEVICE}")
    assert shop.history("ann") == {("tea", 1, BOTH)}


def test_an_alias_joins_a_visitor_to_a_known_person(shop: Shop) -> None:
    """An alias from a visitor to somebody who exists makes them one."""
    shop.send(shop.event(None, "tea", anonymousId=DEVICE), shop.event("ann", "mug"))
    shop.send(call("alias", previousId=DEVICE, userId="ann"))
    assert {item for item, _, _ in shop.history("ann")} == {"tea", "mug"}
    assert shop.people() == 1
    assert shop.send(call("alias", previousId=DEVICE, userId="ann")).stored == 1


def test_an_alias_of_a_name_nobody_had_is_one_more_name(shop: Shop) -> None:
    """A previous id that is not known is kept as an anonymous id of the person."""
    shop.send(call("alias", previousId="old", userId="ann"))
    assert shop.find("anonymous_id:old") == shop.find("ann")


def test_an_alias_never_takes_over_somebody_with_a_user_id(shop: Shop) -> None:
    """A public write key cannot be used to become another known person."""
    shop.send(shop.event("ann", "tea"))
    for name in ("bob", "eve"):
        taken = shop.send(call("alias", previousId="ann", userId=name), call("alias", previousId="ann", userId="ann"))
        assert taken.dropped == {"alias_refused": 1}
    assert shop.find("bob") is None
    shop.send(shop.event("bob", "mug"))
    assert shop.send(call("alias", previousId="ann", userId="bob")).dropped == {"alias_refused": 1}
    assert {item for item, _, _ in shop.history("bob")} == {"mug"}


def test_one_person_is_one_object_in_memory_under_all_names(shop: Shop) -> None:
    """A withdrawal said under one name is in force under a name that was remembered before."""
    shop.send(shop.event("ann", "tea", anonymousId=DEVICE))
    fresh = shop.another()
    fresh.send(shop.event("ann", "tea"))
    fresh.send(
        shop.event(
            None, "mug", anonymousId=DEVICE, context={"consent": {"categoryPreferences": dict.fromkeys(YES, False)}}
        )
    )
    assert fresh.send(shop.event("ann", "jam", context=None)).dropped == {"no_consent": 1}


def test_ids_may_be_numbers_and_are_trimmed(shop: Shop) -> None:
    """17, "17" and " 17 " are one user id."""
    for user in (17, "17", " 17 "):
        shop.send(shop.event(user, "tea"))
    assert shop.people() == 1
    assert shop.find("17") is not None
