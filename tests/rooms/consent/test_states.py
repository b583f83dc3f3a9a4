"""What a consent is at a moment, and what one event with its signals makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.consent import NO_SIGNALS, Change, EventConsent, Signals, State, allowed_bits, decide_event, expiry_ms
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


def by_purpose(*states):
    """States by purpose."""
    return {each.purpose: each for each in states}


def after(states, changes):
    """The states as they are once the changes are in the ledger."""
    made = {change.purpose: state(change.action, *change[:1], change.at_ms, change.source) for change in changes}
    return {**states, **made}


def refused(reason, *changes):
    """The answer about an event that may serve nothing."""
    return EventConsent(0, changes, reason)


def said(source="segment", *, gpc=False, mode="strict", unreadable=False, **votes):
    """Signals that say this about purposes."""
    return Signals(gpc, votes, source, mode, unreadable)


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


@pytest.mark.parametrize(("one", "reason"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_a_state_is_in_force_or_has_a_reason(one, reason):
    """Only a grant that has not run out, to the words of today, is a consent."""
    assert one.refusal(NOW) == reason
    assert (allowed_bits(by_purpose(one), NO_SIGNALS, NOW) == 2) is (reason is None)


def test_a_consent_lasts_a_year():
    """The end is set by the limits table."""
    assert expiry_ms(NOW) == NOW + YEAR


def test_allowed_bits_are_the_union_of_grants_and_signals_only_take_away():
    """The mask names the purposes allowed; a purpose without a bit is not in it."""
    states = by_purpose(
        state(purpose="personalize"),
        state(),
        state("refused", "message"),
        state(purpose="measure"),
        state(purpose="share:a"),
    )
    assert allowed_bits({}, NO_SIGNALS, NOW) == 0
    assert allowed_bits(states, NO_SIGNALS, NOW) == 1 | 2 | 8
    assert allowed_bits(states, said(learn=False, message=True), NOW) == 1 | 8
    assert allowed_bits(states, Signals(gpc=True), NOW) == 0
    assert allowed_bits(states, Signals(gpc=True, mode="sharing"), NOW) == 1 | 2 | 8
    assert allowed_bits(states, said(unreadable=True), NOW) == 0


def grant(source="segment", at_ms=NOW):
    """A grant of learn that a signal brings."""
    return Change("learn", "granted", source, at_ms)


def withdrawal(source="segment", at_ms=NOW):
    """A withdrawal of learn that a signal brings."""
    return Change("learn", "withdrawn", source, at_ms)


TAKEN_BACK = (withdrawal(),)
YES, NO = said(learn=True), said(learn=False)
EARLIER = NOW - DAY_MS
SETTLED = [
    ("no signal, nothing said", [], NO_SIGNALS, refused("no_consent")),
    ("no signal, granted", [state()], NO_SIGNALS, EventConsent(2, (), "")),
    ("no signal, expired", [state(at_ms=NOW - YEAR)], NO_SIGNALS, refused("no_consent")),
    ("yes, nothing said", [], YES, EventConsent(2, (grant(),), "")),
    ("yes, granted", [state()], YES, EventConsent(2, (), "")),
    ("yes, expired", [state(at_ms=NOW - YEAR)], YES, EventConsent(2, (grant(),), "")),
    ("yes, written down as expired", [state("expired")], YES, EventConsent(2, (grant(),), "")),
    ("yes, withdrawn through our own API", [state("withdrawn")], YES, refused("no_consent")),
    ("yes, refused through our own API", [state("refused")], YES, refused("no_consent")),
    ("yes, withdrawn by the same signal", [state("withdrawn", source="segment")], YES, EventConsent(2, (grant(),), "")),
    ("yes, refused by the same signal", [state("refused", source="segment")], YES, EventConsent(2, (grant(),), "")),
    ("yes, withdrawn by another signal", [state("withdrawn", source="rudderstack")], YES, refused("no_consent")),
    ("yes, withdrawn at that moment", [state("withdrawn", "learn", NOW, "segment")], YES, refused("no_consent")),
    ("yes, to words that changed", [state(outdated=True)], YES, refused("no_consent")),
    ("yes, to words that changed, written down", [state("invalidated")], YES, refused("no_consent")),
    ("no, nothing said", [], NO, refused("signal")),
    ("no, granted", [state()], NO, refused("signal", *TAKEN_BACK)),
    ("no, granted by another signal", [state(source="rudderstack")], NO, refused("signal", *TAKEN_BACK)),
    ("no, expired", [state(at_ms=NOW - YEAR)], NO, refused("signal")),
    ("no, withdrawn", [state("withdrawn")], NO, refused("signal")),
    ("yes, expired before the words changed", [state("expired", outdated=True)], YES, refused("no_consent")),
    ("no, to words that changed", [state(outdated=True)], NO, refused("signal", *TAKEN_BACK)),
    ("no, expired before the words changed", [state("expired", outdated=True)], NO, refused("signal", *TAKEN_BACK)),
    ("no, to words that changed, written down", [state("invalidated")], NO, refused("signal", *TAKEN_BACK)),
    ("GPC, granted", [state()], Signals(gpc=True), refused("gpc")),
    ("GPC, nothing said", [], Signals(gpc=True), refused("gpc")),
    ("GPC and yes, nothing said", [], said(gpc=True, learn=True), refused("gpc")),
    ("GPC and yes, granted", [state()], said(gpc=True, learn=True), refused("gpc")),
    ("GPC and no, granted", [state()], said(gpc=True, learn=False), refused("gpc", *TAKEN_BACK)),
    ("GPC for sharing, granted", [state()], Signals(gpc=True, mode="sharing"), EventConsent(2, (), "")),
    ("GPC for sharing and yes", [], said(gpc=True, mode="sharing", learn=True), EventConsent(2, (grant(),), "")),
    ("unreadable, granted", [state()], Signals(unreadable=True, source="segment"), refused("unreadable")),
    ("unreadable and yes", [], said(unreadable=True, learn=True), refused("unreadable")),
    ("unreadable and no, granted", [state()], said(unreadable=True, learn=False), refused("unreadable", *TAKEN_BACK)),
    (
        "yes to another",
        [state()],
        said(message=True),
        EventConsent(6, (Change("message", "granted", "segment", NOW),), ""),
    ),
    ("no to another", [state()], said(message=False), EventConsent(2, (), "")),
]  # fmt: skip


@pytest.mark.parametrize(("states", "signals", "answer"), [row[1:] for row in SETTLED], ids=[row[0] for row in SETTLED])
def test_an_event_is_settled(states, signals, answer):
    """The most restrictive of ledger and signals wins, and the ledger learns what the signals change."""
    assert decide_event(by_purpose(*states), signals, NOW, NOW) == answer


def test_an_event_of_earlier_carries_the_consent_of_then():
    """A grant counts from when the event happened, and an event older than a consent lasts grants nothing."""
    assert decide_event({}, YES, EARLIER, NOW) == EventConsent(2, (grant(at_ms=EARLIER),), "")
    assert decide_event({}, YES, NOW - YEAR + 1, NOW).mask == 2
    assert decide_event({}, YES, NOW - YEAR, NOW) == refused("no_consent")


def test_a_clock_that_runs_ahead_cannot_give_consent_in_the_future():
    """An event from the future counts from now."""
    assert decide_event({}, YES, NOW + DAY_MS, NOW).changes == (grant(at_ms=NOW),)
    assert decide_event(by_purpose(state()), NO, NOW + DAY_MS, NOW).changes == (withdrawal(at_ms=NOW),)


def test_a_yes_from_before_a_withdrawal_does_not_undo_it():
    """Events may arrive out of order; a yes that is older than the no stays without effect."""
    taken_back = by_purpose(state("withdrawn", source="segment", at_ms=NOW - DAY_MS))
    assert decide_event(taken_back, YES, NOW - 2 * DAY_MS, NOW) == refused("no_consent")
    assert decide_event(taken_back, YES, NOW - DAY_MS + 1, NOW).mask == 2


def test_new_words_are_agreed_to_by_a_no_and_then_a_yes():
    """A banner that was reset and answered again is a new consent: the no is written down, then the yes counts."""
    states = by_purpose(state(source="segment", outdated=True))
    first = decide_event(states, NO, NOW, NOW)
    states = after(states, first.changes)
    assert decide_event(states, YES, NOW + 1, NOW + 1) == EventConsent(2, (grant(at_ms=NOW + 1),), "")


def test_a_purpose_without_a_bit_can_change_in_the_ledger_but_keeps_no_event():
    """Sharing is decided like the rest; an event is kept only for purposes that records remember."""
    signals = Signals(categories={"share:acme": True}, source="segment")
    assert decide_event({}, signals, NOW, NOW) == EventConsent(
        0, (Change("share:acme", "granted", "segment", NOW),), "no_consent"
    )


def test_two_signals_name_who_decided():
    """The entry's source is the signal that said what holds."""
    both = {"learn": ("segment", "rudderstack")}
    yes = Signals(categories={"learn": True}, source="segment+rudderstack", sources=both)
    taken_back = by_purpose(state("withdrawn", source="rudderstack"))
    assert decide_event(taken_back, yes, NOW, NOW).changes == (grant("segment"),)
    no = Signals(categories={"learn": False}, source="segment+rudderstack", sources={"learn": ("rudderstack",)})
    assert decide_event(by_purpose(state()), no, NOW, NOW).changes == (withdrawal("rudderstack"),)


