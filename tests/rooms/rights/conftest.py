"""Fixtures of the tests of rights: an empty house and a full one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assent.store import Store
from assent.testing import FixedClock, SeededRandomness
from tests.rooms.rights.house import House


@pytest.fixture
def build(tmp_path: Path, clock: FixedClock) -> Callable[[Store], House]:
    """Return what builds a house on a store."""
    return lambda store: House(store, tmp_path / "keys" / "shop.key", clock, SeededRandomness(4))


@pytest.fixture
def house(store: Store, build: Callable[[Store], House], tmp_path: Path) -> House:
    """Return an empty house on a fresh store."""
    (tmp_path / "keys").mkdir()
    return build(store)


@pytest.fixture
def full(house: House) -> House:
    """Return a house with people who agreed, acted and were learned from."""
    house.fill()
    return house
