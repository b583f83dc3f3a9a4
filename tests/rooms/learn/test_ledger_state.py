"""Whatever a shop goes through, its sum is the sum over those who are in it, and its model is the model of that sum.

A machine drives a real engine on a real store: people come, act, change their minds by banner and by call, leave, are
erased and come back; the shop grows, trains, is killed in the middle of an act and opened again. Beside it stands a
model of a few lines, which knows who is in the sum and with which acts; the sum that ought to be is added up from it
alone, in dense whole numbers.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from assent.engine import Engine
from assent.learn import MODEL
from assent.models.recommender import SolvedModel, contribution, fresh_values
from assent.store.topics import sums
from assent.sums import PairSum
from assent.terms.clock import DAY_MS, to_text
from assent.terms.errors import NotFound
from assent.terms.settings import Settings
from assent.testing import FixedClock
from tests.rooms.learn import crash

NAMES = [f"person-{number}" for number in range(6)]
#: Many goods, most of them seldom touched: so a change is few rows, and other processes follow it as a difference.
GOODS_FIRST, GOODS_MAX = 24, 30
BANNERS = {"yes": {"personalize": True, "learn": True}, "no": {"personalize": True, "learn": False}, "silent": None}

#: A process that is started to die costs as much as ten other steps.
KILLS_MAX = 2
#: How often each act is killed besides, once at each of so many places along its way.
KILLS = 7

names = st.sampled_from(NAMES)
looks = st.lists(st.one_of(st.integers(0, 5), st.integers(0, GOODS_MAX - 1)), min_size=1, max_size=4)
#: How many places each act can be cut short at, about; past the last of them it comes back.
PLACES = {"take_in": 8, "consent": 32, "train": 36, "erase": 78}

#: What the machine did in all its runs, so that a machine that tried too little is noticed.
HAPPENED: Counter[str] = Counter()


@dataclass
class Member:
    """What the model knows about one name: what they said, what of theirs may be learned from, what is in the sum."""

    known: bool = False
    erased: bool = False
    #: unsaid, granted, banner (taken back by a banner) or call (taken back by a call).
    learn: str = "unsaid"
    acts: list[tuple[int, int]] = field(default_factory=list)
    inside: list[tuple[int, int]] = field(default_factory=list)

    def leave(self, how: str) -> None:
        """Take back the leave to learn."""
        self.learn, self.acts, self.inside = how, [], []

    def send(self, acts: Sequence[tuple[int, int]], banner: str) -> None:
        """Do what events under a banner mean."""
        if self.erased or (banner == "silent" and not self.known):
            return
        self.known = True
        if banner == "yes" and self.learn in {"unsaid", "banner"}:
            self.learn = "granted"
        if banner == "no" and self.learn == "granted":
            self.leave("banner")
        if self.learn == "granted":
            self.acts += acts


def added_up(people: Sequence[Member], columns: int) -> PairSum:
    """Add up who is in the sum from the model alone: dense, in whole numbers, nobody ever subtracted."""
    whole = np.zeros((columns, columns), np.int64)
    counts = np.zeros(columns, np.int64)
    inside = [member for member in people if member.inside]
    for member in inside:
        newest = {item: max(day for other, day in member.inside if other == item) for item, _ in member.inside}
        held = contribution(np.array(list(newest)), fresh_values(np.array(list(newest.values()))))
        row = np.zeros(columns, np.int64)
        row[held.items] = held.values
        whole += held.weight * np.outer(row, row)
        counts += row > 0
    upper = scipy.sparse.csr_matrix(np.triu(whole))
    arrays = (upper.indptr.astype(np.int64), upper.indices.astype(np.int32), upper.data)
    return PairSum.from_arrays(arrays, counts, len(inside))


@pytest.fixture(autouse=True, scope="module")
def template(sqlite_template: Path) -> None:
    """Let every machine start from a copy of one migrated file."""
    Shop.template = sqlite_template


class Shop(RuleBasedStateMachine):
    """One shop, driven through its engine, beside the model of it."""

    template: Path

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "shop.db"
        shutil.copy(self.template, self.path)
        self.clock = FixedClock()
        self.people = {name: Member() for name in NAMES}
        self.goods, self.columns, self.sent, self.kills = 0, 0, 0, 0
        self.sendings: dict[str, list[dict[str, Any]]] = {}
        self.second: Engine | None = None
        self.engine = self.opened()
        self.list_goods(GOODS_FIRST)
        for place, name in enumerate(NAMES[:4]):
            self.act(name, [place, place + 1, 2 * place], "yes", 0)
        self.train(rebuild=False)
        self.follow()

    def teardown(self) -> None:
        self.close()
        self.folder.cleanup()

    def opened(self) -> Engine:
        """Open the store as one process does."""
        return Engine.open(str(self.path), keys=self.path.with_suffix(".key"), clock=self.clock, settings=Settings())

    def close(self) -> None:
        for engine in (self.engine, self.second):
            if engine is not None:
                engine.close()
        self.second = None

    def list_goods(self, count: int) -> None:
        self.engine.put_items(
            [{"id": f"item-{number}", "name": f"Item {number}"} for number in range(self.goods, count)]
        )
        self.goods = count

    # -- what people do ------------------------------------------------------------------------------------------

    def events(self, name: str, items: Sequence[int], banner: str, days_ago: int) -> list[dict[str, Any]]:
        """Make events, each with a message id of its own, and the acts they tell of."""
        said = BANNERS[banner]
        at_ms = self.clock.now_ms() - days_ago * DAY_MS
        self.sent += len(items)
        return [
            {
                "type": "track",
                "event": "Product Viewed",
                "userId": name,
                "messageId": f"m-{self.sent}-{place}",
                "timestamp": to_text(at_ms),
                "properties": {"product_id": f"item-{item % self.goods}"},
                "context": {} if said is None else {"consent": {"categoryPreferences": said}},
            }
            for place, item in enumerate(items)
        ]

    def acts(self, items: Sequence[int], days_ago: int) -> list[tuple[int, int]]:
        """Return what the same events mean to the model: items and days."""
        day = (self.clock.now_ms() - days_ago * DAY_MS) // DAY_MS
        return [(item % self.goods, day) for item in items]

    @rule(name=names, items=looks, banner=st.sampled_from(["yes", "yes", "silent", "no"]), days=st.integers(0, 4))
    def act(self, name: str, items: Sequence[int], banner: str, days: int) -> None:
        """Somebody acts, today, under a banner."""
        self.clock.move(days=days, seconds=1)
        sent = self.events(name, items, banner, 0)
        self.engine.take_in(sent)
        self.people[name].send(self.acts(items, 0), banner)
        self.sendings[name] = sent
        HAPPENED[f"banner {banner}"] += 1

    @rule(name=names, items=looks, days=st.integers(1, 200))
    def tell_late(self, name: str, items: Sequence[int], days: int) -> None:
        """Events of long ago arrive: taken in for whoever says yes, nothing for whoever does not or is erased."""
        self.clock.move(seconds=1)
        member = self.people[name]
        banner = "yes" if member.learn == "call" or member.erased else "silent"
        self.engine.take_in(self.events(name, items, banner, days))
        member.send(self.acts(items, days), banner)
        HAPPENED["late"] += 1

    @rule(name=names)
    def tell_again(self, name: str) -> None:
        """The last batch is delivered again: it changes nothing, above all once the person has left."""
        member = self.people[name]
        if name in self.sendings and (member.erased or member.learn == "call" or member.acts):
            self.engine.take_in(self.sendings[name])

    @rule(name=names, items=looks, erased=st.booleans())
    def insist(self, name: str, items: Sequence[int], erased: bool) -> None:
        """Somebody leaves, and their browser goes on as if nothing were: nothing of it is learned."""
        if not self.people[name].known:
            return
        if erased:
            self.erase(name=name)
        else:
            self.withdraw(name=name, purposes=["learn"])
        self.act(name=name, items=items, banner="yes", days=0)
        self.tell_again(name=name)
        self.train(rebuild=False)
        self.check(self.engine)

    @rule(name=names)
    def say_yes(self, name: str) -> None:
        """Consent by a call, perhaps anew; it lifts a suppression."""
        self.clock.move(seconds=1)
        member = self.people[name]
        HAPPENED["came back"] += member.erased or member.learn in {"banner", "call"}
        self.engine.consent(name, grant=["personalize", "learn"])
        member.known, member.erased, member.learn = True, False, "granted"
        # What was sent before is not wanted again: a delivery anew would be news to whoever was stripped of it.
        self.sendings.pop(name, None)

    @rule(name=names, purposes=st.sampled_from([["learn"], ["learn", "personalize"], ["personalize"]]))
    def withdraw(self, name: str, purposes: list[str]) -> None:
        """Withdraw by a call."""
        self.clock.move(seconds=1)
        member = self.people[name]
        if not member.known:
            with pytest.raises(NotFound):
                self.engine.consent(name, withdraw=purposes)
            return
        self.engine.consent(name, withdraw=purposes)
        if "learn" in purposes:
            member.leave("call")

    @rule(name=names)
    def erase(self, name: str) -> None:
        """Erase somebody; nobody unknown can be erased."""
        self.clock.move(seconds=1)
        if not self.people[name].known:
            if not self.people[name].erased:
                with pytest.raises(NotFound):
                    self.engine.erase(name)
            return
        certificate = self.engine.erase(name)
        assert self.engine.people.verify_certificate(asdict(certificate)).holds
        self.people[name] = Member(erased=True)

    # -- what the shop does --------------------------------------------------------------------------------------

    @precondition(lambda self: self.goods < GOODS_MAX)
    @rule(more=st.integers(1, 2))
    def grow(self, more: int) -> None:
        """More goods, which become columns with the next training."""
        self.list_goods(min(self.goods + more, GOODS_MAX))

    def trained(self) -> None:
        """Note what a training takes in."""
        self.columns = self.goods
        for member in self.people.values():
            member.inside = list(member.acts) if member.learn == "granted" else []

    @rule(rebuild=st.booleans())
    def train(self, rebuild: bool) -> None:
        """Train by differences, or add everybody up anew."""
        report = self.engine.train(rebuild=rebuild)
        self.trained()
        assert report.people == sum(1 for member in self.people.values() if member.inside)

    @rule(chance=st.randoms(use_true_random=False), shards=st.integers(1, 4))
    def shard_and_merge(self, chance: Any, shards: int) -> None:
        """The sealed ledger of contributions, dealt to any shards and merged in any order, is the stored sum."""
        with self.engine._rooms.store.read() as session:
            held = self.engine._rooms.learning._contributions(session, self.engine._rooms.learning._kept[0])
        assert len(held) == sum(1 for member in self.people.values() if member.inside)
        chance.shuffle(held)
        parts = [PairSum.of(held[start::shards], self.columns) for start in range(shards)]
        chance.shuffle(parts)
        total = PairSum(self.columns)
        for part in parts:
            total.merge(part)
        assert total.digest() == self.expected().digest()
        HAPPENED["shards"] += len(held) >= shards > 1

    @rule()
    def follow(self) -> None:
        """A second process on the same store answers from the same sum, whenever it last looked."""
        if self.second is None:
            self.second = self.opened()
        self.check(self.second)
        HAPPENED["followed"] += 1

    @rule()
    def restart(self) -> None:
        """Close in order and open again."""
        self.close()
        self.engine = self.opened()

    # -- what happens to the shop --------------------------------------------------------------------------------

    def cut_short(self, act: str, arguments: dict[str, Any], point: int) -> bool:
        """Let a process of its own do an act and perhaps die; open again; tell whether the act came back."""
        self.clock.move(seconds=1)
        self.close()
        where = (str(self.path), str(self.path.with_suffix(".key")), self.clock.now_ms())
        survived = crash.survives(*where, act, arguments, point)
        if not survived and act == "erase" and not crash.survives(*where, crash.OPEN, {}, point // 2):
            HAPPENED["killed while resuming"] += 1
        HAPPENED["killed"] += not survived
        self.engine = self.opened()
        return survived

    @precondition(lambda self: self.kills < KILLS_MAX)
    @rule(act=st.sampled_from([*PLACES]), name=names, items=looks, part=st.floats(0, 1), rebuild=st.booleans())
    def die(self, act: str, name: str, items: Sequence[int], part: float, rebuild: bool) -> None:
        """Killed in the middle of an act: it was done whole or not at all, and what was begun to be erased is."""
        self.kills += 1
        point = round(part * PLACES[act])
        if act == "take_in":
            self.die_taking_in(name, items, point)
        elif act == "train":
            self.die_training(rebuild, point)
        elif self.people[name].known:
            (self.die_erasing if act == "erase" else self.die_withdrawing)(name, point)

    def die_taking_in(self, name: str, items: Sequence[int], point: int) -> None:
        """A batch is there whole or not at all."""
        before = self.stored(name)
        sent = self.events(name, items, "yes", 0)
        acts = self.acts(items, 0)
        survived = self.cut_short("take_in", {"events": sent}, point)
        after = self.stored(name)
        assert after in {before, before + len(items)}
        refused = self.people[name].erased or self.people[name].learn == "call"
        assert after > before or refused or not survived
        if after > before:
            self.people[name].send(acts, "yes")
        self.sendings.pop(name, None)

    def die_withdrawing(self, name: str, point: int) -> None:
        """Consent and contribution go together or stay together."""
        before = len(self.engine.people.consents(name).entries)
        survived = self.cut_short("consent", {"person": name, "withdraw": ["learn"]}, point)
        written = len(self.engine.people.consents(name).entries) - before
        assert written == 1 or (written == 0 and not survived)
        if written:
            self.people[name].leave("call")

    def die_erasing(self, name: str, point: int) -> None:
        """Killed, perhaps once more while that is finished: gone, or untouched."""
        survived = self.cut_short("erase", {"person": name}, point)
        assert self.engine.server.facts().erasures_open == 0
        try:
            self.engine.export(name)
        except NotFound:
            self.people[name] = Member(erased=True)
        assert self.people[name].erased or not survived

    def die_training(self, rebuild: bool, point: int) -> None:
        """The sum is the old one or the new one."""
        before = self.engine.server.health().model_version
        survived = self.cut_short("train", {"rebuild": rebuild}, point)
        after = self.engine.server.health().model_version
        assert after == before + 1 or (after == before and not survived)
        if after > before:
            self.trained()

    def stored(self, name: str) -> int:
        """Return how many events are kept of somebody."""
        try:
            return len(self.engine.export(name).events)
        except NotFound:
            return 0

    # -- what always holds ---------------------------------------------------------------------------------------

    def expected(self) -> PairSum:
        """Return the sum over those who are in it now."""
        return added_up(list(self.people.values()), self.columns)

    def check(self, engine: Engine) -> None:
        """Hold a process's stored digest and served weights against a fresh sum and a fresh solve."""
        expected = self.expected()
        with engine._rooms.store.read() as session:
            head = sums.head(session, MODEL)
            if head is None:
                assert self.columns == 0
                return
            assert head.digest == expected.digest()
            model = engine._rooms.learning.model(session)
        # Newcomers may follow a moment later, in a model that is made beside the answers.
        if engine._rooms.learning.recommender._loading is not None:
            engine._rooms.learning.recommender._loading.result()
            with engine._rooms.store.read() as session:
                model = engine._rooms.learning.model(session)
        assert model is not None
        assert model.digest() == expected.digest()
        # Reasons and single answers come from what is pending, too; scoring many would fold it first.
        fresh, items = SolvedModel.of_sum(expected), np.arange(self.columns)
        np.testing.assert_allclose(model.parts(items, None, items), fresh.parts(items, None, items), rtol=0, atol=1e-6)
        np.testing.assert_allclose(model.score_one(items[:4]), fresh.score_one(items[:4]), rtol=0, atol=1e-6)
        assert model.repairs == 0

    @invariant()
    def the_sum_is_the_sum_over_who_is_in_it(self) -> None:
        for engine in (self.engine, self.second):
            if engine is not None:
                self.check(engine)

    @rule()
    def verify(self) -> None:
        """The house's own proof holds: log, digests, the sum added up anew."""
        found = self.engine.verify(rebuild=True)
        assert found.holds, found


