"""The made shop of the demo."""

from collections import Counter
from datetime import datetime

from assent.cli.views.answers import outcome
from assent.demo.goods import all_goods
from assent.demo.people import ANSWERS, TRADE_DAYS, all_shoppers, events_of
from assent.terms.clock import DAY_MS
from assent.terms.refusals import DROPS

NOW_MS = 1_767_603_600_000
SEED = 5


def test_500_goods_have_names_and_ids_of_their_own():
    """There are 500 goods in ten departments, and no two share an id or a name."""
    goods = all_goods()
    assert len(goods) == len({good.id for good in goods}) == len({good.name for good in goods}) == 500
    assert Counter(good.department for good in goods).most_common(1)[0][1] == 50
    assert len({good.department for good in goods}) == 10
    assert all(4 < good.price < 80 for good in goods)


def test_the_same_seed_makes_the_same_people_and_events():
    """The show is repeatable: people and events follow from the seed alone."""
    goods = all_goods()
    first, second = (all_shoppers(goods, 50, SEED) for _ in range(2))
    assert first == second
    assert list(events_of(first[7], goods, NOW_MS, SEED)) == list(events_of(second[7], goods, NOW_MS, SEED))
    assert first != all_shoppers(goods, 50, SEED + 1)


def test_people_answer_in_the_stated_shares():
    """About 60 % say yes to both, 15 % to personalize only, 10 % to learn only, 15 % to nothing or are never asked."""
    assert abs(sum(answer.share for answer in ANSWERS) - 1) < 1e-9
    result = Counter(shopper.answer.name for shopper in all_shoppers(all_goods(), 2_000, SEED))
    assert 1_100 < result["both"] + result["gpc"] < 1_320
    assert 240 < result["personalize"] < 360
    assert 150 < result["learn"] < 250
    assert 220 < result["neither"] + result["unasked"] < 350
    assert result["gpc"] > 20


def test_events_carry_consent_as_a_banner_would_send_it():
    """Each event carries its person's answer; somebody who was never asked sends none."""
    goods = all_goods()
    for shopper in all_shoppers(goods, 200, SEED):
        for event in events_of(shopper, goods, NOW_MS, SEED):
            consent = event["context"].get("consent")
            if shopper.answer.preferences is None:
                assert consent is None
            else:
                assert consent == {"categoryPreferences": shopper.answer.preferences}


def test_events_lie_in_the_past_in_order_and_are_named_once():
    """Events are past, at most `TRADE_DAYS` old, in order of time, and no message id comes twice."""
    goods = all_goods()
    seen = set()
    for shopper in all_shoppers(goods, 200, SEED):
        events = list(events_of(shopper, goods, NOW_MS, SEED))
        times = [datetime.fromisoformat(event["timestamp"]).timestamp() * 1000 for event in events]
        assert all(NOW_MS - (TRADE_DAYS + 1) * DAY_MS < at_ms < NOW_MS for at_ms in times)
        seen.update(event["messageId"] for event in events)
        assert len(events) > 0
    assert len(seen) == sum(len(list(events_of(s, goods, NOW_MS, SEED))) for s in all_shoppers(goods, 200, SEED))


def test_people_buy_along_their_tastes():
    """Nine in ten acts of a person stay within the themes they like: recommendations have something to find."""
    goods = all_goods()
    theme = {good.id: good.theme for good in goods}
    near = far = 0
    for shopper in all_shoppers(goods, 200, SEED):
        for event in events_of(shopper, goods, NOW_MS, SEED):
            if "product_id" in event["properties"]:
                liked = theme[event["properties"]["product_id"]] in shopper.tastes
                near, far = near + liked, far + (not liked)
    assert near / (near + far) > 0.8


def test_every_reason_for_refusing_an_event_reads_as_words():
    """No reason is shown with the underscores of its stable name."""
    assert all("_" not in outcome(reason) for reason in DROPS)
