"""An open shop on a real store: an empty one, and one with goods and people that has learned."""

import shutil

import pytest

from assent import Engine
from tests.journeys.shop import GOODS, ana, crowd


@pytest.fixture
def engine(tmp_path, sqlite_template):
    """Open a new shop."""
    shutil.copy(sqlite_template, tmp_path / "shop.db")
    with Engine.open(str(tmp_path / "shop.db")) as opened:
        yield opened


@pytest.fixture
def shop(engine):
    """Open a shop with goods and people, trained."""
    engine.put_items(GOODS)
    engine.take_in(crowd() + ana())
    engine.train()
    return engine
