"""Signals are read strictly: what cannot be read refuses, what says nothing leaves the ledger alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.consent import NO_SIGNALS, Conflict, Purposes, Signals, contexts, read_signals
from assent.terms.errors import InvalidInput
from tests.rooms.consent.own import recipients

PURPOSES = Purposes.read(recipients(acme="Acme Ltd", zeta="Zeta"))
SEGMENT = "segment"
RUDDER = "rudderstack"
NO_SHARING = {"share:acme": False, "share:zeta": False}
BOTH = "segment+rudderstack"


def segment(preferences):
    """A context as Segment's clients send it."""
    return {"consent": {"categoryPreferences": preferences}}


def rudder(allowed=None, denied=None, **more):
    """A context as RudderStack's clients send it."""
    lists = {"allowedConsentIds": allowed, "deniedConsentIds": denied}
    return {"consentManagement": {key: value for key, value in lists.items() if value is not None} | more}


def read(context, *, gpc=False, mode="strict"):
    """Read under the purposes of these tests."""
    return read_signals(context, gpc, mode, PURPOSES)


SILENT = [
    None,
    {},
    {"page": {"path": "/"}},
    {"consent": {}},
    {"consent": {"provider": "x"}},
]


@pytest.mark.parametrize("context", SILENT, ids=str)
def test_no_signal_says_nothing(context):
    """Without a consent object the ledger decides alone."""
    signals = read(context)
    assert signals is NO_SIGNALS
    assert signals.categories is None
    assert signals.says("learn") is None
    assert signals.refusal("learn") is None


READ = [
    ("one yes", segment({"personalize": True}), {"personalize": True}, SEGMENT),
    ("one no", segment({"personalize": False}), {"personalize": False}, SEGMENT),
    ("some of each", segment({"personalize": True, "learn": False}), {"personalize": True, "learn": False}, SEGMENT),
    ("by alias", segment({"Analytics": True, "C0004": False}), {"measure": True} | NO_SHARING, SEGMENT),
    ("a family is never granted whole", segment({"advertising": True}), {}, SEGMENT),
    ("one recipient", segment({"share:acme": True}), {"share:acme": True}, SEGMENT),
    ("what is needed is not asked", segment({"necessary": False, "service": False}), {}, SEGMENT),
    ("only unknown ones", segment({"juggling": True}), {}, SEGMENT),
    ("allowed", rudder(["learn"], []), {"learn": True}, RUDDER),
    ("allowed alone", rudder(["learn"]), {"learn": True}, RUDDER),
    ("denied", rudder([], ["learn"]), {"learn": False}, RUDDER),
    ("denied alone", rudder(None, ["learn"]), {"learn": False}, RUDDER),
    ("tuples", rudder(("learn",), ("measure",)), {"learn": True, "measure": False}, RUDDER),
    ("with its extras", rudder(["learn"], [], provider="oneTrust", resolutionStrategy="or"), {"learn": True}, RUDDER),
    ("both, agreeing", segment({"learn": True}) | rudder(["learn"], []), {"learn": True}, BOTH),
    ("both, other things", segment({"learn": True}) | rudder([], ["measure"]), {"learn": True, "measure": False}, BOTH),
    ("both, disagreeing", segment({"learn": True}) | rudder([], ["learn"]), {"learn": False}, BOTH),
    ("disagreeing the other way", segment({"learn": False}) | rudder(["learn"], []), {"learn": False}, BOTH),
    ("on both lists", rudder(["learn"], ["learn"]), {"learn": False}, RUDDER),
    ("or does not soften a no", rudder(["analytics"], ["C0002"], resolutionStrategy="or"), {"measure": False}, RUDDER),
]


@pytest.mark.parametrize(("context", "categories", "source"), [row[1:] for row in READ], ids=[row[0] for row in READ])
def test_signals_are_resolved_to_purposes(context, categories, source):
    """Each category becomes a yes or a no for the purposes it means; one no outweighs every yes."""
    signals = read(context)
    assert signals.categories == categories
    assert signals.source == source
    assert not signals.unreadable
    for purpose, said in categories.items():
        assert signals.says(purpose) is said
    assert signals.says("service") is None


@pytest.mark.parametrize("context", [segment({}), rudder([], [])], ids=["segment", "rudderstack"])
def test_an_empty_answer_says_no_to_everything(context):
    """A banner that was shown and got no yes is a no to every optional purpose."""
    signals = read(context)
    assert signals.categories == dict.fromkeys(PURPOSES.optional, False)
    assert all(signals.refusal(purpose)[0] == "signal" for purpose in PURPOSES.optional)
    assert signals.says("service") is None


