"""`engine.server`: what a server tells about itself."""

import json
from dataclasses import asdict


def test_health_is_the_store_and_the_version_of_the_sum(engine):
    """A new shop has no version; each training gives one."""
    assert (engine.server.health().status, engine.server.health().model_version) == ("ok", 0)
    version = engine.train().version
    assert engine.server.health().model_version == version > 0


def test_facts_count_what_the_shop_holds(shop):
    """Goods, people and the model as they stand; before the first training there is no model."""
    facts = shop.server.facts()
    assert (facts.dialect, facts.items, facts.people, facts.unlisted_items, facts.erasures_open) == (
        "sqlite",
        12,
        9,
        0,
        0,
    )
    assert facts.schema["current"] == facts.schema["wanted"]
    assert facts.model.people == 9
    assert facts.model.digest == shop.train().digest


def test_a_shop_that_has_learned_nothing_has_no_model(engine):
    """None, and no zeros that look like one."""
    assert engine.server.facts().model is None


def test_metrics_count_acts_and_events_and_name_nobody(shop):
    """What this process did and what the store holds, with no name of a person among it."""
    shop.export("ana")
    metrics = shop.server.metrics()
    assert metrics.acts["train"] == metrics.acts["export"] == 1
    assert metrics.stored["people"] == 9
    assert metrics.events["stored"] > 9
    assert "ana" not in json.dumps(asdict(metrics))


def test_a_warm_server_answers_as_a_cold_one(shop):
    """Loading beforehand changes no answer."""
    cold = [each.item for each in shop.decide("ana").items]
    shop.server.warm()
    assert [each.item for each in shop.decide("ana").items] == cold
