"""New words for `learn` end every consent to the old ones: a training takes everybody out who did not renew it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assent.consent import purposes
from assent.engine import Engine
from assent.terms.settings import Settings
from assent.testing import FixedClock
from tests.insides import head, model_of, wait_for_files


@pytest.fixture
def renamed(
    shop: Engine, store_url: str, key_path: Path, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Engine]]:
    """Return what opens the trained shop with new words for `learn`, as a newer program would."""
    wait_for_files(shop)
    words = purposes.BUILT_IN.read_text(encoding="utf-8")
    path = tmp_path / "purposes.toml"
    for title in ("Improve suggestions for everyone", "Vorschläge für alle verbessern"):
        assert title in words
        words = words.replace(title, "Learn from what you do")
    path.write_text(words, encoding="utf-8")
    monkeypatch.setattr(purposes, "BUILT_IN", path)
    opened: list[Engine] = []

    def another() -> Engine:
        opened.append(Engine.open(store_url, keys=key_path, clock=clock, settings=Settings(), create=False))
        return opened[-1]

    yield another
    for engine in opened:
        engine.close()


def test_whoever_did_not_agree_to_the_new_words_is_subtracted(renamed: Callable[[], Engine]):
    """The sum, changed by differences, is the sum of a shop that never knew them; nobody's row is left beside it."""
    engine = renamed()
    engine.consent("crowd-1", grant=["learn"])
    step = engine.train()
    assert (step.people, step.removed, step.rebuilt) == (1, 23, False)
    assert engine.verify(rebuild=True).holds
    assert engine.train(rebuild=True).digest == step.digest


def test_when_nobody_renews_nothing_is_left(renamed: Callable[[], Engine]):
    """A shop whose new words nobody has agreed to yet has learned from nobody."""
    engine = renamed()
    step = engine.train()
    assert (step.people, step.removed, step.rebuilt) == (0, 24, False)
    assert engine.verify(rebuild=True).holds
    assert model_of(engine).digest() == step.digest == engine.train(rebuild=True).digest


def test_no_other_process_goes_on_answering_from_them(renamed: Callable[[], Engine]):
    """Its next answer already comes from the new sum, and the store says that files of older versions must go."""
    engine, second = renamed(), renamed()
    engine.consent("crowd-1", grant=["learn"])
    before = model_of(second).digest()
    after = engine.train().digest
    assert model_of(second).digest() == after != before
    assert head(engine).last_left_version == head(engine).version
