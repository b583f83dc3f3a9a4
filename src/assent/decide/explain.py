"""Step 7: true reasons. A score is a sum over the person's own actions; each part is exact before rounding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assent.terms.answers import Because, NotUsed, Suggestion
from assent.terms.events import ACTION_BY_CODE
from assent.terms.limits import limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from assent.catalog import CatalogView
    from assent.decide.question import Ask
    from assent.decide.steps import Gathered
    from assent.models.recommender import Recommender
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
    chosen: NDArray[np.intp], personal: int, gathered: Gathered, view: CatalogView, model: Recommender | None
) -> tuple[Suggestion, ...]:
    """Say for each chosen item why it is here; the first `personal` come from the score, the rest from popularity."""
    because: list[tuple[Because, ...]] = [()] * len(chosen)
    if model is not None and personal:
        parts = model.parts(gathered.inputs, gathered.values, chosen[:personal])
        because[:personal] = _because(parts, gathered, view)
    ids, names, facts = view.ids, view.names, view.facts
    return tuple(
        Suggestion(rank, ids[number], names[number], facts[number], told, _sentence(told))
        for rank, (number, told) in enumerate(zip(chosen.tolist(), because, strict=True), start=1)
    )


def _because(parts: NDArray[np.float32], gathered: Gathered, view: CatalogView) -> list[tuple[Because, ...]]:
    """Turn parts [inputs, items] into the strongest reasons of each item, shares rounded to the step."""
    positive = np.maximum(parts.T, 0.0)
    strongest = (-positive).argsort(axis=1, kind="stable")[:, :REASONS_MAX]
    total = positive.sum(axis=1, keepdims=True)
    told = positive[_ROWS[: len(positive)], strongest] / np.where(total > 0.0, total, 1.0)
    shares = np.rint(told * STEPS).astype(np.int64) * SHARE_STEP_PERCENT
    verbs = _verbs(gathered)
    ids, names = view.ids, view.names
    return [
        tuple(
            [
                Because(ids[number], names[number], verbs[number], share)
                for number, share in zip(numbers, percents, strict=True)
                if share
            ]
        )
        for numbers, percents in zip(gathered.inputs[strongest].tolist(), shares.tolist(), strict=True)
    ]


def _verbs(gathered: Gathered) -> dict[int, str]:
    """Return for each input item the strongest thing the person did with it, in words."""
    history = gathered.history
    order = np.argsort(history["action"], kind="stable")
    verbs = {
        item: ACTION_BY_CODE[action].verb
        for item, action in zip(history["item"][order].tolist(), history["action"][order].tolist(), strict=True)
    }
    if gathered.context is not None:
        verbs.setdefault(gathered.context, PAGE_VERB)
    return verbs


def _sentence(because: Sequence[Because]) -> str:
    """Say the reasons in one plain sentence."""
    if not because:
        return "Popular with people who agreed to share what they like."
    told = [f"{each.action} {each.name}" for each in because]
    if len(told) == 1:
        return f"Because you {told[0]}."
    return f"Because you {', '.join(told[:-1])} and {told[-1]}."


def used(gathered: Gathered, *, uses_history: bool, model: Recommender | None) -> tuple[str, ...]:
    """List what this answer was made from."""
    lines = []
    if uses_history:
        lines.append(f"your own {len(gathered.history)} actions with {len(np.unique(gathered.history['item']))} items")
    if gathered.context is not None:
        lines.append("the item on this page")
    if model is not None:
        lines.append(f"what {model.people:,} people who agreed to share have in common")
    return tuple(lines)


def not_used(ask: Ask, refusal: Refusal | None, gathered: Gathered, view: CatalogView) -> tuple[NotUsed, ...]:
    """List what could have been used and was not, each with the reason."""
    lines = []
    if refusal is not None:
        lines.append(NotUsed("the person's own history", _WHY[refusal.reason]))
    elif ask.person is None:
        lines.append(NotUsed("the person's own history", "The question names nobody."))
    if ask.item is not None and gathered.context is None:
        lines.append(NotUsed("the item on this page", "It is not in the catalogue."))
    if len(gathered.history) and not ask.include_bought:
        lines.append(NotUsed("things already bought", "Left out of the list; include_bought shows them."))
    if view.unlisted:
        lines.append(NotUsed(f"{view.unlisted} items without facts", "They are not in the catalogue."))
    return (*lines, *_NEVER)
