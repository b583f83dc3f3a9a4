"""A second kind of model is one more row of the registry: it is learned, forgotten, proved and told like the first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assent.engine import Engine
from assent.learn import SumsKeeper, registry
from assent.learn.registry import Kind
from assent.models.recommender import AdditiveRecommender
from assent.store.topics import sums
from assent.terms.errors import StoreNewer
from assent.terms.settings import Settings
from assent.testing import FixedClock
from assent.testing.models import AdditiveModelContract
from assent.testing.shops import acts, crowd
from tests.rooms.learn.action_counts import ActionCounts, SolvedActions
from tests.tables import sum_rows

KINDS = [*(kind.name for kind in registry.KINDS), "actions"]


class TestActionCounts(AdditiveModelContract):
    """The second model keeps what every additive model must."""

    model = ActionCounts()


@pytest.fixture
def second_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add one row to the registry: nothing else is done to have a second model."""
    monkeypatch.setattr(registry, "KINDS", (*registry.KINDS, Kind(ActionCounts())))


@pytest.fixture
def shop(second_row: None, store_url: str, key_path: Path, clock: FixedClock) -> Iterator[Engine]:
    """Return a trained shop that keeps two models."""
    with Engine.open(store_url, keys=key_path, clock=clock, settings=Settings()) as engine:
        crowd(engine, clock)
        engine.train()
        yield engine


def digests(engine: Engine) -> dict[str, str]:
    """Return the digest of each stored sum; those never written are left out."""
    with engine._rooms.store.read() as session:
        heads = [sums.head(session, name) for name in KINDS]
    return {head.model: head.digest for head in heads if head is not None}


def actions(engine: Engine) -> SolvedActions:
    """Return what answers from the second sum."""
    with engine._rooms.store.read() as session:
        solved = engine._rooms.learning.solved(session, "actions")
    assert isinstance(solved, SolvedActions)
    return solved


def viewed(engine: Engine) -> dict[str, int]:
    """Return how many acts there were in each category."""
    cells = actions(engine).sum.cells
    return {category: count for (_, category), count in sorted(cells.items())}


def other(store_url: str, key_path: Path, clock: FixedClock) -> Engine:
    """Open the same store a second time, as another process would."""
    return Engine.open(store_url, keys=key_path, clock=clock, settings=Settings())


def test_both_models_learn_in_one_training(shop: Engine, store_url: str, key_path: Path, clock: FixedClock):
    """A training writes both sums; what is solved is there in this process and in another."""
    assert digests(shop).keys() == set(KINDS)
    assert viewed(shop) == {"book": 40, "garden": 40, "tea": 40}
    with other(store_url, key_path, clock) as second:
        assert viewed(second) == viewed(shop)
        assert second.decide("crowd-1").personal


def test_differences_and_a_rebuild_give_the_same_sums(shop: Engine, clock: FixedClock):
    """New people and new actions are added to each sum by the difference; a rebuild changes nothing."""
    clock.move(days=1)
    shop.take_in([*acts("crowd-1", ["book-7"], clock), *acts("newcomer", ["tea-1", "tea-2"], clock)])
    step = shop.train()
    assert (step.added, step.rebuilt) == (2, False)
    assert viewed(shop) == {"book": 41, "garden": 40, "tea": 42}
    before = digests(shop)
    assert shop.train(rebuild=True).rebuilt
    assert digests(shop) == before


@pytest.mark.parametrize("leave", ["withdraw", "erase"])
def test_whoever_leaves_was_never_in_either(
    shop: Engine, store_url: str, key_path: Path, clock: FixedClock, leave: str
):
    """After an act that takes somebody out, both sums are those that never knew them, here and in another process."""
    before = digests(shop)
    with other(store_url, key_path, clock) as second:
        clock.move(days=1)
        shop.take_in(acts("guest", ["tea-1", "garden-2", "book-3"], clock))
        shop.train()
        assert viewed(second) == {"book": 41, "garden": 41, "tea": 41}
        within = digests(shop)
        assert all(within[name] != before[name] for name in KINDS)
        if leave == "withdraw":
            shop.consent("guest", withdraw=["learn"])
        else:
            shop.erase("guest")
        assert digests(shop) == before
        for engine in (shop, second):
            assert viewed(engine) == {"book": 40, "garden": 40, "tea": 40}
            assert actions(engine).sum.digest() == before["actions"]
    assert shop.verify(rebuild=True).holds


