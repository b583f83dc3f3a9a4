"""Step 1: gather what to score from: the person's own history under the permit, and the item on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assent.decide.results import Candidates
from assent.models.recommender.recency import FRESHEST
from assent.terms.refusals import PERSONAL, POPULAR, SIMILAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assent.decide.history_view import HistoryView
    from assent.decide.people_cache import PeopleCache
    from assent.decide.question import Question
    from assent.decide.results import ConsentStep, Moment


def gather(question: Question, moment: Moment, consent: ConsentStep, people: PeopleCache) -> Candidates:
    """Return the inputs, those alone that the model knows; raises `PermitNeeded`, `Corrupt`."""
    context = None if question.item is None else moment.view.number(question.item)
    history = people.nobody
    if consent.person is not None and consent.permit is not None:
        history = people.history(moment.session, consent.person, consent.permit, moment.versions)
    memory = history.memory(moment.world)
    method, inputs, values = memory.inputs.get(context) or memory.inputs.keep(
        context, _inputs(history, context, 0 if moment.model is None else moment.model.columns)
    )
    return Candidates(method, history, memory, inputs, values, context)


def _inputs(
    history: HistoryView, context: int | None, columns: int
) -> tuple[str, NDArray[np.int32], NDArray[np.int32]]:
    """Return the method, the items to score from, int32 [k], ascending, and how much each counts, int32 [k].

    They are those of the history and the one on the page, as far as the model's `columns` reach.
    """
    inputs, values = history.inputs, history.values
    if context is not None and context not in history.actions:
        place = int(inputs.searchsorted(context))
        inputs = np.concatenate((inputs[:place], (context,), inputs[place:]), dtype=np.int32)
        values = np.concatenate((values[:place], (FRESHEST,), values[place:]), dtype=np.int32)
    known = int(inputs.searchsorted(columns))
    if known == 0:
        method = POPULAR
    elif len(history.inputs) and history.inputs[0] < columns:
        method = PERSONAL
    else:
        method = SIMILAR
    return method, inputs[:known], values[:known]
