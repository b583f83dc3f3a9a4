"""An answer speaks the language it was asked in, and its codes are the same in each."""

from __future__ import annotations

import re

import pytest

from assent.engine import Engine
from assent.terms.errors import InvalidInput
from assent.terms.refusals import METHODS, NOT_USED, NOT_USED_REASONS, REFUSALS, USED
from assent.terms.settings import Settings
from assent.testing import FixedClock
from assent.testing.shops import acts


@pytest.fixture
def ana(shop: Engine, clock: FixedClock) -> Engine:
    """Return the shop with Ana, who looked at two teas and bought a third; trained."""
    shop.take_in([*acts("ana", ["tea-0", "tea-1"], clock), *acts("ana", ["tea-2"], clock, event="Order Completed")])
    shop.train()
    return shop


def codes(decision) -> object:
    """Return everything of an answer that programs read."""
    return (
        decision.method,
        decision.used_codes,
        [(each.code, each.reason) for each in decision.not_used],
        [
            [(reason.item, reason.action_code, reason.share_percent) for reason in each.because]
            for each in decision.items
        ],
    )


def test_an_answer_in_german_is_german_throughout(ana: Engine):
    """Reasons, what was used, what was not and how to change it: with the codes of the English answer."""
    german = ana.decide("ana", count=4, context={"item": "garden-3"}, language="de")
    english = ana.decide("ana", count=4, context={"item": "garden-3"})
    assert (german.language, english.language) == ("de", "en")
    assert codes(german) == codes(english)
    clause = r"(Tea \d angesehen hast|Tea \d gekauft hast|gerade Garden 3 ansiehst)"
    for each in german.items:
        assert re.fullmatch(rf"Weil du {clause}(, {clause})*( und {clause})?\.", each.text), each.text
        assert {reason.action for reason in each.because} <= {"angesehen", "gekauft", "gerade auf der Seite"}
    assert german.used[0] == "deine eigene Geschichte: 3 Handlungen mit 3 Artikeln"
    assert german.used[1:] == (
        "der Artikel auf dieser Seite",
        "was 25 Menschen gemeinsam haben, die dem Teilen zugestimmt haben",
    )
    assert "schon Gekauftes" in {each.what for each in german.not_used}
    assert "Modus non_profiled" in german.change
    words = {each.why for each in english.not_used} | {each.what for each in english.not_used} | set(english.used)
    assert not words & (
        {each.why for each in german.not_used} | {each.what for each in german.not_used} | set(german.used)
    )


def test_the_english_answer_says_what_it_always_said(ana: Engine):
    """Its sentences are part of what shops show: they change only with a reason."""
    answer = ana.decide("ana", count=1)
    assert answer.used == ("your own 3 actions with 3 items", "what 25 people who agreed to share have in common")
    assert [(each.what, each.why) for each in answer.not_used] == [
        ("things already bought", "Left out of the list; include_bought shows them."),
        ("location, device and network address", "Removed on arrival."),
        ("sensitive topics such as health or religion", "Not collected and not inferred."),
        ("what others know about the person", "Nothing is bought or taken in from elsewhere."),
    ]
    assert re.fullmatch(
        r"Because you (viewed|bought) Tea \d((, (viewed|bought) Tea \d)? and (viewed|bought) Tea \d)?\.",
        answer.items[0].text,
    )
    assert ana.decide().items[0].text == "Popular with people who agreed to share what they like."
    assert "/" not in answer.change


def test_the_codes_are_of_the_tables(ana: Engine):
    """Whatever an answer has as a code is one that the tables list."""
    answers = [ana.decide("ana"), ana.decide("x"), ana.decide(context={"item": "none"}), ana.decide("ana", gpc=True)]
    for answer in answers:
        assert answer.method in METHODS
        assert answer.used_codes.keys() <= set(USED)
        assert {each.code for each in answer.not_used} <= set(NOT_USED)
        assert {each.reason for each in answer.not_used} <= {*NOT_USED_REASONS, *REFUSALS}
    assert [answer.not_used[0].reason for answer in answers] == ["left_out", "unknown_person", "nobody_named", "gpc"]
    assert answers[0].used_codes["history"] == {"actions": 3, "items": 3}


def test_the_nearest_language_answers_and_else_that_of_the_shop(ana: Engine):
    """A region does not matter; a language without sentences is answered in the shop's own."""
    assert ana.decide("ana", language="de-AT").language == "de"
    assert ana.decide("ana", language="fr").language == "en"
    with pytest.raises(InvalidInput):
        ana.decide("ana", language="d" * 36)
    settings = Settings(language="de")
    with Engine.open(
        ana._rooms.store.url, keys=ana._rooms.key_path, settings=settings, clock=ana._rooms.clock
    ) as german:
        assert german.decide("ana").language == "de"
        assert german.decide("ana", language="fr").language == "de"
        assert german.decide("ana", language="en").language == "en"
        (receipt,) = german.consent("ana", grant=["measure"])
        assert receipt.payload["dct:language"] == "de"
        (receipt,) = german.consent("ana", grant=["measure"], language="en")
        assert receipt.payload["dct:language"] == "en"
        with pytest.raises(InvalidInput):
            german.consent("ana", grant=["measure"], language="fr")


def test_the_setting_comes_from_the_environment():
    """`ASSENT_LANGUAGE` is the shop's own language."""
    assert Settings.from_environment({"ASSENT_LANGUAGE": "de"}).language == "de"
