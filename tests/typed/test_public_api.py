"""The public API as a program with types uses it: `mypy --strict` reads this file, and pytest runs it.

Everything is imported from where an embedder would take it; nothing here needs a cast or an ignore.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

from assent import (
    AssentError,
    Certificate,
    Decision,
    Engine,
    InvalidInput,
    NotFound,
    Recommender,
    Settings,
    Suggestion,
    TakenIn,
    TrainReport,
    Verification,
)

GOODS: list[dict[str, str | float]] = [
    {"id": name, "name": name.title(), "price": 2.5} for name in ("tea", "mug", "jam")
]


def view(person: str, item: str) -> dict[str, object]:
    """Return one event as a tracking client sends it."""
    consent = {"categoryPreferences": {"personalize": True, "learn": True}}
    return {
        "type": "track",
        "event": "Product Viewed",
        "userId": person,
        "properties": {"product_id": item},
        "context": {"consent": consent},
    }


def reasons(decision: Decision) -> list[str]:
    """Return why each item is shown."""
    items: Sequence[Suggestion] = decision.items
    return [
        f"{each.rank} {each.item}: {each.text} {[reason.share_percent for reason in each.because]}" for each in items
    ]


def test_a_shop_from_its_first_item_to_an_erasure(tmp_path: Path) -> None:
    """Every act has arguments and an answer that a type checker knows."""
    settings = Settings(controller_name="The shop")
    with Engine.open(str(tmp_path / "shop.db"), keys=tmp_path / "shop.key", settings=settings) as engine:
        stored: int = engine.put_items(GOODS)
        assert stored == 3
        taken: TakenIn = engine.take_in(
            [view("ana", "tea"), view("ana", "mug"), view("bob", "tea"), view("bob", "jam")]
        )
        assert (taken.stored, dict(taken.dropped)) == (4, {})
        receipts = engine.consent("ana", grant=["measure"], withdraw=())
        assert len(receipts) == 1
        report: TrainReport = engine.train()
        assert (report.people, report.rebuilt) == (2, True)
        decision: Decision = engine.decide("ana", slot="home", count=2, context={"item": "tea"}, exclude=["nothing"])
        assert decision.personal
        assert len(reasons(decision)) == len(decision.items) > 0
        similar: list[Suggestion] = engine.catalog.similar("tea", count=1)
        assert len(similar) == 1
        assert len(engine.export("ana").events) == 2
        certificate: Certificate = engine.erase("ana")
        again: Verification = engine.people.verify_certificate(
            {"body": certificate.body, "signature": certificate.signature, "public_key": certificate.public_key}
        )
        whole: Verification = engine.verify(rebuild=True)
        assert again.holds
        assert [check.name for check in whole.checks if not check.holds] == []


def told(error: AssentError) -> tuple[str, int, str]:
    """Return what an error of ours always has: a stable code, an HTTP status, advice."""
    return error.code, error.status, error.advice


def test_errors_are_one_tree(tmp_path: Path) -> None:
    """Whoever catches `AssentError` catches all of them, each with code, status and advice."""
    with Engine.open(str(tmp_path / "shop.db")) as engine:
        with pytest.raises(NotFound) as nobody:
            engine.export("nobody")
        with pytest.raises(AssentError) as nothing:
            engine.decide(count=0)
    assert told(nobody.value)[:2] == ("not_found", 404)
    assert told(nothing.value)[:2] == ("invalid_input", 400)
    assert isinstance(nothing.value, InvalidInput)


def test_the_model_alone(tmp_path: Path) -> None:
    """A recommender over a people x items matrix: fit, learn, forget, recommend, explain, save, load."""
    people = scipy.sparse.csr_matrix(np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 1, 1]], dtype=np.int32))
    model = Recommender()
    model.fit(people)
    before: str = model.digest()
    guest = scipy.sparse.csr_matrix(np.array([[1, 0, 0, 1]], dtype=np.int32))
    model.learn(guest)
    assert model.digest() != before
    model.forget(guest)
    assert model.digest() == before
    ids, scores = model.recommend(guest, count=2)
    assert ids.shape == scores.shape == (1, 2)
    parts: list[tuple[int, float]] = model.explain(guest, 1)
    assert {item for item, _ in parts} <= {0, 3}
    model.save(tmp_path / "model")
    assert Recommender.load(tmp_path / "model").digest() == before
