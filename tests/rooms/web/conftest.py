"""A small shop with a key of each role, and an in-process client of its application."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from litestar.testing import TestClient

from assent.engine import ROLES, Engine
from assent.web.app import make_app

GOODS = [{"id": f"item {number}/{number}", "name": f"Item {number}", "price": 5.0} for number in range(8)]


@dataclass
class Shop:
    """An open engine, the path of its store, and a key for each role."""

    engine: Engine
    path: Path
    keys: dict[str, str]

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def key_of(self, role: str) -> dict[str, str]:
        """Return the header that carries a role's secret key."""
        return {"Authorization": f"Bearer {self.keys[role]}"}


@pytest.fixture(scope="session")
def shop_template(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """Make a shop with eight items and Ann, who said yes and looked at four; return its folder and its keys."""
    folder = tmp_path_factory.mktemp("web-shop")
    with Engine.open(f"sqlite:///{folder / 'shop.db'}") as engine:
        keys = {role: engine.keys.make(role, "test") for role in ROLES}
        engine.put_items(GOODS)
        engine.consent("user_id:ann", grant=["personalize", "learn"])
        events = [
            {"type": "track", "event": "Product Viewed", "userId": "ann", "properties": {"product_id": item["id"]}}
            for item in GOODS[:4]
        ]
        assert engine.take_in(events).stored == 4
    return folder, keys


@pytest.fixture
def shop(tmp_path, shop_template) -> Iterator[Shop]:
    """Open a copy of the shop."""
    folder, keys = shop_template
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "shop.db"
    with Engine.open(f"sqlite:///{path}") as engine:
        yield Shop(engine, path, keys)


@pytest.fixture(scope="session")
def still(shop_template, tmp_path_factory) -> Iterator[Shop]:
    """Open a copy of the shop for tests that change nothing in it, once for all of them."""
    folder, keys = shop_template
    path = tmp_path_factory.mktemp("still") / "shop.db"
    shutil.copytree(folder, path.parent, dirs_exist_ok=True)
    with Engine.open(f"sqlite:///{path}") as engine:
        yield Shop(engine, path, keys)


@pytest.fixture(scope="session")
def still_client(still) -> Iterator[TestClient]:
    """Return one client for the tests that change nothing."""
    with TestClient(make_app(still.engine)) as opened:
        yield opened


@pytest.fixture
def client(shop) -> Iterator[TestClient]:
    """Return a client of the shop's application, in this process."""
    with TestClient(make_app(shop.engine)) as opened:
        yield opened


@pytest.fixture(scope="session")
def document(still_client):
    """Return the description of the API as a client gets it."""
    return still_client.get("/openapi.json").json()
