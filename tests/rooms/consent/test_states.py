"""What a consent is at a moment, and what one event with its signals makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.consent import NO_SIGNALS, Change, Settled, Signals, State, expiry_ms, settle, standing
from assent.terms.clock import DAY_MS
from assent.terms.purposes import BUILT_IN_BITS, TAGS
from assent.testing import START_MS

NOW = START_MS
YEAR = 365 * DAY_MS
WORDS = "0" * 64


def state(action="granted", purpose="learn", at_ms=NOW - DAY_MS, source="api", *, outdated=False, expires_ms=None):
    """A state as the ledger gives it."""
    if action == "granted" and expires_ms is None:
        expires_ms = at_ms + YEAR
    return State(purpose, action, at_ms, expires_ms, source, WORDS, "entry", outdated, BUILT_IN_BITS.get(purpose, 0))


def held(*states):
    """States by purpose."""
    return {each.purpose: each for each in states}


def after(states, changes):
    """The states as they are once the changes are in the ledger."""
    made = {change.purpose: state(change.action, *change[:1], change.at_ms, change.source) for change in changes}
    return {**states, **made}


def told(source="segment", *, gpc=False, mode="strict", unreadable=False, **said):
    """Signals that say this about purposes."""
    return Signals(gpc, said, source, mode, unreadable)


REFUSALS = [
    ("granted", state(), None),
    ("granted to the last moment", state(at_ms=NOW - YEAR + 1), None),
    ("expired at the moment", state(at_ms=NOW - YEAR), "expired"),
    ("granted without an end", State("learn", "granted", NOW - YEAR + 1, None, "api", WORDS, "e", bit=2), None),
    ("granted without an end, long ago", State("learn", "granted", NOW - YEAR, None, "api", WORDS, "e"), "expired"),
    ("refused", state("refused"), "refused"),
    ("withdrawn", state("withdrawn"), "withdrawn"),
    ("written down as expired", state("expired"), "expired"),
    ("written down as invalidated", state("invalidated"), "notice_changed"),
    ("granted to other words", state(outdated=True), "notice_changed"),
    ("granted to other words, long ago", state(at_ms=NOW - YEAR, outdated=True), "notice_changed"),
    ("written down as expired, under other words", state("expired", outdated=True), "notice_changed"),
    ("withdrawn under other words", state("withdrawn", outdated=True), "withdrawn"),
    ("refused under other words", state("refused", outdated=True), "refused"),
    ("an action from the future of this program", state("delegated"), "refused"),
]


@pytest.mark.parametrize(("held_state", "reason"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_a_state_stands_or_says_why_not(held_state, reason):
    """Only a grant that has not run out, to the words of today, is a consent."""
    assert held_state.refusal(NOW) == reason
    assert (standing(held(held_state), NO_SIGNALS, NOW) == 2) is (reason is None)


def test_a_consent_lasts_a_year():
    """The end is set by the limits table."""
    assert expiry_ms(NOW) == NOW + YEAR


def test_standing_is_the_union_of_bits_and_signals_only_take_away():
    """The mask names the purposes allowed; a purpose without a bit is not in it."""
    states = held(
        state(purpose="personalize"),
        state(),
        state("refused", "message"),
        state(purpose="measure"),
        state(purpose="share:a"),
    )
    assert standing({}, NO_SIGNALS, NOW) == 0
    assert standing(states, NO_SIGNALS, NOW) == 1 | 2 | 8
    assert standing(states, told(learn=False, message=True), NOW) == 1 | 8
    assert standing(states, Signals(gpc=True), NOW) == 0
    assert standing(states, Signals(gpc=True, mode="sharing"), NOW) == 1 | 2 | 8
    assert standing(states, told(unreadable=True), NOW) == 0


def grant(source="segment", at_ms=NOW):
    """A grant of learn that a signal brings."""
    return Change("learn", "granted", source, at_ms)


def withdrawal(source="segment", at_ms=NOW):
    """A withdrawal of learn that a signal brings."""
    return Change("learn", "withdrawn", source, at_ms)


TAKEN_BACK = (withdrawal(),)
YES, NO = told(learn=True), told(learn=False)
EARLIER = NOW - DAY_MS
SETTLED = [
    ("no signal, nothing said", [], NO_SIGNALS, Settled(0, (), "no_consent")),
    ("no signal, granted", [state()], NO_SIGNALS, Settled(2, (), "")),
    ("no signal, expired", [state(at_ms=NOW - YEAR)], NO_SIGNALS, Settled(0, (), "no_consent")),
    ("yes, nothing said", [], YES, Settled(2, (grant(),), "")),
    ("yes, granted", [state()], YES, Settled(2, (), "")),
    ("yes, expired", [state(at_ms=NOW - YEAR)], YES, Settled(2, (grant(),), "")),
    ("yes, written down as expired", [state("expired")], YES, Settled(2, (grant(),), "")),
    ("yes, withdrawn through our own API", [state("withdrawn")], YES, Settled(0, (), "no_consent")),
    ("yes, refused through our own API", [state("refused")], YES, Settled(0, (), "no_consent")),
    ("yes, withdrawn by the same signal", [state("withdrawn", source="segment")], YES, Settled(2, (grant(),), "")),
    ("yes, refused by the same signal", [state("refused", source="segment")], YES, Settled(2, (grant(),), "")),
    ("yes, withdrawn by another signal", [state("withdrawn", source="rudderstack")], YES, Settled(0, (), "no_consent")),
    ("yes, withdrawn at that moment", [state("withdrawn", "learn", NOW, "segment")], YES, Settled(0, (), "no_consent")),
    ("yes, to words that changed", [state(outdated=True)], YES, Settled(0, (), "no_consent")),
    ("yes, to words that changed, written down", [state("invalidated")], YES, Settled(0, (), "no_consent")),
    ("no, nothing said", [], NO, Settled(0, (), "signal")),
    ("no, granted", [state()], NO, Settled(0, TAKEN_BACK, "signal")),
    ("no, granted by another signal", [state(source="rudderstack")], NO, Settled(0, TAKEN_BACK, "signal")),
    ("no, expired", [state(at_ms=NOW - YEAR)], NO, Settled(0, (), "signal")),
    ("no, withdrawn", [state("withdrawn")], NO, Settled(0, (), "signal")),
    ("yes, expired before the words changed", [state("expired", outdated=True)], YES, Settled(0, (), "no_consent")),
    ("no, to words that changed", [state(outdated=True)], NO, Settled(0, TAKEN_BACK, "signal")),
    ("no, expired before the words changed", [state("expired", outdated=True)], NO, Settled(0, TAKEN_BACK, "signal")),
    ("no, to words that changed, written down", [state("invalidated")], NO, Settled(0, TAKEN_BACK, "signal")),
    ("GPC, granted", [state()], Signals(gpc=True), Settled(0, (), "gpc")),
    ("GPC, nothing said", [], Signals(gpc=True), Settled(0, (), "gpc")),
    ("GPC and yes, nothing said", [], told(gpc=True, learn=True), Settled(0, (), "gpc")),
    ("GPC and yes, granted", [state()], told(gpc=True, learn=True), Settled(0, (), "gpc")),
    ("GPC and no, granted", [state()], told(gpc=True, learn=False), Settled(0, TAKEN_BACK, "gpc")),
    ("GPC for sharing, granted", [state()], Signals(gpc=True, mode="sharing"), Settled(2, (), "")),
    ("GPC for sharing and yes", [], told(gpc=True, mode="sharing", learn=True), Settled(2, (grant(),), "")),
    ("unreadable, granted", [state()], Signals(unreadable=True, source="segment"), Settled(0, (), "unreadable")),
    ("unreadable and yes", [], told(unreadable=True, learn=True), Settled(0, (), "unreadable")),
    ("unreadable and no, granted", [state()], told(unreadable=True, learn=False), Settled(0, TAKEN_BACK, "unreadable")),
    ("yes to another", [state()], told(message=True), Settled(6, (Change("message", "granted", "segment", NOW),), "")),
    ("no to another", [state()], told(message=False), Settled(2, (), "")),
]  # fmt: skip


@pytest.mark.parametrize(("states", "signals", "answer"), [row[1:] for row in SETTLED], ids=[row[0] for row in SETTLED])
def test_an_event_is_settled(states, signals, answer):
    """The most restrictive of ledger and signals wins, and the ledger learns what the signals change."""
    assert settle(held(*states), signals, NOW, NOW) == answer


def test_an_event_of_earlier_carries_the_consent_of_then():
    """A grant counts from when the event happened, and an event older than a consent lasts grants nothing."""
    assert settle({}, YES, EARLIER, NOW) == Settled(2, (grant(at_ms=EARLIER),), "")
    assert settle({}, YES, NOW - YEAR + 1, NOW).mask == 2
    assert settle({}, YES, NOW - YEAR, NOW) == Settled(0, (), "no_consent")


def test_a_clock_that_runs_ahead_cannot_give_consent_in_the_future():
    """An event from the future counts from now."""
    assert settle({}, YES, NOW + DAY_MS, NOW).changes == (grant(at_ms=NOW),)
    assert settle(held(state()), NO, NOW + DAY_MS, NOW).changes == (withdrawal(at_ms=NOW),)


def test_a_yes_from_before_a_withdrawal_does_not_undo_it():
    """Events may arrive out of order; a yes that is older than the no stays without effect."""
    taken_back = held(state("withdrawn", source="segment", at_ms=NOW - DAY_MS))
    assert settle(taken_back, YES, NOW - 2 * DAY_MS, NOW) == Settled(0, (), "no_consent")
    assert settle(taken_back, YES, NOW - DAY_MS + 1, NOW).mask == 2


def test_new_words_are_agreed_to_by_a_no_and_then_a_yes():
    """A banner that was reset and answered again is a new consent: the no is written down, then the yes counts."""
    states = held(state(source="segment", outdated=True))
    first = settle(states, NO, NOW, NOW)
    states = after(states, first.changes)
    assert settle(states, YES, NOW + 1, NOW + 1) == Settled(2, (grant(at_ms=NOW + 1),), "")


def test_a_purpose_without_a_bit_can_change_in_the_ledger_but_keeps_no_event():
    """Sharing is settled like the rest; an event is kept only for purposes that records remember."""
    signals = Signals(categories={"share:acme": True}, source="segment")
    assert settle({}, signals, NOW, NOW) == Settled(0, (Change("share:acme", "granted", "segment", NOW),), "no_consent")


def test_two_signals_name_who_decided():
    """The entry's source is the signal that said what holds."""
    both = {"learn": ("segment", "rudderstack")}
    yes = Signals(categories={"learn": True}, source="segment+rudderstack", told=both)
    taken_back = held(state("withdrawn", source="rudderstack"))
    assert settle(taken_back, yes, NOW, NOW).changes == (grant("segment"),)
    no = Signals(categories={"learn": False}, source="segment+rudderstack", told={"learn": ("rudderstack",)})
    assert settle(held(state()), no, NOW, NOW).changes == (withdrawal("rudderstack"),)


