"""Attacks on the recommender, on made-up shops: from lists that anybody sees, and from weights that stay inside.

The attacker knows the program, its settings, how many people hold each item, and other shops of the same kind. From
the inside they would have the exact weights; from the outside they have lists, their order, and shares in steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
import scipy.stats
from numpy.typing import NDArray

from assent.decide.step7_reasons import SHARE_STEP_PERCENT
from assent.models.recommender import Recommender, contribution
from assent.models.recommender.matrix import contributions
from assent.models.recommender.recency import FRESHEST
from assent.models.recommender.settings import DEFAULT
from assent.sums import UNIT, Contribution, PairSum

ITEMS = 150
TASTES = 8

#: The plain formula in double precision, for attacks from the inside that undo it to the last whole number.
INNER = {
    "ridge": 200.0,
    "popularity_exponent": 0.0,
    "popularity_discount": 0.0,
    "neighbour_share": 0.0,
    "dtype": "float64",
}

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Shop:
    """Everybody's contributions, their sum, how many people hold each pair, and strangers who shop alike."""

    people: list[Contribution]
    strangers: list[Contribution]
    total: PairSum
    together: NDArray[np.int64]

    @property
    def counts(self) -> NDArray[np.int64]:
        """The number of people with each item."""
        return self.total.counts


def shop(people: int, seed: int, strangers: int = 0) -> Shop:
    """Make a shop: some items are popular, everybody has one taste and two to forty items, the newest count most.

    The last item is held by one person alone, together with the first: by the attacker, who so knows one cell.
    """
    chance = np.random.default_rng(seed)
    popularity = (1.0 / np.arange(1, ITEMS) ** 0.8)[chance.permutation(ITEMS - 1)]
    taste_of_item = chance.integers(0, TASTES, ITEMS - 1)
    number = people - 1 + strangers
    taste_of_person = chance.integers(0, TASTES, number)
    liking = popularity * np.where(taste_of_item == taste_of_person[:, None], 12.0, 1.0)
    # The largest of logarithms with Gumbel noise are a draw without replacement.
    order = np.argsort(-(np.log(liking) + chance.gumbel(size=liking.shape)), axis=1)
    drawn = np.arange(ITEMS - 1) < np.clip(chance.lognormal(1.9, 0.6, number), 2, 40).astype(int)[:, None]
    holds = np.zeros((number + 1, ITEMS), np.int64)
    holds[1 + np.nonzero(drawn)[0], order[drawn]] = chance.integers(1, FRESHEST + 1, int(drawn.sum()))
    holds[0, planted().items] = planted().values
    everybody = contributions(scipy.sparse.csr_matrix(holds, dtype=np.float64), DEFAULT.weight_exponent)
    inside = (holds[:people] > 0).astype(np.int64)
    return Shop(everybody[:people], everybody[people:], PairSum.of(everybody[:people], ITEMS), inside.T @ inside)


def planted() -> Contribution:
    """Return what the attacker's own account adds."""
    return contribution(np.array([0, ITEMS - 1]), np.array([FRESHEST, FRESHEST]))


def without(total: PairSum, leaver: Contribution) -> PairSum:
    """Return the sum once somebody left."""
    rest = total.copy()
    rest.remove(leaver)
    return rest


# -- what leaves the server ------------------------------------------------------------------------------------------


def lists_shown(model: Recommender, length: int) -> NDArray[np.int64]:
    """Return the list beside each item, int64 [items, length], -1 from where it is filled up with what is popular."""
    shown = np.full((model.solved.columns, length), -1)
    for item in range(model.solved.columns):
        scores = model.solved.score_one(np.array([item], np.int32), np.array([FRESHEST], np.int32))
        scores[item] = 0.0
        best = np.argsort(-scores, kind="stable")[:length]
        best = best[scores[best] > 0]
        shown[item, : len(best)] = best
    return shown


def shares_shown(model: Recommender, mine: int) -> Numbers:
    """Return what an account that holds `mine` reads on every page: the page's share of every other item, in steps.

    float64 [pages, items]; NaN where nothing is said.
    """
    told = np.full((model.solved.columns, model.solved.columns), np.nan)
    targets = np.arange(model.solved.columns)
    steps = 100 // SHARE_STEP_PERCENT
    for page in range(model.solved.columns):
        if page != mine:
            parts = np.maximum(model.solved.parts(np.array([mine, page]), np.full(2, float(FRESHEST)), targets), 0.0)
            said = parts.sum(axis=0) > 0
            said[[mine, page]] = False
            told[page, said] = np.rint(parts[1, said] / parts[:, said].sum(axis=0) * steps) / steps
    return told


