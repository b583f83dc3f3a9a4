"""`engine.purposes`: what people can be asked for."""

from assent import PurposeText


def test_each_purpose_has_the_words_that_people_are_asked_with(engine):
    """Title and text, in every language with a hash of both, the basis and how long data is kept."""
    purposes = engine.purposes.all()
    assert all(isinstance(each, PurposeText) for each in purposes)
    for each in purposes:
        assert each.title
        assert each.text
        assert set(each.notices) >= {"en", "de"}
        assert each.retention_days > 0


def test_an_optional_purpose_starts_off(shop):
    """Of a person who agreed to two purposes, no other optional one is allowed."""
    states = shop.people.consents("ana").purposes
    optional = {each.id for each in shop.purposes.all() if each.optional}
    assert {each for each in optional if states[each].allowed} == {"personalize", "learn"}