def test_after_changes_the_next_event_needs_no_change():
    """Settling is idempotent: what was written down once is not written down again."""
    states: dict[str, State] = {}
    for signals in (YES, NO, told(learn=True, message=True)):
        settled = settle(states, signals, NOW, NOW)
        states = after(states, settled.changes)
        again = settle(states, signals, NOW, NOW)
        assert again.changes == ()
        assert again.mask == settled.mask


purposes = st.sampled_from([*sorted(set(TAGS) - {"service"}), "share:acme"])
moments = st.sampled_from([NOW - YEAR - 1, NOW - YEAR, NOW - YEAR + 1, NOW - DAY_MS, NOW - 1, NOW])
sources = st.sampled_from(["api", "segment", "rudderstack"])
states_of = st.builds(
    state,
    st.sampled_from(["granted", "refused", "withdrawn", "expired", "invalidated"]),
    purposes,
    moments,
    sources,
    outdated=st.booleans(),
)
signals_of = st.just(NO_SIGNALS) | st.builds(
    Signals,
    st.booleans(),
    st.dictionaries(purposes, st.booleans()) | st.none(),
    st.sampled_from(["segment", "rudderstack"]),
    st.sampled_from(["strict", "sharing"]),
    st.booleans(),
)


@given(st.lists(states_of, max_size=5), signals_of, moments)
def test_no_event_is_used_against_a_no(states, signals, event_ms):
    """Whatever is in the ledger and whatever arrives: each bit kept has a standing grant and no signal against it."""
    before = held(*states)
    settled = settle(before, signals, event_ms, NOW)
    now = after(before, settled.changes)
    assert settled.mask == standing(now, signals, NOW)
    assert bool(settled.mask) is (settled.refused_by == "")
    for purpose, tag in TAGS.items():
        if settled.mask & tag.bit:
            assert signals.says(purpose) is not False
            assert now[purpose].refusal(NOW) is None
            own_no = (
                purpose in before
                and before[purpose].source == "api"
                and before[purpose].action in {"withdrawn", "refused"}
            )
            assert not own_no
    for change in settled.changes:
        assert (change.action == "granted") is signals.categories[change.purpose]
        assert change.at_ms <= NOW
    assert settle(now, signals, event_ms, NOW).changes == ()
