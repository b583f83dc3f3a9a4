"""One decision in nine numbered steps; the docs and the tests use the same numbers.

0 ask consent, 1 gather candidates, 2 drop what rules forbid, 3 score, 6 choose, 7 explain, 8 record.
Steps 4 (guard) and 5 (fair exposure) have no rules in this version, so no code stands in their place.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np

from assent.decide.explain import explain, not_used, used
from assent.decide.knowing import Chosen, KnownPeople, Told
from assent.decide.steps import Answer, Asked, Gathered, Recorded
from assent.learn import MODEL
from assent.models.recommender.recency import FRESHEST
from assent.store.topics.decisions import DecisionRow
from assent.store.topics.versions import versions
from assent.terms.answers import Decision
from assent.terms.clock import to_text
from assent.terms.errors import AssentError
from assent.terms.permits import Refusal
from assent.terms.purposes import Personalize
from assent.vault import decision_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from assent.catalog import Catalog, CatalogView
    from assent.consent import Ledger
    from assent.decide.question import Ask
    from assent.learn import SumsKeeper
    from assent.models.recommender import SolvedModel
    from assent.store import Session
    from assent.store.topics.versions import Versions
    from assent.terms.clock import Clock
    from assent.terms.randomness import Randomness
    from assent.vault import Vault

#: Where every answer says how to change it.
CHANGE = "Withdraw or grant a purpose at any time: PUT /v1/people/{id}/consent, or ask with mode=non_profiled."

#: A score of a smaller share of what goes in is rounding: taking somebody out leaves such where they alone had a pair.
ROUNDING = 1e-7


class Decider:
    """Answers one question at a time; people asked for lately stay known in memory."""

    def __init__(
        self,
        *,
        vault: Vault,
        ledger: Ledger,
        catalog: Catalog,
        learning: SumsKeeper,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        """Hold the rooms below."""
        self._people = KnownPeople(vault, ledger)
        self._ledger = ledger
        self._catalog = catalog
        self._learning = learning
        self._clock = clock
        self._randomness = randomness

    def decide(self, session: Session, ask: Ask, *, wait: bool = True) -> Answer:
        """Answer one question; the caller writes what step 8 hands back before it acknowledges.

        Raises `Loading` when no model may answer yet and the caller cannot `wait` for one, `InvalidInput` for a name
        that cannot be one.
        """
        (answer,) = self.decide_all(session, [ask], wait=wait)
        if isinstance(answer, AssentError):
            raise answer
        return answer

    def decide_all(self, session: Session, asks: Sequence[Ask], *, wait: bool = True) -> list[Answer | AssentError]:
        """Answer questions about one moment; what is wrong with one of them stands in its place.

        Raises `Loading` when no model may answer yet and the caller cannot `wait` for one.
        """
        now = versions(session, MODEL)
        # Before consent is asked, and before the lock is taken: a first solve may take longer than a permit lives.
        model = self._learning.model(session, now.sums, wait=wait)
        answers: list[Answer | AssentError] = []
        now_ms = self._clock.now_ms()
        at = to_text(now_ms)
        with self._learning.lock:
            view = self._catalog.view(session, now.items)
            for ask in asks:
                try:
                    told, asked = self._decide(session, ask, now, view, model)
                    # Ids in order of time, so that rows lie together.
                    decision_id = now_ms.to_bytes(6, "big") + self._randomness.take(10)
                    recorded = _record(decision_id, ask.slot, told.note, asked, now_ms)  # 8
                    answers.append(Answer(decision_id.hex(), at, told, recorded))
                except AssentError as error:
                    answers.append(error)
        return answers

    def _decide(
        self, session: Session, ask: Ask, now: Versions, view: CatalogView, model: SolvedModel | None
    ) -> tuple[Told, Asked]:
        """Take steps 0 to 7 for one question."""
        asked = self._ask_consent(session, ask, now)  # 0
        gathered = self._gather(session, ask, asked, now, view, model)  # 1
        question = (ask.count, gathered.context, ask.exclude, ask.include_bought)
        chosen = gathered.tastes.choice((view, None if model is None else weakref.ref(model), now.sums), question)
        if chosen is None:
            chosen = _choose(ask, gathered, view, model)  # 2, 3, 6, 7
            gathered.tastes.keep(question, chosen)
        return _tell(ask, asked, gathered, chosen, view, model), asked

    def forget_people(self) -> None:
        """Forget everybody who was asked for: their opened histories and keys leave the memory."""
        with self._learning.lock:
            self._people.forget()

    def warm(self, session: Session) -> None:
        """Load the catalogue and the model, so that the first question does not wait for them; forget the erased."""
        with self._learning.lock:
            self._people.follow(versions(session, MODEL))
        self._catalog.view(session)
        self._learning.model(session)

    def _ask_consent(self, session: Session, ask: Ask, now: Versions) -> Asked:
        """Step 0: find the person and ask whether their own history may choose what they see."""
        if ask.person is None:
            return Asked(None, None, None)
        self._people.follow(now)
        known = self._people.find(session, ask.person, now)
        if known is None:
            return Asked(None, None, Refusal(Personalize, "unknown_person", ""))
        if ask.mode == "non_profiled":
            return Asked(known, None, Refusal(Personalize, "non_profiled", ""))
        signals = self._ledger.signals_of(gpc=ask.gpc)
        answer = self._ledger.judge(known.person, Personalize, signals, status=known.status, state=known.said)
        if isinstance(answer, Refusal):
            return Asked(known, None, answer)
        if known.key is None:
            return Asked(known, None, Refusal(Personalize, "erasing", ""))
        return Asked(known, answer, None)

    def _gather(
        self,
        session: Session,
        ask: Ask,
        asked: Asked,
        now: Versions,
        view: CatalogView,
        model: SolvedModel | None,
    ) -> Gathered:
        """Step 1: take the person's own history under the permit, and the item on the page."""
        context = view.number(ask.item) if ask.item is not None else None
        tastes = self._people.nobody
        if asked.known is not None and asked.permit is not None:
            tastes = self._people.tastes(session, asked.known, asked.permit, now)
        inputs, values = tastes.inputs, tastes.values
        if context is not None and context not in inputs:
            inputs, values = np.append(inputs, np.int32(context)), np.append(values, np.int32(FRESHEST))
        columns = model.columns if model is not None else 0
        if max(tastes.last, -1 if context is None else context) >= columns:
            known = inputs < columns
            inputs, values = inputs[known], values[known]
        if len(inputs) == 0:
            method = "popular"
        elif len(tastes.history) > 0:
            method = "personal"
        else:
            method = "similar"
        return Gathered(method, tastes, inputs, values, context)


