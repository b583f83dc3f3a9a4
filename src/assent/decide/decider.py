"""The decider: what the steps of a decision share, under one lock."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

import numpy as np

from assent.decide.people_cache import PeopleCache
from assent.decide.pipeline import answer
from assent.decide.results import Moment
from assent.decide.step3_scores import PopularityRanking
from assent.learn import MODEL
from assent.store.topics.versions import versions
from assent.terms.clock import to_text
from assent.terms.errors import AssentError
from assent.terms.sentences import DEFAULT, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from assent.catalog import Catalog, CatalogView
    from assent.consent import Ledger
    from assent.decide.answer import Answer
    from assent.decide.question import Question
    from assent.learn import SumsKeeper
    from assent.store import Session
    from assent.terms.clock import Clock
    from assent.terms.randomness import Randomness
    from assent.vault import Vault


class Decider:
    """Answers questions; people asked for lately stay open in memory. Safe to use from several threads.

    Order of locks: the decider's first, then those of catalog, vault and model; whoever holds one of these never
    calls the decider. `language` is that of questions that name none.
    """

    def __init__(
        self,
        *,
        vault: Vault,
        ledger: Ledger,
        catalog: Catalog,
        learning: SumsKeeper,
        clock: Clock,
        randomness: Randomness,
        language: str = DEFAULT,
    ) -> None:
        #: Guards what is kept of people; a model has a lock of its own, taken inside its methods.
        self._lock = threading.Lock()
        self._people = PeopleCache(vault, ledger)
        self._popularity = PopularityRanking()
        #: The array that says which items may be shown, bool [items], and the numbers of those that may not.
        self._shown: NDArray[np.bool_] | None = None
        self._hidden: frozenset[int] = frozenset()
        self._ledger = ledger
        self._catalog = catalog
        self._learning = learning
        self._clock = clock
        self._randomness = randomness
        self._language = nearest(language) or DEFAULT

    def decide(self, session: Session, question: Question, *, wait: bool = True) -> Answer:
        """Answer one question; the caller writes what step 8 hands back before it acknowledges.

        Raises `Loading` when no model may answer yet and the caller cannot `wait` for one, `InvalidInput` for a name
        that cannot be one.
        """
        (told,) = self.decide_all(session, [question], wait=wait)
        if isinstance(told, AssentError):
            raise told
        return told

    def decide_all(
        self, session: Session, questions: Sequence[Question], *, wait: bool = True
    ) -> list[Answer | AssentError]:
        """Answer questions about one moment; what is wrong with one of them stands in its place.

        Raises `Loading` when no model may answer yet and the caller cannot `wait` for one.
        """
        now = versions(session, MODEL)
        # Before consent is asked, and before the lock is taken: a first solve may take longer than a permit lives.
        model = self._learning.model(session, now.sums, wait=wait)
        with self._lock:
            view = self._catalog.view(session, now.items)
            now_ms = self._clock.now_ms()
            world = (view, None if model is None else weakref.ref(model), now.sums)
            moment = Moment(session, now, view, model, self._hidden_in(view), world, now_ms, to_text(now_ms))
            # Ids in order of time, so that rows lie together.
            time, drawn = now_ms.to_bytes(6, "big"), self._randomness.bytes(10 * len(questions))
            return [
                self._answer(question, moment, time + drawn[10 * place : 10 * place + 10])
                for place, question in enumerate(questions)
            ]

    def _answer(self, question: Question, moment: Moment, decision_id: bytes) -> Answer | AssentError:
        """Answer one question under an id of 16 bytes, or return what is wrong with it."""
        language = question.language or self._language
        try:
            return answer(
                question,
                moment,
                self._people,
                self._ledger,
                self._popularity,
                language=language,
                decision_id=decision_id,
            )
        except AssentError as error:
            return error

    def _hidden_in(self, view: CatalogView) -> frozenset[int]:
        """Return the items that may not be shown; the set is made anew for another array of the catalog."""
        if view.shown is not self._shown:
            self._shown, self._hidden = view.shown, frozenset(np.flatnonzero(~view.shown).tolist())
        return self._hidden

    def drop_people(self) -> None:
        """Drop everybody who was asked for: their opened histories and keys leave the memory."""
        with self._lock:
            self._people.clear()

    def warm(self, session: Session) -> None:
        """Load the catalog and the model, so that the first question does not wait for them; drop the erased."""
        with self._lock:
            self._people.follow(versions(session, MODEL))
        self._catalog.view(session)
        self._learning.model(session)
