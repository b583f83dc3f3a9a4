"""Fixtures of the tests of intake: a shop on each database, and one on SQLite where the database does not matter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assent.store import Store
from assent.testing import FixedClock, SeededRandomness
from tests.rooms.intake.shop import Shop


@pytest.fixture
def shop(store: Store, tmp_path: Path, clock: FixedClock) -> Shop:
    """Return an empty shop on a fresh store."""
    return Shop(store, tmp_path / "shop.key", clock, SeededRandomness(4))


@pytest.fixture
def file_shop(tmp_path: Path, clock: FixedClock) -> Iterator[Shop]:
    """Return an empty shop on an SQLite file."""
    with Store.open(tmp_path / "file.db") as store:
        yield Shop(store, tmp_path / "file.key", clock, SeededRandomness(5))
