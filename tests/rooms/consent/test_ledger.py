"""The ledger on both databases: append-only, in force with the next call, and closed when in doubt."""

import uuid

import pytest

from assent.consent import NO_SIGNALS, Change, Ledger, Purposes, Signals, allowed_bits, decide_event
from assent.consent.purposes import BUILT_IN
from assent.store.topics import consents, meta, people
from assent.terms.clock import DAY_MS
from assent.terms.errors import Conflict, InvalidInput, NotFound, UnknownPurpose
from assent.terms.ids import PersonId
from assent.terms.permits import Permit, Refusal
from assent.terms.purposes import Learn, Measure, Message, Personalize, Purpose, Service
from assent.testing import START_MS
from tests.rooms.consent.own import recipients

ANN, BEN, NO_ITEM = PersonId(b"a" * 16), PersonId(b"b" * 16), PersonId(b"n" * 16)
YEAR_DAYS = 365


def purposes(folder=None, learn_title="") -> Purposes:
    """The built-in purposes with a recipient; with a folder, another title for learn in every language."""
    acme = recipients(acme="Acme Ltd")
    if folder is None:
        return Purposes.read(acme)
    path = folder / "purposes.toml"
    text = BUILT_IN.read_text()
    for title in ("Improve suggestions for everyone", "Vorschläge für alle verbessern"):
        text = text.replace(title, learn_title)
    path.write_text(text + acme.decode())
    return Purposes.load(path)


@pytest.fixture
def ledger(clock, randomness):
    """A ledger of the built-in purposes."""
    return Ledger(purposes(), clock, randomness)


@pytest.fixture
def known(store):
    """A store that knows Ann and Ben."""

    def add(session):
        people.add(session, ANN, START_MS)
        people.add(session, BEN, START_MS)

    store.write(add)
    return store


def say(store, ledger, action, purpose="learn", source="api", **more):
    """Record one entry about Ann."""
    return store.write(lambda session: ledger.record(session, ANN, purpose, action, source, **more))


def may(store, ledger, tag=Learn, signals=NO_SIGNALS, person=ANN):
    """Ask whether Ann's records may serve."""
    with store.read() as session:
        return ledger.may(session, person, tag, signals)


def test_every_optional_purpose_starts_off(known, ledger):
    """Somebody new has agreed to nothing; the service itself rests on the contract."""
    for each in ledger.purposes.all():
        answer = may(known, ledger, each.tag)
        if each.optional:
            assert answer == Refusal(each.tag, "not_granted", "ledger")
        else:
            assert answer == Permit(ANN, Service, START_MS + 30_000, "contract", "purposes:service", 0)


def test_a_grant_mints_a_permit_that_lives_for_seconds(known, ledger, clock):
    """The permit names the entry it rests on and runs out long before the consent does."""
    entry = say(known, ledger, "granted")
    assert may(known, ledger) == Permit(ANN, Learn, START_MS + 30_000, "granted", entry.entry_id, 1)
    assert may(known, ledger, person=BEN) == Refusal(Learn, "not_granted", "ledger")
    assert may(known, ledger, Personalize) == Refusal(Personalize, "not_granted", "ledger")
    clock.move(days=YEAR_DAYS - 1)
    assert isinstance(may(known, ledger), Permit)


def test_a_permit_never_outlives_the_consent(known, ledger, clock):
    """In the last seconds of a consent the permit is shorter; at its end there is none."""
    entry = say(known, ledger, "granted")
    clock.move(days=YEAR_DAYS, seconds=-10)
    assert may(known, ledger).expires_ms == entry.expires_ms == clock.now_ms() + 10_000
    clock.move(seconds=10)
    assert may(known, ledger) == Refusal(Learn, "expired", entry.entry_id)


def test_a_no_is_in_force_with_the_next_call(known, ledger):
    """One entry ends it, and one entry brings it back."""
    for action in ("refused", "withdrawn", "expired"):
        say(known, ledger, "granted")
        entry = say(known, ledger, action)
        assert may(known, ledger) == Refusal(Learn, action, entry.entry_id)
        say(known, ledger, "granted")
        assert isinstance(may(known, ledger), Permit)


def test_a_family_member_is_granted_on_its_own(known, ledger):
    """Consent to one recipient or category says nothing about another."""
    say(known, ledger, "granted", "share:acme")
    say(known, ledger, "granted", "sensitive:health")
    assert isinstance(may(known, ledger, ledger.purposes.tag("share:acme")), Permit)
    assert isinstance(may(known, ledger, ledger.purposes.tag("sensitive:health")), Permit)
    assert may(known, ledger, ledger.purposes.tag("sensitive:religion")).reason == "not_granted"


