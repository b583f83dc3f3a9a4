import tempfile
from pathlib import Path

import numpy as np
import scipy.sparse
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from assent.models.recommender import Recommender
from assent.sums import PairSum

SETTINGS = {"ridge": 1.0, "popularity_exponent": 0.25, "dtype": "float64"}


class TwoProcesses(RuleBasedStateMachine):
    """A model that people join and leave, a second one that follows its rows, and the ledger of who is inside."""

    people = Bundle("people")

    @initialize(
        columns=st.integers(2, 6),
        first=st.lists(st.integers(1, 4), min_size=2, max_size=2),
        discount=st.sampled_from([0.0, 0.15]),
        share=st.sampled_from([0.0, 0.5]),
    )
    def begin(self, columns, first, discount, share):
        self.settings = {**SETTINGS, "popularity_discount": discount, "neighbour_share": share}
        self.columns = columns
        self.inside = {0: {0: first[0], 1: first[1]}}
        self.outside = {}
        self.names = 1
        self.model = Recommender(**self.settings).fit(self.matrix([0]))
        self.follower = Recommender.of_sum(self.model.solved.sum.copy(), **self.settings)

    def matrix(self, names):
        rows = [self.inside.get(name) or self.outside[name] for name in names]
        entries = [(place, item, value) for place, row in enumerate(rows) for item, value in row.items()]
        places, items, values = zip(*entries, strict=True) if entries else ((), (), ())
        return scipy.sparse.csr_matrix((values, (places, items)), shape=(len(names), self.columns))

    def fresh_sum(self):
        if not self.inside:
            return PairSum(self.columns)
        return Recommender(**self.settings).fit(self.matrix(list(self.inside))).solved.sum

    @rule(target=people, row=st.dictionaries(st.integers(0, 5), st.integers(1, 4), min_size=1, max_size=4))
    def arrive(self, row):
        name = self.names
        self.names += 1
        self.inside[name] = {item % self.columns: value for item, value in row.items()}
        self.model.learn(self.matrix([name]))
        return name

    @rule(target=people, rows=st.lists(st.sets(st.integers(0, 5), min_size=1, max_size=3), min_size=2, max_size=4))
    def arrive_together(self, rows):
        names = list(range(self.names, self.names + len(rows)))
        self.names += len(rows)
        for name, row in zip(names, rows, strict=True):
            self.inside[name] = {item % self.columns: 1 for item in row}
        self.model.learn(self.matrix(names))
        return multiple(*names)

    @rule(name=people)
    def leave(self, name):
        if name in self.inside:
            self.model.forget(self.matrix([name]))
            self.outside[name] = self.inside.pop(name)

    @rule(name=people)
    def come_back(self, name):
        if name in self.outside:
            self.model.learn(self.matrix([name]))
            self.inside[name] = self.outside.pop(name)

    @rule(name=people, row=st.dictionaries(st.integers(0, 5), st.integers(1, 4), min_size=1, max_size=4))
    def change(self, name, row):
        if name in self.inside:
            self.model.forget(self.matrix([name]))
            self.inside[name] = {item % self.columns: value for item, value in row.items()}
            self.model.learn(self.matrix([name]))

    @precondition(lambda self: self.columns < 9)
    @rule(more=st.integers(1, 2))
    def grow(self, more):
        self.columns += more
        self.model.solved.grow(self.columns)

    @rule()
    def follow(self):
        total = self.model.solved.sum
        self.follower.solved.grow(self.columns)
        changed = {
            item: total.row_bytes(item)
            for item in range(self.columns)
            if total.row_bytes(item) != self.follower.solved.sum.row_bytes(item)
        }
        self.follower.solved.replace_rows(changed, total.counts, total.people)
        assert self.follower.digest() == self.model.digest()
        probe = scipy.sparse.identity(self.columns, format="csr")
        np.testing.assert_allclose(self.follower.score(probe), self.model.score(probe), atol=1e-10)

    @rule()
    def save_and_load(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            self.model.save(path)
            self.model = Recommender.load(path)

    @rule()
    def solve(self):
        self.model.solved.solve()

    @rule(seed=st.integers(0, 99))
    def merge_shards(self, seed):
        names = list(self.inside)
        np.random.default_rng(seed).shuffle(names)
        total = PairSum(self.columns)
        for start in range(0, len(names), 2):
            total.merge(Recommender(**self.settings).fit(self.matrix(names[start : start + 2])).solved.sum)
        assert total.digest() == self.model.digest()

    @invariant()
    def the_digest_is_that_of_a_fresh_sum(self):
        assert self.model.digest() == self.fresh_sum().digest()

    @invariant()
    def the_answers_are_those_of_a_fresh_solve(self):
        fresh = Recommender.of_sum(self.fresh_sum(), **self.settings)
        probe = scipy.sparse.identity(self.columns, format="csr")
        np.testing.assert_allclose(self.model.score(probe), fresh.score(probe), atol=1e-10)
        assert self.model.solved.repairs == 0


TwoProcesses.TestCase.settings = settings(deadline=None, max_examples=40, stateful_step_count=25)
TestTwoProcesses = TwoProcesses.TestCase