def places(lists: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return at which place each item stands in each list, int64 [items, items]; the length where it does not."""
    count, length = lists.shape
    standing = np.full((count, count), length)
    rows, spots = np.nonzero(lists >= 0)
    standing[rows, lists[rows, spots]] = spots
    return standing


# -- from the inside -------------------------------------------------------------------------------------------------


def weights_of(model: Recommender) -> Numbers:
    """Return the exact weights `B`: the scores of everybody who holds one item."""
    weights: Numbers = model.score(scipy.sparse.identity(model.solved.columns, format="csr")).astype(np.float64)
    return weights


def sum_from(weights: Numbers) -> NDArray[np.int64]:
    """Undo the solve of an `INNER` model: return every cell of its sum, int64 [items, items] in 2^-20.

    `I - B` is `Q diag(1 / diag Q)`; its inverse is `diag(Q) (G + R)`, whose rows are off by a factor each. `G` is
    symmetric, so two cells across the diagonal give the ratio of two factors; the attacker's own cell gives the rest.
    """
    skewed = np.linalg.inv(np.eye(len(weights)) - weights)
    strength = np.abs(skewed * skewed.T)
    np.fill_diagonal(strength, 0.0)
    factors = np.full(len(weights), np.nan)
    factors[0] = 1.0
    while True:
        known = ~np.isnan(factors)
        reach = np.where(known[:, None] & ~known, strength, 0.0)
        here, there = np.unravel_index(reach.argmax(), reach.shape)
        if reach[here, there] < 1e-18:
            break
        factors[there] = factors[here] * skewed[there, here] / skewed[here, there]
    level = skewed / factors[:, None]
    mine = planted()
    own = mine.weight * int(mine.values[0]) * int(mine.values[1])
    level *= own / level[0, ITEMS - 1]
    level[np.diag_indices(len(level))] -= INNER["ridge"] * UNIT
    # An item that nobody holds is tied to no other: its cells are zero.
    return np.rint(np.nan_to_num(level)).astype(np.int64)


def cells(total: PairSum) -> NDArray[np.int64]:
    """Return every cell of a sum, int64 [items, items] in 2^-20."""
    return np.array([total.column(item) for item in range(total.columns)])


# -- how many people hold a pair: guessed with the help of other shops -----------------------------------------------


def expected_together(of: Shop) -> NDArray[np.int64]:
    """Return what popularity alone says of each pair, in half octaves: what anybody could guess."""
    together = np.outer(of.counts, of.counts) / len(of.people)
    return np.digitize(together, 2.0 ** np.arange(-6, 8, 0.5))


def seen_in_lists(of: Shop, length: int) -> NDArray[np.int64]:
    """Return what two lists say of each pair: the places of both items in each other's list, coarsely."""
    edges = [edge for edge in (1, 2, 4, 7, 10, 15, 20, 30, 40, 50) if edge <= length]
    standing = np.digitize(places(lists_shown(Recommender.of_sum(of.total.copy()), length)), edges)
    return np.maximum(standing, standing.T) * 100 + np.minimum(standing, standing.T)


def seen_in_shares(of: Shop, accounts: int) -> NDArray[np.int64]:
    """Return what shares say of each pair, in quarter octaves: the weight that they give away up to one factor."""
    weights = ties_from_shares(of, accounts)
    told = np.digitize(np.nan_to_num(weights / np.nanmedian(weights)), 2.0 ** np.arange(-6, 6, 0.25))
    return np.where(np.isnan(weights), -1, told)


def ties_from_shares(of: Shop, accounts: int) -> Numbers:
    """Estimate how strongly each pair is tied (`-Q`, up to one factor), float64 [items, items], NaN where unknown.

    An account that holds `a` reads on the page of `b` how `B_bj` compares with `B_aj`, for every `j`. `Q` is
    symmetric, so the ratios read both ways give `Q_aj` up to a factor (least squares over logarithms), and with it
    every `Q_bj`.
    """
    model = Recommender.of_sum(of.total.copy())
    found = []
    for mine in np.argsort(-of.counts)[:accounts]:
        shares = shares_shown(model, int(mine))
        shares[(shares == 0) | (shares == 1)] = np.nan
        ratios = np.log(shares / (1.0 - shares))
        steps = ratios.T - ratios
        known = np.isfinite(steps)
        laplacian = np.diag(known.sum(axis=1).astype(float)) - known
        own = np.linalg.lstsq(laplacian, -np.where(known, steps, 0.0).sum(axis=1), rcond=None)[0]
        tie = ratios + own
        tie = (tie + tie.T) / 2.0
        found.append(tie - np.nanmedian(tie))
    stacked = np.stack(found)
    seen = np.isfinite(stacked).sum(axis=0)
    return np.where(seen > 0, np.exp(np.nansum(stacked, axis=0) / np.maximum(seen, 1)), np.nan)


def guessed_right(shops: Sequence[Shop], seen: Sequence[NDArray[np.int64]] | None) -> float:
    """Return for how many pairs of the first shop the attacker names the number of people, having learned on the rest.

    They take the number that is most frequent, in the other shops, among pairs of the same popularity that look the
    same from outside (`seen`); where none looks so, or nothing is seen, of the same popularity.
    """
    upper = np.triu_indices(ITEMS, 1)
    popular = [expected_together(each)[upper].tolist() for each in shops]
    counted = [each.together[upper].tolist() for each in shops]
    looks = popular if seen is None else [each[upper].tolist() for each in seen]
    by_popularity: dict[int, Counter[int]] = {}
    by_both: dict[tuple[int, int], Counter[int]] = {}
    for row in range(1, len(shops)):
        for level, look, count in zip(popular[row], looks[row], counted[row], strict=True):
            by_popularity.setdefault(level, Counter())[count] += 1
            by_both.setdefault((level, look), Counter())[count] += 1
    nothing = Counter({0: 1})
    guesses = [
        (by_both.get((level, look)) or by_popularity.get(level, nothing)).most_common(1)[0][0]
        for level, look in zip(popular[0], looks[0], strict=True)
    ]
    return float(np.mean(np.array(guesses) == np.array(counted[0])))


# -- who left, who is in ---------------------------------------------------------------------------------------------


def items_of_leaver(
    before: NDArray[np.int64], after: NDArray[np.int64], counts: NDArray[np.int64], held: int
) -> NDArray[np.intp]:
    """Name the `held` items of somebody who left between two sights of all lists: those that fell furthest.

    Where two of a person's items stood together, each falls in the other's list. Past those that fell, the attacker
    names what is popular.
    """
    fallen = np.maximum(places(after) - places(before), 0)
    return np.lexsort((-counts, -(fallen.sum(axis=0) + fallen.sum(axis=1))))[:held]


def seen_together(standing: NDArray[np.int64], length: int, person: Contribution) -> float:
    """Return how high a person's items stand in each other's lists, on average: higher for somebody in the sum."""
    own = standing[np.ix_(person.items, person.items)]
    shown = 1.0 / (1.0 + own) * (own < length)
    np.fill_diagonal(shown, 0.0)
    return float(shown.sum() / (len(person.items) * (len(person.items) - 1)))


def found_when_left_out(model: Recommender, person: Contribution) -> float:
    """Return how well a list made of all but one of a person's items finds that one, on average of logarithms.

    The attacker makes an account of what they believe the person holds, and asks for a long list.
    """
    order = []
    for place, item in enumerate(person.items.tolist()):
        rest = np.arange(len(person.items)) != place
        scores = model.solved.score_one(person.items[rest], person.values[rest])
        above = scores > scores[item]
        above[person.items[rest]] = False
        order.append(np.log1p(above.sum()))
    return -float(np.mean(order))


def could_be_in(whole: NDArray[np.int64], person: Contribution) -> float:
    """Return how far a person's part is from fitting into a sum: 0 where it fits, as for everybody who is in it."""
    values = person.values.astype(np.int64)
    spare = whole[np.ix_(person.items, person.items)] - person.weight * np.outer(values, values)
    return float(min(spare.min(), 0))


def area(members: Sequence[float], strangers: Sequence[float]) -> float:
    """Return how often a member scores above a stranger (the area under the ROC curve; ties count half)."""
    return float(scipy.stats.mannwhitneyu(members, strangers).statistic / (len(members) * len(strangers)))