UNREADABLE = [
    ("consent is null", {"consent": None}),
    ("consent is text", {"consent": "yes"}),
    ("consent is a list", {"consent": ["learn"]}),
    ("preferences are null", segment(None)),
    ("preferences are text", segment("all")),
    ("preferences are a list", segment(["learn"])),
    ("preferences are true", segment(True)),
    ("a yes as text", segment({"learn": "true"})),
    ("a yes as a number", segment({"learn": 1})),
    ("a no as a number", segment({"learn": 0})),
    ("a yes as 1.0", segment({"learn": 1.0})),
    ("a yes as null", segment({"learn": None})),
    ("one bad among good", segment({"personalize": True, "learn": "yes"})),
    ("a category that is no text", segment({1: True})),
    ("management is null", {"consentManagement": None}),
    ("management is a list", {"consentManagement": []}),
    ("management is empty", {"consentManagement": {}}),
    ("management without lists", {"consentManagement": {"provider": "oneTrust"}}),
    ("allowed is text", rudder("learn")),
    ("allowed is bytes", rudder(b"learn")),
    ("allowed is a map", rudder({"learn": True})),
    ("allowed holds a number", rudder(["learn", 7])),
    ("denied is null", {"consentManagement": {"allowedConsentIds": ["learn"], "deniedConsentIds": None}}),
    ("denied holds null", rudder(["learn"], [None])),
    ("provider is a number", rudder(["learn"], [], provider=7)),
    ("strategy is null", rudder(["learn"], [], resolutionStrategy=None)),
    ("one of two", segment({"learn": True}) | {"consentManagement": 7}),
    ("context is a list", ["consent"]),
    ("context is text", "consent"),
    ("context is true", True),
]


@pytest.mark.parametrize("context", [row[1] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE])
def test_what_cannot_be_read_refuses_everything_optional(context):
    """Fail closed: a malformed consent object is a no, never an error and never a yes."""
    signals = read(context)
    assert signals.unreadable
    assert signals.open_bits == 0
    for purpose in PURPOSES.optional:
        assert signals.says(purpose) is False
        assert signals.refusal(purpose)[0] == "signal"
    assert signals.says("service") is None
    assert signals.source


def test_a_number_is_not_mistaken_for_a_yes_read_before():
    """1 and True are equal in Python; an earlier readable signal does not vouch for an unreadable one."""
    assert read(segment({"learn": True})).says("learn") is True
    assert read(segment({"learn": 1})).unreadable
    assert read(segment({"learn": True})).says("learn") is True


def test_the_same_signals_are_the_same_object():
    """Repeated signals cost one look-up and may be compared by identity."""
    assert read(segment({"learn": True})) is read(segment({"learn": True}))
    assert read(None, gpc=True) is read({}, gpc=True)


def test_very_long_signals_are_read_but_not_remembered():
    """A client cannot fill the memory with category names; unknown ones are listed, cut short."""
    names = {f"{number:03d}" + "x" * 100: True for number in range(50)}
    first, second = read(segment(names | {"learn": False})), read(segment(names | {"learn": False}))
    assert first == second
    assert first is not second
    assert first.says("learn") is False
    assert len(first.unknown) == 32
    assert max(map(len, first.unknown)) == 64


def test_what_is_remembered_is_bounded():
    """However many different signals arrive, only so many are kept."""
    for number in range(1_200):
        assert read(segment({"learn": False, f"c{number}": True})).says("learn") is False
    assert 0 < len(contexts._remembered) <= 512


def test_unknown_categories_are_ignored_but_listed():
    """What means nothing here changes nothing, and the operator can see it."""
    signals = read(segment({"learn": True, "Juggling": True, "share:nobody": False, "": True}))
    assert signals.categories == {"learn": True}
    assert signals.unknown == ("Juggling", "share:nobody", "")


def test_a_conflict_is_kept_and_the_no_holds():
    """Who said yes and who said no can be shown to the person."""
    signals = read(segment({"learn": True, "measure": True}) | rudder(["measure"], ["learn"]))
    assert signals.conflicts == (Conflict("learn", ("segment:learn",), ("rudderstack:learn",)),)
    assert signals.refusal("learn") == ("signal", "rudderstack")
    assert signals.sources_of("measure") == ("segment", "rudderstack")


