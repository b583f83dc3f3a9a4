"""Whole acts, the same through Python, the command line and HTTP: what one surface answers, all answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.drivers import (
    DRIVERS,
    CommandDriver,
    Driver,
    Failed,
    HttpDriver,
    PythonDriver,
    ServedDriver,
    filled,
    opened,
)
from tests.journeys.shop import (
    BOTH,
    GARDEN,
    GOODS,
    NEITHER,
    ONLY_LEARN,
    ONLY_PERSONALIZE,
    TEA,
    ana,
    event,
    views,
)

Seen = list[Any]


@pytest.fixture(params=sorted(DRIVERS))
def driver(request, tmp_path):
    """Open an empty shop behind one of the three surfaces."""
    opened = DRIVERS[request.param](tmp_path)
    yield opened
    opened.close()


def seen(decision: dict[str, Any]) -> dict[str, Any]:
    """Return what must be the same everywhere: all of an answer but its id, its moment and its receipt's id."""
    told = {name: value for name, value in decision.items() if name not in {"decision_id", "at", "receipt"}}
    return told | {"has_receipt": decision["receipt"] is not None}


def items(decision: dict[str, Any]) -> list[str]:
    """Return the ids of a list, in order."""
    return [each["item"] for each in decision["items"]]


def refused(act: Callable[[], object]) -> str:
    """Return the code with which an act is refused."""
    with pytest.raises(Failed) as caught:
        act()
    return caught.value.code


def digest_of(driver: Driver) -> str:
    """Train, and return the digest of the sum."""
    return driver.train()["digest"]


# -- the scenarios: each returns what it saw, so that the surfaces can be compared ----------------------------------


def whole_story(driver: Driver) -> Seen:
    """Consent comes in with events; reasons are true; each withdrawal and the erasure hold from the next call on."""
    filled(driver)
    without = digest_of(driver)
    driver.send(ana())
    learned = driver.train()
    assert learned["people"] == 9
    first = driver.decide("ana", count=4)
    assert first["personal"]
    assert first["method"] == "personal"
    assert first["purpose"] == "personalize"
    assert set(items(first)) & set(TEA[3:])
    reasons = [because for each in first["items"] for because in each["because"]]
    assert {because["item"] for because in reasons} <= set(TEA[:3])
    assert {because["action"] for because in reasons if because["item"] == TEA[1]} <= {"bought"}
    assert all(because["share_percent"] % 5 == 0 for because in reasons)

    driver.consent("ana", withdraw=["learn"])
    assert digest_of(driver) == without != learned["digest"]
    second = driver.decide("ana", count=4)
    assert second["personal"]

    driver.consent("ana", withdraw=["personalize"])
    third = driver.decide("ana", count=4)
    assert not third["personal"]
    assert third["method"] == "popular"
    assert third["purpose"] is None
    driver.send(views("ana", GARDEN[:2], BOTH, first=20))  # a banner's yes does not undo a no said to us
    assert driver.export("ana")["events"] == []

    certificate = driver.erase("ana")
    assert driver.verify(certificate)["holds"]
    forged = certificate | {"body": certificate["body"] | {"forged": True}}
    assert not driver.verify(forged)["holds"]
    assert refused(lambda: driver.export("ana")) == "not_found"
    last = driver.decide("ana", count=4)
    proof = driver.verify(rebuild=True)
    assert proof["holds"]
    assert digest_of(driver) == without
    return [without, learned["digest"], *map(seen, (first, second, third, last)), sorted(certificate["body"])]


def erased_out_of_the_model(driver: Driver) -> Seen:
    """Who never withdrew and is erased leaves the sum in the same act: the digest is as if they had never come."""
    filled(driver)
    without = digest_of(driver)
    driver.send(ana())
    assert digest_of(driver) != without
    certificate = driver.erase("ana")
    assert driver.verify(certificate)["holds"]
    assert driver.verify(rebuild=True)["holds"]
    assert digest_of(driver) == without
    return [without, seen(driver.decide("ana", count=4))]


def no_consent(driver: Driver) -> Seen:
    """Without consent, or with a no, nothing is stored and nobody is made."""
    filled(driver)
    driver.send(ana(None) + views("ben", TEA[:3], NEITHER))
    codes = [refused(lambda name=name: driver.export(name)) for name in ("ana", "ben")]
    assert codes == ["not_found"] * 2
    driver.train()
    decision = driver.decide("ana", count=4)
    assert not decision["personal"]
    assert decision["items"]
    return [seen(decision)]


