"""A store that the first schema wrote is read after the upgrade, without a pass that seals it anew.

`store_0001.tar.xz` was written by the last version of schema 0001, at the moment of `FixedClock`: five people with
loose trails, one of them (ann) with a folded history, too, one withdrawal and one grant, a trained model; `facts.json`
says what that version answered.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from assent import Engine
from assent.store import Store, migrate
from assent.store.address import read_address
from assent.store.store import _server
from assent.terms.settings import Settings
from assent.testing import FixedClock
from assent.testing.shops import acts

OLD = Path(__file__).with_name("store_0001.tar.xz")


@pytest.fixture
def old_files(tmp_path: Path) -> Path:
    """Return the folder of the old store's files."""
    folder = tmp_path / "old"
    with tarfile.open(OLD) as archive:
        archive.extractall(folder, filter="data")
    (folder / "shop.key").chmod(0o600)
    return folder


@pytest.fixture
def facts(old_files: Path) -> dict[str, Any]:
    """Return what the old version answered."""
    return json.loads((old_files / "facts.json").read_text())


@pytest.fixture
def old_store(empty_url: str, old_files: Path) -> str:
    """Return the URL of the old store: the file itself, or a server's database that it was copied into."""
    if empty_url.startswith("sqlite"):
        return f"sqlite:///{old_files / 'shop.db'}"
    target = _server(read_address(empty_url)).engine()
    source = sa.create_engine(f"sqlite:///{old_files / 'shop.db'}")
    with target.connect() as there, source.connect() as here:
        migrate.upgrade(there, "0001")
        then = sa.MetaData()  # the columns of then, not of today
        then.reflect(there)
        for table in then.sorted_tables:
            if table.name != migrate.VERSION_TABLE:
                rows = [dict(row) for row in here.execute(sa.text(f"SELECT * FROM {table.name}")).mappings()]
                if rows:
                    there.execute(sa.insert(table), rows)
        there.commit()
    target.dispose()
    source.dispose()
    return empty_url


@pytest.fixture
def engine(old_store: str, old_files: Path) -> Iterator[Engine]:
    """Return an engine of today on the old store."""
    with Engine.open(old_store, keys=old_files / "shop.key", clock=FixedClock(), settings=Settings()) as opened:
        yield opened


def told(export: dict[str, Any]) -> list[list[Any]]:
    """Return the history of an export as the facts have it."""
    return [[entry["item"], entry["day"], entry["action"], entry["purposes"]] for entry in export["history"]]


def test_the_schema_is_brought_up(old_store: str) -> None:
    """Opening migrates, and nothing of what was sealed is touched."""
    with Store.open(old_store) as store:
        assert store.schema() == {"current": migrate.HEAD, "wanted": migrate.HEAD}


def test_everything_reads_as_before(engine: Engine, facts: dict[str, Any]) -> None:
    """History, events, suggestions and the digest of the sum are what the version before said."""
    export = asdict(engine.export("ann"))
    assert told(export) == facts["history"]
    assert len(export["events"]) == facts["events"]
    decision = engine.decide("ann", count=4)
    assert (decision.method, [each.item for each in decision.items]) == (facts["method"], facts["items"])
    assert engine.verify().holds
    report = engine.train()
    assert (report.digest, report.people) == (facts["digest"], facts["people"])
    assert report.added == report.removed == 0


def test_old_and_new_entries_are_one_history(engine: Engine, facts: dict[str, Any]) -> None:
    """What comes now is sealed in the layout of today, and stands in one history with what came before."""
    engine.take_in(acts("ann", ["tea-6"], FixedClock()))
    assert told(asdict(engine.export("ann")))[: len(facts["history"])] == facts["history"]
    assert told(asdict(engine.export("ann")))[-1][0] == "tea-6"
    assert engine.train().digest != facts["digest"]


def test_a_withdrawal_takes_out_what_was_sealed_before(engine: Engine, facts: dict[str, Any]) -> None:
    """Only the purpose that was withdrawn goes, from the folded history and from loose trails alike."""
    engine.consent("ann", withdraw=["measure"])
    expected = [[*act, [each for each in purposes if each != "measure"]] for *act, purposes in facts["history"]]
    assert told(asdict(engine.export("ann"))) == expected
    engine.consent("p0", withdraw=["learn"])
    assert {tuple(purposes) for *_, purposes in told(asdict(engine.export("p0")))} == {("personalize",)}
    assert engine.train().digest != facts["digest"]
    assert engine.verify().holds


def test_somebody_from_before_is_erased(engine: Engine, facts: dict[str, Any]) -> None:
    """An erasure takes the old contribution out of the sum and leaves a certificate that verifies."""
    certificate = engine.erase("ann")
    model = certificate.body["facts"]["models"]["recommender"]
    assert model["digest_before"] == facts["digest"] != model["digest_after"]
    assert engine.verify().holds
    assert engine.train().digest == model["digest_after"]