def test_an_unknown_purpose_is_refused_everywhere(known, ledger):
    """A purpose that no notice describes can be neither asked for nor recorded."""

    class Sell(Purpose):
        id = "sell"

    with pytest.raises(UnknownPurpose):
        may(known, ledger, Sell)
    with pytest.raises(UnknownPurpose):
        say(known, ledger, "granted", "sell")
    with pytest.raises(UnknownPurpose), known.read() as session:
        ledger.people_granting(session, Sell)


def test_somebody_unknown_and_somebody_leaving_get_no_permit(known, ledger):
    """Nobody's records serve anything, and an erasure ends every permit before it removes a row."""
    say(known, ledger, "granted")
    assert may(known, ledger, person=NO_ITEM) == Refusal(Learn, "unknown_person", "people")
    known.write(lambda session: people.set_state(session, ANN, "erasing"))
    for tag in (Learn, Service):
        assert may(known, ledger, tag) == Refusal(tag, "erasing", "people")


def test_many_are_asked_about_at_once_as_one_by_one(known, ledger, clock):
    """Only those get a permit whom `may` gives one, and it is the same: others are not in the answer."""
    granted = [PersonId(bytes([number]) * 16) for number in range(6)]
    for number, each in enumerate(granted):
        known.write(lambda session, each=each: people.add(session, each, START_MS))
        if number:
            known.write(lambda session, each=each: ledger.record(session, each, "learn", "granted", "api"))
    known.write(lambda session: ledger.record(session, granted[2], "learn", "withdrawn", "api"))
    known.write(lambda session: people.set_state(session, granted[3], "erasing"))

    def ask(tag=Learn):
        asked = [*granted, NO_ITEM]
        with known.read() as session:
            one_by_one = {each: ledger.may(session, each, tag) for each in asked}
            many = ledger.permits(session, asked, tag)
        assert many == {each: answer for each, answer in one_by_one.items() if isinstance(answer, Permit)}
        return set(many)

    assert ask() == {granted[1], granted[4], granted[5]}
    assert ask(Service) == {*granted} - {granted[3]}
    clock.move(days=4_000)
    assert ask() == set()


def test_signals_outweigh_the_ledger(known, ledger):
    """A grant is honored only while no signal says no; a yes in a signal opens nothing by itself."""
    entry = say(known, ledger, "granted")
    assert may(known, ledger, signals=ledger.signals_of(gpc=True)) == Refusal(Learn, "gpc", "gpc")
    no = ledger.signals_of({"consent": {"categoryPreferences": {"learn": False}}})
    assert may(known, ledger, signals=no) == Refusal(Learn, "signal", "segment")
    broken = ledger.signals_of({"consent": 7})
    assert may(known, ledger, signals=broken) == Refusal(Learn, "signal", "segment")
    yes = ledger.signals_of({"consent": {"categoryPreferences": {"learn": True, "message": True}}})
    assert may(known, ledger, signals=yes).source == entry.entry_id
    assert may(known, ledger, Message, yes) == Refusal(Message, "not_granted", "ledger")
    assert isinstance(may(known, ledger, Service, broken), Permit)


def test_gpc_may_be_kept_to_sharing(known, clock, randomness):
    """The operator's mode decides what the header refuses."""
    ledger = Ledger(purposes(), clock, randomness, gpc_mode="sharing")
    say(known, ledger, "granted")
    say(known, ledger, "granted", "share:acme")
    gpc = ledger.signals_of(gpc=True)
    assert isinstance(may(known, ledger, signals=gpc), Permit)
    assert may(known, ledger, ledger.purposes.tag("share:acme"), gpc).reason == "gpc"


def test_a_mode_of_gpc_that_does_not_exist_is_refused(clock, randomness):
    """A misspelt setting stops the start."""
    with pytest.raises(InvalidInput, match="strict, sharing"):
        Ledger(purposes(), clock, randomness, gpc_mode="lax")


def test_new_words_need_a_new_yes(known, ledger, clock, randomness, tmp_path):
    """A changed notice invalidates what was agreed to before, for that purpose only; a refusal stays a refusal."""
    entry = say(known, ledger, "granted")
    say(known, ledger, "granted", "personalize")
    changed = Ledger(purposes(tmp_path, "Learn from you"), clock, randomness)
    assert may(known, changed) == Refusal(Learn, "notice_changed", entry.entry_id)
    assert isinstance(may(known, changed, Personalize), Permit)
    assert isinstance(may(known, ledger), Permit)
    renewed = say(known, changed, "granted")
    assert renewed.notice_hash != entry.notice_hash
    assert isinstance(may(known, changed), Permit)
    assert may(known, ledger).reason == "notice_changed"
    say(known, ledger, "withdrawn")
    assert may(known, changed).reason == "withdrawn"


