"""Step 7: true reasons. A score is a sum over the person's own actions; each part is exact before rounding.

The words for a chosen list are a pure function of the list, its scores and the question, so they are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from assent.decide.answer import Told
from assent.decide.phrases import not_used_lines, phrases, used_line
from assent.terms import refusals
from assent.terms.answers.decisions import Because, Decision, NotUsed, Suggestion
from assent.terms.events import ACTION_BY_CODE, ON_PAGE
from assent.terms.limits import limit
from assent.terms.purposes import Personalize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assent.decide.phrases import Phrases
    from assent.decide.question import Question
    from assent.decide.results import Candidates, Choice, ConsentStep, Moment

#: Shares are told in steps of this many percent: exact parts would give the model away.
SHARE_STEP_PERCENT = 5
STEPS = 100 // SHARE_STEP_PERCENT
#: The most reasons that one item has.
REASONS = 3

#: The reasons of one item, and the same in one sentence.
Explained: TypeAlias = "tuple[tuple[Because, ...], str]"

#: Keeps a division by a total of zero from being one.
_TINY = np.finfo(np.float32).tiny
_ROWS = np.arange(limit("decide_count_max"))[:, None]


def tell(
    question: Question, moment: Moment, consent: ConsentStep, candidates: Candidates, choice: Choice, language: str
) -> Told:
    """Say why each item is here, what was used and what was not; a list is told again as it was told before."""
    memory, refusal, permit = candidates.memory, consent.refusal, consent.permit
    key = (
        choice.items,
        choice.personal,
        candidates.context,
        candidates.method,
        language,
        question.slot,
        question.mode,
        question.gpc,
        question.include_bought,
        question.person is None,
        question.item is None,
        None if refusal is None else refusal.reason,
        None if permit is None else permit.source,
    )
    told = memory.told.get(key)
    if told is None:
        told = memory.told.keep(key, Told(_decision(question, moment, consent, candidates, choice, language)))
    return told


def _decision(
    question: Question, moment: Moment, consent: ConsentStep, candidates: Candidates, choice: Choice, language: str
) -> Decision:
    """Return the whole answer but for its id and moment."""
    memory, chosen = candidates.memory, (choice.items, choice.personal, candidates.context, language)
    items = memory.reasons.get(chosen)
    if items is None:
        items = memory.reasons.keep(chosen, explain(moment, candidates, choice, language))
    method = _method(candidates, choice)
    personal = method == refusals.PERSONAL
    used = _used(moment, candidates, personal=personal)
    return Decision(
        decision_id="",
        at="",
        slot=question.slot,
        mode=question.mode,
        language=language,
        personal=personal,
        method=method,
        items=items,
        used=tuple(used_line(code, tuple(numbers.items()), language) for code, numbers in used.items()),
        used_codes=used,
        not_used=_not_used(question, moment, consent, candidates, language),
        purpose=Personalize.id if personal else None,
        receipt=consent.permit.source if personal and consent.permit is not None else None,
        gpc_honored=question.gpc,
        change=phrases(language).change,
    )


def _method(candidates: Candidates, choice: Choice) -> str:
    """Return how the items were found: a list that no score chose from is popular, whatever there was to score."""
    if not choice.items:
        return refusals.EMPTY
    return candidates.method if choice.personal else refusals.POPULAR


def explain(moment: Moment, candidates: Candidates, choice: Choice, language: str) -> tuple[Suggestion, ...]:
    """Say for each chosen item why it is here; the first `personal` come from the score, the rest from popularity."""
    words = phrases(language)
    explained: list[Explained] = [((), words.popular)] * len(choice.items)
    if moment.model is not None and choice.personal:
        targets = np.array(choice.items[: choice.personal], np.int32)
        parts = moment.model.parts(candidates.inputs, candidates.values, targets)
        explained[: choice.personal] = _because(parts, moment, candidates, words)
    ids, names, facts = moment.view.ids, moment.view.names, moment.view.facts
    return tuple(
        [
            Suggestion(rank, ids[number], names[number], facts[number], because, text)
            for rank, (number, (because, text)) in enumerate(zip(choice.items, explained, strict=True), start=1)
        ]
    )


def _because(parts: NDArray[np.float32], moment: Moment, candidates: Candidates, words: Phrases) -> list[Explained]:
    """Turn parts, float32 [inputs, items], into the strongest reasons of each item, shares rounded to the step."""
    positive = np.maximum(parts.T, 0.0)
    strongest = (-positive).argsort(axis=1, kind="stable")[:, :REASONS]
    total = positive.sum(axis=1, keepdims=True)
    shares = positive[_ROWS[: len(positive)], strongest]
    shares *= STEPS / np.maximum(total, _TINY)
    steps = np.rint(shares).astype(np.int64)
    actions = candidates.history.actions
    ids, names = moment.view.ids, moment.view.names
    # The same act is a reason for several items.
    told: dict[tuple[int, int], tuple[Because, str]] = {}
    explained: list[Explained] = []
    for numbers, rounded in zip(candidates.inputs[strongest].tolist(), steps.tolist(), strict=True):
        because, acts = [], []
        for act in zip(numbers, rounded, strict=True):
            number, share = act
            if not share:
                break  # the strongest come first
            if act not in told:
                code, name = ACTION_BY_CODE[actions[number]].name if number in actions else ON_PAGE, names[number]
                reason = Because(ids[number], name, words.actions[code], share * SHARE_STEP_PERCENT, code)
                told[act] = reason, words.act(code, name)
            reason, clause = told[act]
            because.append(reason)
            acts.append(clause)
        explained.append((tuple(because), words.because(acts)))
    return explained


def _used(moment: Moment, candidates: Candidates, *, personal: bool) -> dict[str, dict[str, int]]:
    """Return what this answer was made from, as codes with their numbers."""
    used: dict[str, dict[str, int]] = {}
    if personal:
        history = candidates.history
        used[refusals.HISTORY] = {"actions": len(history.history), "items": len(history.inputs)}
    if candidates.context is not None:
        used[refusals.PAGE] = {}
    if moment.model is not None:
        used[refusals.OTHERS] = {"people": moment.model.people}
    return used


def _not_used(
    question: Question, moment: Moment, consent: ConsentStep, candidates: Candidates, language: str
) -> tuple[NotUsed, ...]:
    """Return what could have been used and was not, each with the reason."""
    reasons, table = [], "not_used_because"
    if consent.refusal is not None:
        reasons.append((refusals.HISTORY, "refusal", consent.refusal.reason))
    elif question.person is None:
        reasons.append((refusals.HISTORY, table, refusals.NOBODY_NAMED))
    if question.item is not None and candidates.context is None:
        reasons.append((refusals.PAGE, table, refusals.NOT_LISTED))
    if len(candidates.history.history) and not question.include_bought:
        reasons.append((refusals.BOUGHT, table, refusals.LEFT_OUT))
    if moment.view.unlisted:
        reasons.append((refusals.UNLISTED, table, refusals.NONE_LISTED))
    return not_used_lines(tuple(reasons), moment.view.unlisted, language)