def _choose(ask: Ask, gathered: Gathered, view: CatalogView, model: SolvedModel | None) -> Chosen:
    """Take steps 2 to 7, for a question that was not asked before."""
    allowed = _drop_forbidden(ask, gathered, view)  # 2
    scores = _score(gathered, view, model)  # 3
    best, personal = _take_best(scores, allowed, ask.count, gathered, view, model)  # 6, with propensity 1
    return Chosen(explain(best, personal, gathered, view, model), personal)  # 7


def _tell(
    ask: Ask, asked: Asked, gathered: Gathered, chosen: Chosen, view: CatalogView, model: SolvedModel | None
) -> Told:
    """Say what was used and what was not; the same choice, asked for in the same way, is told as before."""
    receipt = None if asked.permit is None else asked.permit.source
    refused = None if asked.refusal is None else asked.refusal.reason
    way = (ask.slot, ask.mode, ask.gpc, ask.person is None, ask.item is None, gathered.method, refused, receipt)
    if chosen.told is None or chosen.told_for != way:
        uses_history = chosen.personal > 0 and len(gathered.tastes.history) > 0
        decision = Decision(
            decision_id="",
            at="",
            slot=ask.slot,
            mode=ask.mode,
            personal=uses_history,
            method=gathered.method if chosen.items else "empty",
            items=chosen.items,
            used=used(gathered, uses_history=uses_history, model=model),
            not_used=not_used(ask, asked.refusal, gathered, view),
            purpose=Personalize.id if uses_history else None,
            receipt=receipt if uses_history else None,
            gpc_honored=ask.gpc,
            change=CHANGE,
        )
        chosen.told, chosen.told_for = Told(decision), way
    return chosen.told


def _drop_forbidden(ask: Ask, gathered: Gathered, view: CatalogView) -> NDArray[np.bool_]:
    """Step 2: what may be shown: listed, available, not excluded, not on the page, not bought already."""
    allowed: NDArray[np.bool_] = view.shown.copy()
    for item in ask.exclude:
        number = view.number(item)
        if number is not None:
            allowed[number] = False
    if gathered.context is not None:
        allowed[gathered.context] = False
    bought = gathered.tastes.bought
    if not ask.include_bought and len(bought):
        allowed[bought[bought < len(allowed)]] = False
    return allowed


def _score(gathered: Gathered, view: CatalogView, model: SolvedModel | None) -> NDArray[np.float32]:
    """Step 3: score every item from the inputs; zero where the model knows nothing."""
    size = len(view.shown)
    if model is None or len(gathered.inputs) == 0:
        return np.zeros(size, dtype=np.float32)
    known = model.score_one(gathered.inputs, gathered.values)
    known[known < ROUNDING * float(gathered.values.sum())] = 0
    if len(known) == size:
        return known
    scores = np.zeros(size, dtype=np.float32)
    shared = min(len(known), size)
    scores[:shared] = known[:shared]
    return scores


def _take_best(
    scores: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    count: int,
    gathered: Gathered,
    view: CatalogView,
    model: SolvedModel | None,
) -> tuple[NDArray[np.intp], int]:
    """Step 6: the best by score, then the most popular; return item numbers and how many of them the score chose."""
    best = _top(scores * allowed, count) if len(gathered.inputs) > 0 else np.empty(0, dtype=np.intp)
    missing = count - len(best)
    if missing == 0:
        return best, len(best)
    popularity = view.newness.astype(np.float64)
    if model is not None:
        counts = model.popularity()
        size = min(len(counts), len(popularity))
        popularity[:size] += counts[:size]
    rest = allowed.copy()
    rest[best] = False
    return np.concatenate([best, _top(np.where(rest, popularity, 0.0), missing)]), len(best)


def _top(values: NDArray[np.floating], count: int) -> NDArray[np.intp]:
    """Return the positions of the largest positive values, best first, ties by position."""
    count = min(count, len(values))
    if count == 0:
        return np.empty(0, dtype=np.intp)
    least = np.partition(values, len(values) - count)[-count]
    head = np.flatnonzero(values >= least) if least > 0 else np.flatnonzero(values > 0)
    chosen: NDArray[np.intp] = head[np.argsort(-values[head], kind="stable")[:count]]
    return chosen


def _record(decision_id: bytes, slot: str, plain: bytes, asked: Asked, now_ms: int) -> Recorded:
    """Step 8: seal what was shown and why; without a permit the row names nobody."""
    if asked.permit is None or asked.known is None or asked.known.key is None:
        return Recorded(DecisionRow(decision_id, None, now_ms, slot, plain), None)
    sealed = asked.known.key.seal("decisions", decision_number(decision_id), plain)
    return Recorded(DecisionRow(decision_id, asked.known.person, now_ms, slot, sealed), asked.known.person)