def test_two_categories_of_one_banner_can_disagree():
    """Within one signal the no holds as well, and the conflict names both categories."""
    signals = read(segment({"analytics": True, "statistics": False}))
    assert signals.says("measure") is False
    assert signals.conflicts == (Conflict("measure", ("segment:analytics",), ("segment:statistics",)),)


def test_an_empty_answer_beside_a_yes_is_a_conflict():
    """One banner's silence against another's yes: the silence was a no."""
    signals = read(segment({}) | rudder(["learn"], []))
    assert signals.says("learn") is False
    assert signals.conflicts == (Conflict("learn", ("rudderstack:learn",), ("segment",)),)


def test_gpc_refuses_everything_optional_by_default():
    """In mode strict the header stops every optional purpose for that request."""
    signals = read(segment({"learn": True}), gpc=True)
    assert signals.gpc
    assert signals.source == "segment+gpc"
    assert signals.refusal("learn") == ("gpc", "gpc")
    assert all(signals.says(purpose) is False for purpose in PURPOSES.optional)
    assert signals.says("service") is None
    assert signals.open_bits == 0
    assert signals.conflicts == (Conflict("learn", ("segment:learn",), ("gpc",)),)


def test_gpc_can_be_kept_to_its_letter():
    """In mode sharing the header stops passing data on, and nothing else."""
    signals = read(segment({"learn": True, "share:acme": True}), gpc=True, mode="sharing")
    assert signals.says("learn") is True
    assert signals.says("personalize") is None
    assert signals.refusal("share:acme") == ("gpc", "gpc")
    assert signals.refusal("share:zeta") == ("gpc", "gpc")
    assert signals.conflicts == (Conflict("share:acme", ("segment:share:acme",), ("gpc",)),)
    assert read(None, gpc=True, mode="sharing").says("learn") is None


def test_a_mode_that_does_not_exist_is_refused():
    """A misspelt mode never falls back to the weaker one."""
    with pytest.raises(InvalidInput, match="strict, sharing"):
        read(None, mode="off")
    with pytest.raises(InvalidInput, match="strict, sharing"):
        Signals(mode="Strict")


def test_signals_can_be_made_by_hand():
    """An embedding program may state signals itself; the source then stands for all of them."""
    signals = Signals(gpc=False, categories={"learn": False, "share:acme": False, "measure": True}, source="api")
    assert signals.refusal("learn") == ("signal", "api")
    assert signals.sources_of("measure") == ("api",)
    assert signals.open_bits == ~2


def test_the_built_in_purposes_are_the_default():
    """Without purposes of its own a caller gets those of the package."""
    assert read_signals(segment({"learn": True})).categories == {"learn": True}
    assert read_signals(segment({"share:acme": True})).unknown == ("share:acme",)


names = st.sampled_from(
    ["learn", "personalize", "analytics", "Statistics", "advertising", "share:acme", "juggling", "necessary"]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | names, inner, max_size=3),
    max_leaves=8,
)
any_context = st.dictionaries(
    st.sampled_from(["consent", "consentManagement", "page"]), anything, max_size=3
) | st.builds(
    lambda preferences, allowed, denied: segment(preferences) | rudder(allowed, denied),
    st.dictionaries(names, st.booleans(), max_size=4),
    st.lists(names, max_size=3),
    st.lists(names, max_size=3),
)


@given(any_context, st.booleans(), st.sampled_from(["strict", "sharing"]))
def test_reading_never_fails_and_more_signals_never_allow_more(context, gpc, mode):
    """Whatever a client sends is read without error, and adding GPC or another signal can only refuse more."""
    alone = read(context, mode=mode)
    more = read(context, gpc=gpc, mode=mode)
    for purpose in PURPOSES.optional:
        if alone.says(purpose) is False:
            assert more.says(purpose) is False
        assert (more.refusal(purpose) is not None) is (more.says(purpose) is False)
        bit = PURPOSES.tag(purpose).bit
        if bit:
            assert bool(more.open_bits & bit) is (more.says(purpose) is not False)
    for key in ("consent", "consentManagement"):
        part = read({key: context[key]}, gpc=gpc, mode=mode) if key in context else NO_SIGNALS
        for purpose in PURPOSES.optional:
            if part.says(purpose) is False:
                assert more.says(purpose) is False
