"""Whatever people, clocks, notices and signals do, in any order: a permit exists only where a tiny model says so."""

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from assent.consent import NO_SIGNALS, Ledger, Purposes, allowed_bits, decide_event
from assent.consent.purposes import BUILT_IN
from assent.store.topics import people
from assent.terms.clock import DAY_MS
from assent.terms.ids import PersonId
from assent.terms.permits import Permit
from assent.terms.purposes import Learn, Measure, Personalize
from assent.testing import FixedClock, SeededRandomness

TAGS = {tag.id: tag for tag in (Personalize, Learn, Measure)}
YEAR_MS = 365 * DAY_MS
VERSIONS = 3

purposes = st.sampled_from(sorted(TAGS))
preferences = st.dictionaries(purposes, st.booleans(), max_size=3)
lists = st.tuples(st.lists(purposes, max_size=2), st.lists(purposes, max_size=2))


@dataclass
class Said:
    """What the model remembers about one purpose: the last word, when, by whom, and to which version of the words."""

    yes: bool
    at_ms: int
    source: str
    version: int


class LedgerMachine(RuleBasedStateMachine):
    """One person, three purposes; `learn` gets new words now and then."""

    def __init__(self, store, books):
        super().__init__()
        self.store = store
        self.books = books
        self.clock = FixedClock()
        self.ledgers = [Ledger(book, self.clock, SeededRandomness(number)) for number, book in enumerate(books)]
        self.version = 0
        self.state = "active"
        self.said: dict[str, Said] = {}
        self.entries = 0

    @initialize(seed=st.binary(min_size=16, max_size=16))
    def arrive(self, seed):
        """Somebody new; ids and entry ids differ from every earlier run on the same store."""
        count = self.store.write(self._count_and_add(seed))
        self.ledgers = [Ledger(book, self.clock, _Fresh()) for book in self.books]
        assert count >= 0

    def _count_and_add(self, seed):
        def job(session):
            number = people.count(session)
            self.person = PersonId(number.to_bytes(8, "big") + seed[:8])
            people.add(session, self.person, self.clock.now_ms())
            return number

        return job

    @property
    def ledger(self):
        return self.ledgers[self.version]

    def words(self, purpose):
        return self.version if purpose == "learn" else 0

    # -- the tiny model ------------------------------------------------------------------------------------------

    def stands(self, purpose):
        said = self.said.get(purpose)
        return (
            said is not None
            and said.yes
            and said.version == self.words(purpose)
            and self.clock.now_ms() < said.at_ms + YEAR_MS
        )

    def remember(self, purpose, *, yes, at_ms, source):
        self.said[purpose] = Said(yes, at_ms, source, self.words(purpose))

    def heard(self, purpose, *, yes, sources_of, at_ms):
        """A signal said yes or no about a purpose: what the ledger should make of it."""
        said = self.said.get(purpose)
        stale = said is not None and said.yes and said.version != self.words(purpose)
        if not yes:
            if self.stands(purpose) or stale:
                self.remember(purpose, yes=False, at_ms=at_ms, source=sources_of[0])
                return 1
            return 0
        if at_ms + YEAR_MS <= self.clock.now_ms() or self.stands(purpose) or stale:
            return 0
        overruled = said is not None and not said.yes and not (said.source in sources_of and said.at_ms < at_ms)
        if overruled:
            return 0
        self.remember(purpose, yes=True, at_ms=at_ms, source=sources_of[0])
        return 1

    # -- what can happen -----------------------------------------------------------------------------------------

    @rule(purpose=purposes, action=st.sampled_from(["granted", "refused", "withdrawn"]), days=st.integers(0, 400))
    def choose(self, purpose, action, days):
        """The person says yes or no through our own API, now or (imported) some days ago."""
        if self.state != "active":
            return
        at_ms = self.clock.now_ms() - days * DAY_MS
        self.store.write(lambda session: self.ledger.record(session, self.person, purpose, action, "api", at_ms=at_ms))
        self.remember(purpose, yes=action == "granted", at_ms=at_ms, source="api")
        self.entries += 1

    @rule(days=st.sampled_from([0, 1, 100, 364, 365, 366]), seconds=st.integers(0, 40))
    def wait(self, days, seconds):
        """Time passes."""
        self.clock.move(days=days, seconds=seconds)

    @rule()
    def change_words(self):
        """The notice of `learn` gets other words (or its old ones back)."""
        self.version = (self.version + 1) % VERSIONS

    @rule()
    def write_down_lapses(self):
        """The ledger notes what time and new words ended; nobody's leave changes by it."""
        if self.state != "active":
            return
        lapsed = [p for p, said in self.said.items() if said.yes and not self.stands(p)]
        made = self.store.write(lambda session: self.ledger.lapse(session, self.person))
        assert {each.purpose for each in made} <= set(lapsed)
        self.entries += len(made)
        for entry in made:
            said = self.said[entry.purpose]
            if entry.action == "invalidated":
                said.version = -1  # those words are over, even if they come back
            else:
                said.at_ms = self.clock.now_ms() - YEAR_MS

    @rule(said=preferences, both=st.none() | lists, gpc=st.booleans(), age=st.sampled_from([-5, 0, 1, 1000, YEAR_MS]))
    def receive_event(self, said, both, gpc, age):
        """An event arrives with what the page's banner says, perhaps with GPC, perhaps from two banners."""
        if self.state != "active":
            return
        context = {"consent": {"categoryPreferences": said}}
        if both is not None:
            context["consentManagement"] = {"allowedConsentIds": both[0], "deniedConsentIds": both[1]}
        now_ms = self.clock.now_ms()
        signals = self.ledger.signals_of(context, gpc=gpc)
        with self.store.read() as session:
            states = self.ledger.states(session, self.person)
        consent = decide_event(states, signals, now_ms - age, now_ms)
        self.store.write(lambda session: self.ledger.apply(session, self.person, consent.changes))
        expected = sum(self._hear(purpose, said, both, gpc=gpc, at_ms=min(now_ms - age, now_ms)) for purpose in TAGS)
        mine = [change for change in consent.changes if change.purpose in TAGS]
        assert len(mine) == expected
        assert consent.changes == tuple(mine)
        self.entries += len(mine)
        for purpose, tag in TAGS.items():
            votes = self._votes(purpose, said, both)
            usable = self.stands(purpose) and not gpc and not any(yes is False for _, yes in votes)
            assert bool(consent.mask & tag.bit) is usable

    def _votes(self, purpose, said, both):
        """What each banner says about one purpose."""
        votes = []
        if not said:
            votes.append(("segment", False))
        elif purpose in said:
            votes.append(("segment", said[purpose]))
        if both is not None:
            votes += [("rudderstack", True)] * (purpose in both[0]) + [("rudderstack", False)] * (purpose in both[1])
            if both == ([], []):
                votes.append(("rudderstack", False))
        return votes

    def _hear(self, purpose, said, both, *, gpc, at_ms):
        votes = self._votes(purpose, said, both)
        if not votes:
            return 0
        yes = all(vote for _, vote in votes)
        if yes and gpc:
            return 0
        sources_of = tuple(dict.fromkeys(source for source, vote in votes if vote is yes))
        return self.heard(purpose, yes=yes, sources_of=sources_of, at_ms=at_ms)

    @rule(go=st.booleans())
    def leave(self, go):
        """An erasure begins (or is only thought about)."""
        if go and len(self.said) == len(TAGS):
            self.store.write(lambda session: people.set_state(session, self.person, "erasing"))
            self.state = "erasing"

    # -- what always holds ---------------------------------------------------------------------------------------

    @invariant()
    def permits_are_what_the_model_says(self):
        """The door and the hot path agree with the model, and the ledger only grows."""
        with self.store.read() as session:
            answers = {purpose: self.ledger.may(session, self.person, tag) for purpose, tag in TAGS.items()}
            stopped = [
                self.ledger.may(session, self.person, tag, self.ledger.signals_of(gpc=True)) for tag in TAGS.values()
            ]
            states = self.ledger.states(session, self.person)
            entries = self.ledger.entries(session, self.person)
            granting = {p for p, tag in TAGS.items() if self.person in self.ledger.people_granting(session, tag)}
        active = self.state == "active"
        expected = {purpose for purpose in TAGS if self.stands(purpose)}
        assert {purpose for purpose, answer in answers.items() if isinstance(answer, Permit)} == (
            expected if active else set()
        )
        assert granting == (expected if active else set())
        assert not any(isinstance(answer, Permit) for answer in stopped)
        mask = sum(TAGS[purpose].bit for purpose in expected)
        assert allowed_bits(states, NO_SIGNALS, self.clock.now_ms()) == mask
        assert len(entries) == self.entries
        for purpose, answer in answers.items():
            if isinstance(answer, Permit):
                last = [entry for entry in entries if entry.purpose == purpose][-1]
                assert (answer.source, last.action) == (last.entry_id, "granted")


class _Fresh:
    """Bytes that are never the same twice on one store."""

    count = 0

    def bytes(self, count):
        _Fresh.count += 1
        return _Fresh.count.to_bytes(count, "big")


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    """The built-in purposes, with the words of `learn` in as many versions."""
    folder = tmp_path_factory.mktemp("books")
    made = []
    for version in range(VERSIONS):
        path = folder / f"{version}.toml"
        path.write_text(BUILT_IN.read_text().replace('title = "Improve suggestions', f'title = "({version}) Improve'))
        made.append(Purposes.load(path))
    return made


def test_no_permit_without_consent_whatever_happens(store, books):
    """Grants, refusals, withdrawals, clocks, new words, signals and erasures in any order."""
    run_state_machine_as_test(
        lambda: LedgerMachine(store, books),
        settings=settings(
            max_examples=40,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
            database=None,
        ),
    )