def consent_by_call(driver: Driver) -> Seen:
    """Consent given by a call lets events without a signal in, and a withdrawal shuts the door again."""
    filled(driver)
    receipts = driver.consent("ana", grant=["personalize"])
    assert [receipt["payload"] != {} for receipt in receipts] == [True]
    driver.send(ana(None))
    driver.train()
    first = driver.decide("ana", count=4)
    assert first["personal"]
    driver.consent("ana", withdraw=["personalize"])
    driver.send(views("ana", GARDEN, None, first=30))
    second = driver.decide("ana", count=4)
    assert not second["personal"]
    assert driver.export("ana")["events"] == []
    return [seen(first), seen(second)]


def one_purpose_only(driver: Driver) -> Seen:
    """`personalize` alone gives one's own list and adds nothing to the sum; `learn` alone does the reverse."""
    filled(driver)
    without = driver.train()
    driver.send(views("ben", TEA[:3], ONLY_PERSONALIZE))
    same = driver.train()
    assert (same["digest"], same["people"]) == (without["digest"], 8)
    driver.send(views("cleo", TEA[:3], ONLY_LEARN))
    more = driver.train()
    assert more["people"] == 9
    own, general = driver.decide("ben", count=4), driver.decide("cleo", count=4)
    assert own["personal"]
    assert not general["personal"]
    return [more["digest"], seen(own), seen(general)]


def global_privacy_control(driver: Driver) -> Seen:
    """`Sec-GPC: 1` wins over a granted purpose, for that call, and the answer says so."""
    filled(driver)
    driver.send(ana())
    driver.train()
    with_signal, without = driver.decide("ana", count=4, gpc=True), driver.decide("ana", count=4)
    assert with_signal["gpc_honored"]
    assert not with_signal["personal"]
    assert without["personal"]
    return [seen(with_signal), seen(without)]


def nobody_known(driver: Driver) -> Seen:
    """Somebody unknown gets an honest general list; there is nothing to export, withdraw or erase."""
    filled(driver)
    driver.train()
    decision = driver.decide("nobody", count=4)
    assert not decision["personal"]
    assert decision["method"] == "popular"
    assert items(decision) == items(driver.decide(count=4))
    codes = [
        refused(lambda: driver.export("nobody")),
        refused(lambda: driver.erase("nobody")),
        refused(lambda: driver.consents("nobody")),
        refused(lambda: driver.consent("nobody", withdraw=["learn"])),
    ]
    assert codes == ["not_found"] * 4
    similar = driver.decide(count=3, context={"item": TEA[0]})
    assert similar["method"] == "similar"
    assert set(items(similar)) <= set(TEA[1:])
    return [seen(decision), seen(similar)]


def empty_shop(driver: Driver) -> Seen:
    """A shop without goods, people or model answers with an empty list, and everything holds."""
    decision = driver.decide("ana")
    assert items(decision) == []
    assert decision["method"] == "empty"
    assert not decision["personal"]
    assert driver.train()["people"] == 0
    assert driver.verify(rebuild=True)["holds"]
    return [seen(decision)]


def events_after_erasure(driver: Driver) -> Seen:
    """Late events of an erased person are dropped, yes or no in the banner, until the person says yes to us anew."""
    filled(driver)
    driver.send(ana())
    digest_of(driver)
    driver.erase("ana")
    without = digest_of(driver)
    driver.send(views("ana", GARDEN[:3], BOTH, first=40))
    assert refused(lambda: driver.export("ana")) == "not_found"
    assert digest_of(driver) == without
    driver.consent("ana", grant=["personalize", "learn"])
    driver.send(views("ana", GARDEN[:3], BOTH, first=50))
    assert len(driver.export("ana")["events"]) == 3
    again = driver.train()
    assert again["people"] == 9
    return [without, again["digest"], seen(driver.decide("ana", count=4))]