def test_a_certificate_lists_every_model(shop: Engine, clock: FixedClock):
    """It says of each sum whether the person was in it, and its digests before and after; and it can be checked."""
    before = digests(shop)
    clock.move(days=1)
    shop.take_in(acts("guest", ["tea-1", "garden-2"], clock))
    shop.train()
    within = digests(shop)
    certificate = shop.erase("guest")
    assert certificate.body["facts"]["models"] == {
        name: {"had_contribution": True, "digest_before": within[name], "digest_after": before[name]} for name in KINDS
    }
    told = {"body": certificate.body, "signature": certificate.signature, "public_key": certificate.public_key}
    assert shop.people.verify_certificate(told).holds


def test_an_export_tells_what_every_model_holds(shop: Engine):
    """Of the second model as of the first: exactly what would be taken out."""
    told = shop.export("crowd-0").models
    assert told.keys() == set(KINDS)
    assert told["actions"] == {"acts": [["Product Viewed", "tea", 5]]}
    assert len(told["recommender"]["items"]) == 5
    shop.consent("crowd-0", withdraw=["learn"])
    assert shop.export("crowd-0").models == {}


def test_every_sum_is_verified_by_name(shop: Engine):
    """Each digest is checked, and each sum added up anew; one act moved to another category is found."""
    found = shop.verify(rebuild=True)
    assert found.holds
    names = {check.name for check in found.checks}
    assert {
        f"{check} of {name}" for name in KINDS for check in ("sum digest", "sum rebuilt from contributions")
    } < names

    def alter(session):
        (number, row), *_ = [each for each in sum_rows(session, "actions", range(9)).items() if b"tea" in each[1]]
        moved = row.replace(b"40", b"39", 1)[::-1].replace(b"04", b"14", 1)[::-1]
        sums.put_rows(session, "actions", 1, [(number, moved)])

    before = digests(shop)
    shop._rooms.store.write(alter)
    wrong = [check.name for check in shop.verify().checks if not check.holds]
    assert wrong == ["sum digest of actions"]
    shop.train(rebuild=True)
    assert shop.verify(rebuild=True).holds
    assert digests(shop) == before


def test_facts_count_every_model(shop: Engine):
    """A check-up and the metrics see how many people each model knows."""
    assert {name: told.people for name, told in shop.server.facts().models.items()} == dict.fromkeys(KINDS, 24)
    stored = shop.server.metrics().stored
    assert (stored["people_in_model"], stored["people_in_actions"]) == (24, 24)


def test_a_row_may_be_added_to_a_store_that_learned_before(
    store_url: str, key_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
):
    """Until the next training the second model knows nobody, and says so; then it knows everybody."""
    with other(store_url, key_path, clock) as engine:
        crowd(engine, clock)
        engine.train()
    monkeypatch.setattr(registry, "KINDS", (*registry.KINDS, Kind(ActionCounts())))
    with other(store_url, key_path, clock) as engine:
        assert engine.verify(rebuild=True).holds
        with engine._rooms.store.read() as session:
            assert engine._rooms.learning.solved(session, "actions") is None
        nothing = {"had_contribution": False, "digest_before": "", "digest_after": ""}
        assert engine.erase("crowd-0").body["facts"]["models"]["actions"] == nothing
        engine.train()
        assert viewed(engine) == {"book": 40, "garden": 40, "tea": 35}


def test_a_store_with_a_sum_that_is_not_registered_here_is_refused(
    shop: Engine, store_url: str, key_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
):
    """An engine without the row would leave people in that sum: it does not open, and takes nobody out by halves."""
    monkeypatch.setattr(registry, "KINDS", registry.KINDS[:1])
    with pytest.raises(StoreNewer, match="actions"):
        other(store_url, key_path, clock)
    monkeypatch.setattr(shop._rooms.learning, "_kept", shop._rooms.learning._kept[:1])
    for act in (lambda: shop.consent("crowd-1", withdraw=["learn"]), shop.verify):
        with pytest.raises(StoreNewer, match="actions"):
            act()
    assert shop.people.consents("crowd-1").purposes["learn"].allowed


def test_the_row_of_the_recommender_stays(shop: Engine, monkeypatch: pytest.MonkeyPatch):
    """Decisions need what only the recommender's own server does: another in its row is refused at once."""
    monkeypatch.setattr(registry, "KINDS", (Kind(AdditiveRecommender()),))
    with pytest.raises(TypeError, match="stays as it is"):
        SumsKeeper(shop._rooms.store, shop._rooms.vault, shop._rooms.ledger, shop._rooms.clock)