MACHINE = settings(
    deadline=None,
    max_examples=10,
    stateful_step_count=30,
    derandomize=True,
    # A step takes tens of milliseconds: a failure is told as it was found, not after minutes of making it smaller.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def test_the_sum_is_always_the_sum_over_who_is_in_it() -> None:
    """In every run and after every step: stored digest and served weights are those of a fresh sum and solve."""
    HAPPENED.clear()
    run_state_machine_as_test(Shop, settings=MACHINE)
    assert HAPPENED["followed"], HAPPENED
    assert HAPPENED["banner yes"], HAPPENED


@pytest.mark.parametrize("act", sorted(PLACES))
def test_killed_on_the_way_nothing_is_half_done(act: str) -> None:
    """An act that is killed at places spread over its whole way was done whole or not at all, again and again."""
    HAPPENED.clear()
    shop = Shop()
    shop.begin()
    try:
        for round_number in range(KILLS):
            name = NAMES[round_number % 3]
            shop.die(act=act, name=name, items=[0, 3], part=(round_number + 0.5) / KILLS, rebuild=round_number % 2 > 0)
            shop.check(shop.engine)
            shop.say_yes(name=name)
            shop.act(name=name, items=[1, 2, round_number % 4], banner="yes", days=1)
            shop.train(rebuild=False)
            shop.check(shop.engine)
        shop.shard_and_merge(chance=random.Random(1), shards=3)
        shop.verify()
    finally:
        shop.teardown()
    assert HAPPENED["shards"], HAPPENED
    assert HAPPENED["killed"] >= KILLS - 2, HAPPENED
    assert act != "erase" or HAPPENED["killed while resuming"], HAPPENED
