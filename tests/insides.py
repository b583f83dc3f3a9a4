"""What a test sees of an engine that no caller does: the stored sum's head, the model that answers, its files."""

from __future__ import annotations

from assent.engine import Engine
from assent.learn import MODEL
from assent.models.recommender import SolvedModel
from assent.store.topics import sums
from assent.store.topics.sums import HeadRow


def head_if_any(engine: Engine) -> HeadRow | None:
    """Return the head of the stored sum; None before the first training."""
    with engine._rooms.store.read() as session:
        return sums.head(session, MODEL)


def head(engine: Engine) -> HeadRow:
    """Return the head of the stored sum, which has to be there."""
    found = head_if_any(engine)
    assert found is not None
    return found


def model_of(engine: Engine) -> SolvedModel:
    """Return the model that answers now, which has to be there."""
    with engine._rooms.store.read() as session:
        model = engine._rooms.learning.model(session)
    assert model is not None
    return model


def wait_for_files(engine: Engine) -> None:
    """Wait until nothing is on its way into a model file."""
    while (publishing := engine._rooms.learning.recommender.publisher.thread) is not None:
        publishing.join()