def test_after_changes_the_next_event_needs_no_change():
    """Settling is idempotent: what was written down once is not written down again."""
    states: dict[str, State] = {}
    for signals in (YES, NO, said(learn=True, message=True)):
        consent = decide_event(states, signals, NOW, NOW)
        states = after(states, consent.changes)
        again = decide_event(states, signals, NOW, NOW)
        assert again.changes == ()
        assert again.mask == consent.mask


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
    """Whatever is in the ledger and whatever arrives: each bit kept has a grant in force and no signal against it."""
    before = by_purpose(*states)
    consent = decide_event(before, signals, event_ms, NOW)
    now = after(before, consent.changes)
    assert consent.mask == allowed_bits(now, signals, NOW)
    assert bool(consent.mask) is (consent.refused_by == "")
    for purpose, tag in TAGS.items():
        if consent.mask & tag.bit:
            assert signals.says(purpose) is not False
            assert now[purpose].refusal(NOW) is None
            own_no = (
                purpose in before
                and before[purpose].source == "api"
                and before[purpose].action in {"withdrawn", "refused"}
            )
            assert not own_no
    for change in consent.changes:
        assert (change.action == "granted") is signals.categories[change.purpose]
        assert change.at_ms <= NOW
    assert decide_event(now, signals, event_ms, NOW).changes == ()
