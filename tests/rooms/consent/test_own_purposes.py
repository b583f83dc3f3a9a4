"""Purposes that a shop declares: joined to those of the package, given a bit by the store, used like any other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assent.consent import (
    NO_SIGNALS,
    Change,
    EventConsent,
    Ledger,
    Purposes,
    Signals,
    allowed_bits,
    built_in,
    decide_event,
    read_signals,
    with_bits,
)
from assent.store import Store
from assent.store.topics import people, purposes
from assent.terms.errors import Conflict, InvalidInput
from assent.terms.ids import PersonId
from assent.terms.permits import Permit
from assent.terms.purposes import BUILT_IN_BITS, Personalize
from assent.testing import START_MS, FixedClock, SeededRandomness
from tests.rooms.consent.own import purpose, recipients

ANN = PersonId(b"a" * 16)
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "purposes.md"
FITTING = purpose("fitting", 'keeps_events = true\naliases = ["Fitting Room"]')


def test_a_file_adds_to_the_purposes_of_the_package(tmp_path: Path) -> None:
    """What the package declares stays as it is; the file's own purposes have words, data and terms of their own."""
    path = tmp_path / "purposes.toml"
    path.write_bytes(FITTING)
    own = Purposes.load(path)
    assert own.source == FITTING
    assert built_in().source is None
    assert [each for each in own.rows() if each["id"] != "fitting"] == built_in().rows()
    fitting = own.get("fitting")
    assert fitting.optional
    assert fitting.keeps_events
    assert fitting.retention_days == 90
    assert fitting.notice("de").title == "Probier fitting"
    assert "what you looked at" in fitting.notice("en").text


def test_a_table_of_the_shop_takes_the_place_of_the_packages() -> None:
    """The same id means other words for the same purpose: its tag, its bit and its place stay."""
    own = Purposes.read(purpose("personalize", ""))
    assert [each.id for each in own.all()] == [each.id for each in built_in().all()]
    assert own.tag("personalize") is Personalize
    assert own.get("personalize").keeps_events
    assert own.get("personalize").retention_days == 90
    assert not own.is_current("personalize", built_in().get("personalize").notice("en").hash)
    assert own.keeping == BUILT_IN_BITS


def test_the_shops_languages_hold_for_everything() -> None:
    """A shop that speaks one language asks in one; one that speaks another must say everything in it."""
    english = Purposes.read(b'languages = ["en"]')
    assert {language for each in english.all() for language in each.notices} == {"en"}
    with pytest.raises(InvalidInput, match="words needs exactly the languages en, fr"):
        Purposes.read(b'languages = ["en", "fr"]')


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (FITTING + FITTING, "'fitting' is the name of two purposes"),
        (FITTING + purpose("room", 'aliases = ["fitting-room"]'), "'fitting_room' is the name of two"),
        (purpose("fitting", 'aliases = ["Newsletter"]'), "'newsletter' is the name of two"),
        (recipients(acme="Acme").replace(b'"share"', b'"sell"'), "'sell' of the member 'acme' is no family"),
        (recipients(acme="Acme") * 2, "'share:acme' is the name of two"),
        (recipients('data = "dreams"', acme="Acme"), "share:acme uses data 'dreams'"),
        (recipients(**{"Acme Ltd": "Acme"}), "id"),
        (recipients(acme=""), "name"),
        (b"x = " + b"[" * 5_000, "cannot be used"),
        (b"x = " + b"9" * 5_000, "cannot be used"),
        (
            purpose("learn", "optional = false").replace(b'"consent"', b'"contract"'),
            "learn cannot keep events",
        ),
        (
            purpose("fitting", "keeps_events = true\noptional = false").replace(b'"consent"', b'"contract"'),
            "fitting cannot keep events",
        ),
        (FITTING.replace(b'data = ["views"]', b'data = ["dreams"]'), "'dreams'"),
        (FITTING.replace(b"[purpose.notice.de]", b"[purpose.notice.fr]"), "fitting.notice needs exactly"),
        (b"languages = []", "languages"),
        (b"\xff", "cannot be used"),
    ],
)
def test_a_mistake_of_the_shop_is_named(content: bytes, said: str) -> None:
    """A shop's file is checked as strictly as our own, and together with it."""
    with pytest.raises(InvalidInput, match=said):
        Purposes.read(content)


def test_a_file_that_is_not_there_is_reported(tmp_path: Path) -> None:
    """A missing file stops the opening: people must not be asked with less than the shop declared."""
    with pytest.raises(InvalidInput, match="cannot be read"):
        Purposes.load(tmp_path / "none.toml")


def test_members_join_the_families() -> None:
    """A recipient may be several companies; a sensitive category names its data; both can keep events."""
    own = Purposes.read(
        recipients('recipients = ["Acme Ltd", "Acme Inc"]\nkeeps_events = true', acme="the Acme group")
        + recipients('data = "health"', sleep="your sleep").replace(b'"share"', b'"sensitive"')
        + recipients(zeta="Zeta")
    )
    acme, sleep, zeta = own.get("share:acme"), own.get("sensitive:sleep"), own.get("share:zeta")
    assert acme.recipients == ("Acme Ltd", "Acme Inc")
    assert acme.notice("en").title == "Share with the Acme group"
    assert (acme.keeps_events, sleep.keeps_events) == (True, False)
    assert sleep.legal_basis == "explicit_consent"
    assert [kind.id for kind in sleep.data] == ["health"]
    assert zeta.recipients == ("Zeta",)
    assert own.meaning("targeted advertising").purposes == ("share:acme", "share:zeta")