def test_consent_in_either_language_counts(known, ledger):
    """Each language's notice is current; the entry keeps the one that was read."""
    entry = say(known, ledger, "granted", language="de-CH")
    assert entry.language == "de"
    assert isinstance(may(known, ledger), Permit)
    with known.read() as session:
        kept = consents.notice(session, entry.notice_hash)
    assert kept.text == ledger.purposes.get("learn").notice("de").words
    assert kept.language == "de"


def test_entries_are_appended_and_keep_everything(known, ledger, clock):
    """The ledger remembers each word said, in order, also when it says the same again."""
    first = say(known, ledger, "granted", evidence=b"sealed")
    clock.move(seconds=5)
    second = say(known, ledger, "granted")
    third = say(known, ledger, "withdrawn", source="import:orders 2011.csv")
    with known.read() as session:
        assert ledger.entries(session, ANN) == [first, second, third]
        assert ledger.entries(session, BEN) == []
        assert ledger.entry(session, second.entry_id) == second
        assert ledger.entry(session, "none") is None
    assert first.evidence == b"sealed"
    assert first.at_ms == START_MS
    assert first.expires_ms == START_MS + YEAR_DAYS * DAY_MS
    assert third.expires_ms is None
    assert len({each.entry_id for each in (first, second, third)}) == 3
    assert uuid.UUID(first.entry_id).version == 4


def test_a_moment_may_lie_in_the_past_but_never_ahead(known, ledger):
    """Imported consent counts from when it was given."""
    early = say(known, ledger, "granted", at_ms=START_MS - 10 * DAY_MS)
    assert early.at_ms == START_MS - 10 * DAY_MS
    assert early.expires_ms == START_MS + 355 * DAY_MS
    assert say(known, ledger, "granted", at_ms=START_MS + DAY_MS).at_ms == START_MS
    old = say(known, ledger, "granted", at_ms=START_MS - 366 * DAY_MS)
    assert may(known, ledger) == Refusal(Learn, "expired", old.entry_id)


def test_every_entry_moves_the_epoch(known, ledger):
    """Caches in other processes notice every change of consent, and nothing else moves it here."""
    epochs = []
    for act in (
        lambda: say(known, ledger, "granted"),
        lambda: say(known, ledger, "granted"),
        lambda: may(known, ledger),
    ):
        act()
        with known.read() as session:
            epochs.append(meta.epoch(session))
    assert epochs[0] < epochs[1] == epochs[2]


NO_ENTRIES = [
    ("learn", "given", "api", "en", "Use one of: expired, granted"),
    ("learn", "", "api", "en", "Use one of"),
    ("service", "granted", "api", "en", "'service' is not a matter of consent"),
    ("service", "withdrawn", "api", "en", "not a matter of consent"),
    ("learn", "granted", "", "en", "source"),
    ("learn", "granted", "ann@example.org", "en", "source"),
    ("learn", "granted", "api\n", "en", "source"),
    ("learn", "granted", "a" * 65, "en", "source"),
    ("learn", "granted", "api", "fr", "de, en"),
]


def test_what_is_not_an_entry_is_not_recorded(known, ledger):
    """Action, purpose, source and language are checked before anything is written."""
    for purpose, action, source, language, said in NO_ENTRIES:
        with pytest.raises(InvalidInput, match=said):
            say(known, ledger, action, purpose, source, language=language)
    with known.read() as session:
        assert ledger.entries(session, ANN) == []
        assert meta.epoch(session) == 0


def test_no_entry_is_made_for_nobody_or_for_somebody_leaving(known, ledger):
    """An erasure under way gets no new rows, whatever they would say."""
    with pytest.raises(NotFound):
        known.write(lambda session: ledger.record(session, NO_ITEM, "learn", "granted", "api"))
    known.write(lambda session: people.set_state(session, ANN, "erasing"))
    for action in ("granted", "withdrawn"):
        with pytest.raises(Conflict, match="certificate"):
            say(known, ledger, action)
    with pytest.raises(Conflict):
        known.write(lambda session: ledger.lapse(session, ANN))


