"""`Engine.open`: settings that do not exist stop the start."""

import pytest

from assent import Engine, InvalidInput
from assent.terms.settings import Settings
from tests.journeys.shop import BOTH, TEA, views


def test_an_unknown_language_stops_the_start_as_an_unknown_mode_of_gpc_does(tmp_path):
    """No consent could be recorded in a language without notices; the advice names those that exist."""
    store = str(tmp_path / "shop.db")
    for setting, allowed in (("gpc", "strict, sharing"), ("language", "de, en")):
        with pytest.raises(InvalidInput, match=allowed):
            Engine.open(store, settings=Settings(**{setting: "no"}))
    Engine.open(store, settings=Settings(language="de-AT")).close()


def test_consents_that_come_by_signals_are_recorded_in_the_shops_language(tmp_path):
    """The banner of a German shop is German, and so is the notice that its yes points to."""
    settings = Settings(language="de")
    with Engine.open(str(tmp_path / "shop.db"), settings=settings) as german:
        assert german.take_in(views("ana", TEA[:1], BOTH)).stored == 1
        entries = german.people.consents("ana").entries
    assert {(each.action, each.language) for each in entries} == {("granted", "de")}
