"""What the upper rooms' tests share: an open engine on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assent.terms.settings import Settings
from assent.testing import FixedClock
from assent.testing.shops import crowd

if TYPE_CHECKING:
    from assent import Engine


@pytest.fixture
def key_path(tmp_path: Path) -> Path:
    """Return where the test's key file stands."""
    return tmp_path / "shop.key"


@pytest.fixture
def engine(store_url: str, key_path: Path, clock: FixedClock) -> Iterator[Engine]:
    """Return an engine on a fresh store."""
    from assent import Engine

    with Engine.open(store_url, keys=key_path, clock=clock, settings=Settings()) as opened:
        yield opened


@pytest.fixture
def shop(engine: Engine, clock: FixedClock) -> Engine:
    """Return an engine with a catalog, a crowd of 24 people, and a trained model."""
    crowd(engine, clock)
    engine.train()
    return engine