def test_states_feed_the_hot_path(known, ledger, clock):
    """States read once answer without the database, for one person and for many."""
    say(known, ledger, "granted")
    say(known, ledger, "granted", "personalize")
    say(known, ledger, "refused", "message")
    with known.read() as session:
        states = ledger.states(session, ANN)
        many = ledger.states_many(session, [ANN, BEN])
    assert many == {ANN: states, BEN: {}}
    assert set(states) == {"learn", "personalize", "message"}
    assert allowed_bits(states, NO_SIGNALS, clock.now_ms()) == 3
    assert allowed_bits(states, Signals(categories={"learn": False}, source="segment"), clock.now_ms()) == 1
    assert allowed_bits(states, NO_SIGNALS, clock.now_ms() + YEAR_DAYS * DAY_MS) == 0


def test_signals_of_events_change_the_ledger(known, ledger, clock):
    """What settling an event finds is appended with its source and its moment."""
    yes = ledger.signals_of({"consent": {"categoryPreferences": {"learn": True, "share:acme": True}}})
    consent = decide_event({}, yes, clock.now_ms() - 5, clock.now_ms())
    entries = known.write(lambda session: ledger.apply(session, ANN, consent.changes))
    assert [(each.purpose, each.action, each.source, each.at_ms) for each in entries] == [
        ("learn", "granted", "segment", START_MS - 5),
        ("share:acme", "granted", "segment", START_MS - 5),
    ]
    assert may(known, ledger).source == entries[0].entry_id
    known.write(lambda session: ledger.apply(session, ANN, [Change("learn", "withdrawn", "segment", 7)]))
    assert may(known, ledger).reason == "withdrawn"


def test_where_no_language_is_named_the_entry_has_that_of_the_ledger(known, clock, randomness):
    """A German shop's banner was read in German; without a language the first of the notices is the shop's."""
    change = Change("learn", "granted", "segment", clock.now_ms())
    for ledger, language in (
        (Ledger(purposes(), clock, randomness, language="de-AT"), "de"),
        (Ledger(purposes(), clock, randomness), "en"),
    ):
        (entry,) = known.write(lambda session, ledger=ledger: ledger.apply(session, ANN, [change]))
        assert entry.language == language
        assert entry.notice_hash == ledger.purposes.get("learn").notice(language).hash
        assert say(known, ledger, "granted").language == language


def test_a_language_without_notices_is_refused(clock, randomness):
    """No consent could be recorded in it, so the start stops."""
    with pytest.raises(InvalidInput, match="de, en"):
        Ledger(purposes(), clock, randomness, language="fr")


def test_the_people_who_grant_a_purpose_are_those_whose_consent_stands(known, ledger, clock, randomness, tmp_path):
    """Expired, withdrawn and outdated consents, and people who are leaving, are not among them."""
    say(known, ledger, "granted")
    known.write(lambda session: ledger.record(session, BEN, "learn", "granted", "api"))
    changed = Ledger(purposes(tmp_path, "Learn from you"), clock, randomness)

    def granting(book):
        with known.read() as session:
            return book.people_granting(session, Learn)

    assert granting(ledger) == [ANN, BEN]
    assert granting(changed) == []
    known.write(lambda session: changed.record(session, BEN, "learn", "granted", "api"))
    assert granting(changed) == [BEN]
    assert granting(ledger) == [ANN]
    clock.move(days=YEAR_DAYS)
    assert granting(ledger) == []


def test_what_time_and_new_words_ended_is_written_down_once(known, ledger, clock, randomness, tmp_path):
    """The ledger shows `expired` and `invalidated` beside what people said themselves."""
    learn = say(known, ledger, "granted", language="de")
    clock.move(days=1)
    say(known, ledger, "granted", "personalize")
    say(known, ledger, "refused", "message")
    changed = Ledger(purposes(tmp_path, "Learn from you"), clock, randomness)
    made = known.write(lambda session: changed.lapse(session, ANN))
    assert [(each.purpose, each.action, each.notice_hash, each.language, each.source) for each in made] == [
        ("learn", "invalidated", learn.notice_hash, "de", "ledger")
    ]
    assert may(known, changed).reason == "notice_changed"
    assert may(known, ledger).reason == "notice_changed"
    clock.move(days=YEAR_DAYS)
    made = known.write(lambda session: changed.lapse(session, ANN))
    assert [(each.purpose, each.action) for each in made] == [("personalize", "expired")]
    assert may(known, changed, Personalize).reason == "expired"
    assert known.write(lambda session: changed.lapse(session, ANN)) == []
    assert may(known, changed, Measure).reason == "not_granted"
    with pytest.raises(NotFound):
        known.write(lambda session: ledger.lapse(session, NO_ITEM))
