"""Step 7: true reasons. A score is a sum over the person's own actions; each part is exact before rounding.

How a chosen list is explained and told is a pure function of the list, its scores and the question, so it is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assent.decide.answer import Told
from assent.terms import refusals
from assent.terms.answers.decisions import Because, Decision, NotUsed, Suggestion
from assent.terms.events import ON_PAGE
from assent.terms.limits import limit
from assent.terms.purposes import Personalize
from assent.terms.sentences import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from assent.decide.question import Question
    from assent.decide.results import Candidates, Choice, ConsentStep, Moment

#: Shares are told in steps of this many percent: exact parts would give the model away.
SHARE_STEP_PERCENT = 5
STEPS = 100 // SHARE_STEP_PERCENT
REASONS_MAX = 3

#: What this engine never uses, said in every answer, and why.
_NEVER = (
    (refusals.DEVICE, refusals.REMOVED),
    (refusals.SENSITIVE, refusals.NOT_COLLECTED),
    (refusals.OUTSIDE, refusals.NOT_TAKEN_IN),
)

_ROWS = np.arange(limit("decide_count_max"))[:, None]


def tell(
    question: Question, moment: Moment, consent: ConsentStep, candidates: Candidates, choice: Choice, language: str
) -> Told:
    """Say why each item is here, what was used and what was not; a list is told again as it was told before."""
    memory = candidates.memory
    chosen = (choice.items, choice.personal, candidates.context, language)
    way = (
        question.slot,
        question.mode,
        question.gpc,
        question.include_bought,
        question.person is None,
        question.item is None,
        candidates.method,
        None if consent.refusal is None else consent.refusal.reason,
        None if consent.permit is None else consent.permit.source,
    )
    told = memory.told.get((chosen, way))
    if told is not None:
        return told
    items = memory.reasons.get(chosen)
    if items is None:
        items = memory.reasons.keep(chosen, explain(moment, candidates, choice, language))
    decision = _decision(question, moment, consent, candidates, choice, items, language)
    return memory.told.keep((chosen, way), Told(decision))


def _decision(
    question: Question,
    moment: Moment,
    consent: ConsentStep,
    candidates: Candidates,
    choice: Choice,
    items: tuple[Suggestion, ...],
    language: str,
) -> Decision:
    personal = choice.personal > 0 and len(candidates.history.history) > 0
    used = _used(moment, candidates, personal=personal)
    return Decision(
        decision_id="",
        at="",
        slot=question.slot,
        mode=question.mode,
        language=language,
        personal=personal,
        method=candidates.method if items else refusals.EMPTY,
        items=items,
        used=tuple(_used_sentence(code, numbers, language) for code, numbers in used.items()),
        used_codes=used,
        not_used=_not_used(question, moment, consent, candidates, language),
        purpose=Personalize.id if personal else None,
        receipt=consent.permit.source if personal and consent.permit is not None else None,
        gpc_honored=question.gpc,
        change=sentence("change.how", language),
    )


def explain(moment: Moment, candidates: Candidates, choice: Choice, language: str) -> tuple[Suggestion, ...]:
    """Say for each chosen item why it is here; the first `personal` come from the score, the rest from popularity."""
    because: list[tuple[Because, ...]] = [()] * len(choice.items)
    if moment.model is not None and choice.personal:
        targets = np.array(choice.items[: choice.personal], np.int32)
        parts = moment.model.parts(candidates.inputs, candidates.values, targets)
        because[: choice.personal] = _because(parts, moment, candidates, language)
    ids, names, facts = moment.view.ids, moment.view.names, moment.view.facts
    return tuple(
        Suggestion(rank, ids[number], names[number], facts[number], reasons, _text(reasons, language))
        for rank, (number, reasons) in enumerate(zip(choice.items, because, strict=True), start=1)
    )


def _because(
    parts: NDArray[np.float32], moment: Moment, candidates: Candidates, language: str
) -> list[tuple[Because, ...]]:
    """Turn parts [inputs, items] into the strongest reasons of each item, shares rounded to the step."""
    positive = np.maximum(parts.T, 0.0)
    strongest = (-positive).argsort(axis=1, kind="stable")[:, :REASONS_MAX]
    total = positive.sum(axis=1, keepdims=True)
    shares = positive[_ROWS[: len(positive)], strongest]
    shares *= STEPS / np.maximum(total, np.finfo(np.float32).tiny)
    steps = np.rint(shares).astype(np.int64)
    actions = _actions(candidates)
    words = {code: sentence(f"action.{code}", language) for code in {*actions.values()}}
    ids, names = moment.view.ids, moment.view.names
    reasons = []
    for numbers, rounded in zip(candidates.inputs[strongest].tolist(), steps.tolist(), strict=True):
        each = []
        for number, share in zip(numbers, rounded, strict=True):
            if not share:
                break  # the strongest come first
            code = actions[number]
            each.append(Because(ids[number], names[number], words[code], share * SHARE_STEP_PERCENT, code))
        reasons.append(tuple(each))
    return reasons


def _actions(candidates: Candidates) -> Mapping[int, str]:
    """Return for each input item the name of the weightiest thing the person did with it."""
    actions = candidates.history.actions
    if candidates.context is None or candidates.context in actions:
        return actions
    return {**actions, candidates.context: ON_PAGE}


def _text(because: Sequence[Because], language: str) -> str:
    """Say the reasons in one plain sentence."""
    if not because:
        return sentence("text.popular", language)
    acts = [sentence(f"because.{each.action_code}", language, item=each.name) for each in because]
    last = acts.pop()
    if acts:
        last = sentence("text.and", language, acts=", ".join(acts), last=last)
    return sentence("text.because", language, acts=last)


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


def _used_sentence(code: str, numbers: Mapping[str, int], language: str) -> str:
    if code != refusals.HISTORY:
        return sentence(f"used.{code}", language, **numbers)
    counted = {
        what: sentence(f"counted.{what.removesuffix('s') if count == 1 else what}", language, count=count)
        for what, count in numbers.items()
    }
    return sentence("used.history", language, **counted)


def _not_used(
    question: Question, moment: Moment, consent: ConsentStep, candidates: Candidates, language: str
) -> tuple[NotUsed, ...]:
    """List what could have been used and was not, each with the reason."""
    codes = []
    if consent.refusal is None and question.person is None:
        codes.append((refusals.HISTORY, refusals.NOBODY_NAMED))
    if question.item is not None and candidates.context is None:
        codes.append((refusals.PAGE, refusals.NOT_LISTED))
    if len(candidates.history.history) and not question.include_bought:
        codes.append((refusals.BOUGHT, refusals.LEFT_OUT))
    if moment.view.unlisted:
        codes.append((refusals.UNLISTED, refusals.NONE_LISTED))
    unlisted = str(moment.view.unlisted)
    lines = [
        NotUsed(
            what=sentence(f"not_used.{code}", language, items=unlisted),
            why=sentence(f"not_used_because.{reason}", language),
            code=code,
            reason=reason,
        )
        for code, reason in (*codes, *_NEVER)
    ]
    if consent.refusal is not None:
        reason = consent.refusal.reason
        what, why = sentence(f"not_used.{refusals.HISTORY}", language), sentence(f"refusal.{reason}", language)
        lines.insert(0, NotUsed(what, why, refusals.HISTORY, reason))
    return tuple(lines)
