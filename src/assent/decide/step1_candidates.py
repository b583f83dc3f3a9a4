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
    inputs, values = memory.inputs.get(context) or memory.inputs.keep(context, _inputs(history, context, moment))
    if len(inputs) == 0:
        method = POPULAR
    elif len(history.history) > 0:
        method = PERSONAL
    else:
        method = SIMILAR
    return Candidates(method, history, memory, inputs, values, context)


def _inputs(history: HistoryView, context: int | None, moment: Moment) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the items to score from and how much each counts: those of the history, and the one on the page."""
    inputs, values = history.inputs, history.values
    if context is not None and context not in inputs:
        inputs, values = np.append(inputs, np.int32(context)), np.append(values, np.int32(FRESHEST))
    known = inputs < (0 if moment.model is None else moment.model.columns)
    return (inputs, values) if known.all() else (inputs[known], values[known])