def left_out(driver: Driver) -> Seen:
    """What is excluded or bought does not appear; what was bought does when asked for; unavailable goods never do."""
    filled(driver)
    driver.send(ana())
    driver.put_items([GOODS[4] | {"available": False}])
    driver.train()
    plain_list = driver.decide("ana", count=12)
    assert TEA[1] not in items(plain_list)
    assert TEA[4] not in items(plain_list)
    narrowed = driver.decide("ana", count=12, exclude=[TEA[3], GARDEN[0]])
    assert items(narrowed) == [item for item in items(plain_list) if item not in {TEA[3], GARDEN[0]}]
    with_bought = driver.decide("ana", count=12, include_bought=True)
    assert TEA[1] in items(with_bought)
    unprofiled = driver.decide("ana", count=12, mode="non_profiled")
    assert not unprofiled["personal"]
    return [seen(each) for each in (plain_list, narrowed, with_bought, unprofiled)]


def carried_away(driver: Driver) -> Seen:
    """An export holds what the person did and said, and nothing that should not have been kept."""
    filled(driver)
    driver.send([*ana(), event("ana", TEA[0], 0, BOTH)])  # the last one came in before
    driver.train()
    driver.decide("ana", count=3)
    held = driver.export("ana")
    assert len(held["events"]) == 4
    assert len(held["decisions"]) == 1
    text = json.dumps(held)
    assert TEA[1] in text
    assert "203.0.113.7" not in text
    assert "SECRET" not in text
    assert "crowd" not in text
    states = driver.consents("ana")
    assert "granted" in json.dumps(states)
    return [sorted(held), len(held["events"])]


def bad_questions(driver: Driver) -> Seen:
    """What cannot be answered is refused with the same code everywhere."""
    filled(driver)
    codes = [
        refused(lambda: driver.decide("ana", count=0)),
        refused(lambda: driver.decide("ana", count=10**9)),
        refused(lambda: driver.decide("ana", mode="mindreading")),
        refused(lambda: driver.consent("ana", grant=["world_domination"])),
        refused(lambda: driver.consent("a" * 257, grant=["learn"])),
        refused(lambda: driver.consents("ana")),
    ]
    assert codes == ["invalid_input"] * 3 + ["unknown_purpose", "invalid_input", "not_found"]
    return codes


SCENARIOS: list[Callable[[Driver], Seen]] = [
    whole_story,
    erased_out_of_the_model,
    no_consent,
    consent_by_call,
    one_purpose_only,
    global_privacy_control,
    nobody_known,
    empty_shop,
    events_after_erasure,
    left_out,
    carried_away,
    bad_questions,
]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Return what a scenario sees through Python, played once and kept."""
    kept: dict[str, Seen] = {}

    def play(scenario):
        if scenario.__name__ not in kept:
            driver = PythonDriver(tmp_path_factory.mktemp(scenario.__name__))
            try:
                kept[scenario.__name__] = scenario(driver)
            finally:
                driver.close()
        return kept[scenario.__name__]

    return play


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_every_surface_tells_the_same_story(driver, scenario, reference):
    """A scenario holds on every surface, and what is seen on the way is what Python sees."""
    assert scenario(driver) == reference(scenario)


def test_the_server_as_it_is_run_tells_the_same_story(tmp_path, reference):
    """The whole story once more through the server's own processes."""
    driver = ServedDriver(tmp_path)
    try:
        assert whole_story(driver) == reference(whole_story)
    finally:
        driver.close()


def test_a_choice_of_nothing_records_nothing(driver):
    """Python and HTTP refuse it, the command line shows what stands; the ledger stays as it is."""
    driver.consent("ana", grant=["learn"])
    before = driver.consents("ana")
    if isinstance(driver, CommandDriver):
        assert driver.run("consent", "ana", "--grant", "", "--withdraw", " ,") == before
    else:
        assert refused(lambda: driver.consent("ana")) == "invalid_input"
    assert driver.consents("ana") == before


@pytest.mark.parametrize("kind", [PythonDriver, HttpDriver])
def test_events_sent_under_global_privacy_control_leave_nothing(kind, tmp_path):
    """Events of a browser that sends `Sec-GPC: 1` are dropped, even when the banner says yes; nobody is made."""
    with opened(kind, tmp_path) as driver:
        if isinstance(driver, HttpDriver):
            driver.ask("POST", "/v1/batch", json={"batch": ana()}, headers={"Sec-GPC": "1"})
        else:
            assert driver.engine.take_in(ana(), gpc=True).stored == 0
        assert refused(lambda: driver.export("ana")) == "not_found"