def test_a_bit_is_given_once_and_for_good(store: Store) -> None:
    """Whatever order the file has later, and whatever leaves it: a purpose keeps its bit, and nobody else gets it."""
    first = with_bits(store, Purposes.read(FITTING + recipients("keeps_events = true", acme="Acme")), START_MS)
    assert first.keeping == {**BUILT_IN_BITS, "fitting": 32, "share:acme": 64}
    assert first.tag("fitting").bit == 32
    later = with_bits(store, Purposes.read(purpose("room") + purpose("fitting", "")), START_MS + 1)
    assert later.keeping == {**BUILT_IN_BITS, "room": 128}
    assert (later.bit("fitting"), later.bit("share:acme"), later.bit("none")) == (32, 64, 0)
    assert later.tag("fitting").bit == 0
    assert later.named(1 | 32 | 64 | 128) == ["personalize", "fitting", "share:acme", "room"]
    with Store.open(store.url) as elsewhere:
        again = with_bits(elsewhere, Purposes.read(FITTING), START_MS + 2)
        assert again.keeping == {**BUILT_IN_BITS, "fitting": 32}
        assert again.tag("fitting") is first.tag("fitting")
    with store.read() as session:
        assert purposes.bits(session) == {"fitting": 32, "share:acme": 64, "room": 128}


@pytest.mark.parametrize(("purpose_id", "bit"), [("fitting", 64), ("room", 32)])
def test_the_store_refuses_a_second_bit_and_a_second_purpose(store: Store, purpose_id: str, bit: int) -> None:
    """Neither a purpose nor a bit is ever written twice, whoever tries."""
    with_bits(store, Purposes.read(FITTING), START_MS)
    with pytest.raises(Conflict):
        store.write(lambda session: purposes.add(session, purpose_id, bit, START_MS))


def test_twelve_purposes_can_keep_events_and_no_more(store: Store) -> None:
    """Seven beside the five of the package; the eighth is named, and none is given when one cannot be."""
    seven = b"".join(purpose(f"own_{number}") for number in range(7))
    with pytest.raises(InvalidInput, match=r"Only 12 purposes can keep events.*'own_7'"):
        with_bits(store, Purposes.read(seven + purpose("own_7")), START_MS)
    with store.read() as session:
        assert purposes.bits(session) == {}
    full = with_bits(store, Purposes.read(seven + purpose("plain", "")), START_MS)
    assert sorted(full.keeping.values()) == [1 << place for place in range(12)]
    assert full.tag("plain").bit == 0
    with pytest.raises(InvalidInput, match="one more"):
        with_bits(store, Purposes.read(purpose("late")), START_MS)


@pytest.fixture
def own(store: Store) -> Purposes:
    """Return purposes with one of the shop's and a recipient, both keeping events, and one that keeps none."""
    content = FITTING + recipients("keeps_events = true", acme="Acme") + purpose("plain", "")
    return with_bits(store, Purposes.read(content), START_MS)


def segment(**preferences: bool) -> dict[str, object]:
    """Return a context that says this about categories."""
    return {"consent": {"categoryPreferences": {key.replace("_", " "): said for key, said in preferences.items()}}}


def test_signals_speak_about_them(own: Purposes) -> None:
    """A banner's category grants the purpose it is an alias of, and its bit is in the event's mask at once."""
    signals = read_signals(segment(fitting_room=True), purposes=own)
    assert decide_event({}, signals, START_MS, START_MS) == EventConsent(
        32, (Change("fitting", "granted", "segment", START_MS),), ""
    )
    no = read_signals(segment(fitting_room=False), purposes=own)
    assert no.open_bits == ~32
    assert decide_event({}, no, START_MS, START_MS) == EventConsent(0, (), "signal")


def test_gpc_takes_what_is_shared(own: Purposes) -> None:
    """In the mode `sharing` a recipient's bit is refused by GPC, the shop's own use is not."""
    assert read_signals({}, gpc=True, mode="sharing", purposes=own).open_bits == ~64
    assert read_signals({}, gpc=True, purposes=own).open_bits == 0
    assert Signals(gpc=True, mode="sharing").open_bits == -1


def test_the_ledger_gives_permits_for_them(store: Store, own: Purposes, clock: FixedClock) -> None:
    """Granting sets the bit, a permit carries the tag of the purpose, and withdrawing ends both."""
    ledger = Ledger(own, clock, SeededRandomness())
    store.write(lambda session: people.add(session, ANN, START_MS))
    for purpose_id in ("fitting", "plain"):
        store.write(lambda session, each=purpose_id: ledger.record(session, ANN, each, "granted", "api"))
    with store.read() as session:
        assert allowed_bits(ledger.states(session, ANN), NO_SIGNALS, START_MS) == 32
        permit = ledger.may(session, ANN, own.tag("fitting"))
        assert isinstance(permit, Permit)
        assert (permit.purpose, permit.purpose.bit) == (own.tag("fitting"), 32)
    store.write(lambda session: ledger.record(session, ANN, "fitting", "withdrawn", "api"))
    with store.read() as session:
        assert allowed_bits(ledger.states(session, ANN), NO_SIGNALS, START_MS) == 0


def test_without_a_store_nothing_is_kept() -> None:
    """Purposes that no store has seen have no bit: fail closed."""
    own = Purposes.read(FITTING)
    assert own.keeping == BUILT_IN_BITS
    assert own.tag("fitting").bit == 0


def test_the_example_of_the_docs_loads(store: Store) -> None:
    """The page tells how to declare purposes, and what it shows is a file that loads."""
    found = re.search(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    shown = with_bits(store, Purposes.read(found[1].encode()), START_MS)
    added = [each.id for each in shown.all() if each.id not in {known.id for known in built_in().all()}]
    assert added == ["size_advice", "share:parcel_service"]
    assert shown.keeping == {**BUILT_IN_BITS, "size_advice": 32}
