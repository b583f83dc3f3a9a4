"""Step 7: true reasons. A score is a sum over the person's own actions; each part is exact before rounding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assent.terms.answers import Because, NotUsed, Suggestion
from assent.terms.limits import limit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from assent.catalog import CatalogView
    from assent.decide.question import Ask
    from assent.decide.steps import Gathered
    from assent.models.recommender import SolvedModel
    from assent.terms.permits import Refusal

#: Shares are told in steps of this many percent: exact parts would give the model away.
SHARE_STEP_PERCENT = 5
STEPS = 100 // SHARE_STEP_PERCENT
REASONS_MAX = 3
PAGE_VERB = "are looking at"

_WHY = {
    "unknown_person": "This person is not known here, so nothing about them is held.",
    "non_profiled": "The question asked for an answer without profiling.",
    "not_granted": "The person has not agreed to it.",
    "refused": "The person said no.",
    "withdrawn": "The person withdrew their consent.",
    "expired": "The consent is too old and has to be asked for again.",
    "notice_changed": "The notice changed since the person agreed, so it has to be asked for again.",
    "gpc": "The browser sent Global Privacy Control, which is honored.",
    "signal": "A consent signal of this request says no.",
    "erasing": "The person is being erased.",
}

#: What this engine never uses, said in every answer.
_NEVER = (
    NotUsed("location, device and network address", "Removed on arrival."),
    NotUsed("sensitive topics such as health or religion", "Not collected and not inferred."),
    NotUsed("what others know about the person", "Nothing is bought or taken in from elsewhere."),
)

_ROWS = np.arange(limit("decide_count_max"))[:, None]


def explain(
    best: NDArray[np.intp], personal: int, gathered: Gathered, view: CatalogView, model: SolvedModel | None
) -> tuple[Suggestion, ...]:
    """Say for each chosen item why it is here; the first `personal` come from the score, the rest from popularity."""
    because: list[tuple[Because, ...]] = [()] * len(best)
    if model is not None and personal:
        parts = model.parts(gathered.inputs, gathered.values, best[:personal])
        because[:personal] = _because(parts, gathered, view)
    ids, names, facts = view.ids, view.names, view.facts
    return tuple(
        Suggestion(rank, ids[number], names[number], facts[number], told, _sentence(told))
        for rank, (number, told) in enumerate(zip(best.tolist(), because, strict=True), start=1)
    )


def _because(parts: NDArray[np.float32], gathered: Gathered, view: CatalogView) -> list[tuple[Because, ...]]:
    """Turn parts [inputs, items] into the strongest reasons of each item, shares rounded to the step."""
    positive = np.maximum(parts.T, 0.0)
    strongest = (-positive).argsort(axis=1, kind="stable")[:, :REASONS_MAX]
    total = positive.sum(axis=1, keepdims=True)
    told = positive[_ROWS[: len(positive)], strongest]
    told *= STEPS / np.maximum(total, np.finfo(np.float32).tiny)
    steps = np.rint(told).astype(np.int64)
    verbs = _verbs(gathered)
    ids, names = view.ids, view.names
    reasons = []
    for numbers, shares in zip(gathered.inputs[strongest].tolist(), steps.tolist(), strict=True):
        each = []
        for number, share in zip(numbers, shares, strict=True):
            if not share:
                break  # the strongest come first
            each.append(Because(ids[number], names[number], verbs[number], share * SHARE_STEP_PERCENT))
        reasons.append(tuple(each))
    return reasons


def _verbs(gathered: Gathered) -> Mapping[int, str]:
    """Return for each input item the weightiest thing the person did with it, in words."""
    verbs = gathered.tastes.verbs
    if gathered.context is None or gathered.context in verbs:
        return verbs
    return {**verbs, gathered.context: PAGE_VERB}


def _sentence(because: Sequence[Because]) -> str:
    """Say the reasons in one plain sentence."""
    if not because:
        return "Popular with people who agreed to share what they like."
    told = [f"{each.action} {each.name}" for each in because]
    last = told.pop()
    return f"Because you {', '.join(told)} and {last}." if told else f"Because you {last}."


def used(gathered: Gathered, *, uses_history: bool, model: SolvedModel | None) -> tuple[str, ...]:
    """List what this answer was made from."""
    lines = []
    if uses_history:
        tastes = gathered.tastes
        lines.append(f"your own {_counted(len(tastes.history), 'action')} with {_counted(len(tastes.inputs), 'item')}")
    if gathered.context is not None:
        lines.append("the item on this page")
    if model is not None:
        lines.append(f"what {model.people:,} people who agreed to share have in common")
    return tuple(lines)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def not_used(ask: Ask, refusal: Refusal | None, gathered: Gathered, view: CatalogView) -> tuple[NotUsed, ...]:
    """List what could have been used and was not, each with the reason."""
    lines = []
    if refusal is not None:
        lines.append(NotUsed("the person's own history", _WHY[refusal.reason]))
    elif ask.person is None:
        lines.append(NotUsed("the person's own history", "The question names nobody."))
    if ask.item is not None and gathered.context is None:
        lines.append(NotUsed("the item on this page", "It is not in the catalogue."))
    if len(gathered.tastes.history) and not ask.include_bought:
        lines.append(NotUsed("things already bought", "Left out of the list; include_bought shows them."))
    if view.unlisted:
        lines.append(NotUsed(f"{view.unlisted} items without facts", "They are not in the catalogue."))
    return (*lines, *_NEVER)
