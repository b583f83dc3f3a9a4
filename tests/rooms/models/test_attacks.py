"""What an attacker learns from the lists and shares that leave the server, beside what they would learn inside.

Every attack is first shown to work on the exact model, which stays on the server. What it finds from outside is
measured, held under a bound, and told in docs/attacks.md; `pytest -s` prints the figures. None of the bounds is a
promise of privacy: an exact list is no release. Each attack has to beat chance too: one that finds nothing because it
is broken would keep every bound.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from assent.models.recommender import Recommender
from tests.rooms.models import attacks
from tests.rooms.models.attacks import INNER, Shop, shop

PAGE = (Path(__file__).parents[3] / "docs" / "attacks.md").read_text(encoding="utf-8")
SIZES = (200, 800, 3000)
#: The other shops that an attacker has learned from.
OTHERS = 3
VICTIMS = 20
LONG = 50

#: People, length of the lists -> at most so many percent (of pairs above chance, of a leaver's items).
COUNTS_MAX = {(200, 10): 8, (200, 50): 26, (800, 10): 5, (800, 50): 17, (3000, 10): 4, (3000, 50): 11}
LEAVERS_MAX = {(200, 10): 90, (200, 50): 99, (800, 10): 80, (800, 50): 99, (3000, 10): 65, (3000, 50): 93}
#: People -> at most so many percent of pairs above chance from shares.
SHARES_MAX = {200: 30, 800: 25, 3000: 15}
#: People -> at most such an area under the curve, in percent, from lists of 50, and with an account made to measure.
MEMBERS_MAX = {200: (92, 98), 800: (72, 84), 3000: (60, 66)}


@functools.cache
def studied(people: int) -> list[Shop]:
    """Return the shop that is attacked, and others of its kind."""
    return [shop(people, seed) for seed in range(1, 2 + OTHERS)]


def victims(of: Shop) -> list[int]:
    """Choose people who will leave; never the attacker."""
    return (1 + np.random.default_rng(7).choice(len(of.people) - 1, VICTIMS, replace=False)).tolist()


def tell(what: str, *figures: object) -> None:
    """Print a figure for docs/attacks.md."""
    print(f"{what}:", *(f"{each:.3f}" if isinstance(each, float) else each for each in figures))


def test_exact_weights_are_the_whole_sum():
    """From inside, the attack works: exact weights give back every cell of the sum, to the last of its 2^-20."""
    for people in SIZES:
        attacked = studied(people)[0]
        weights = attacks.weights_of(Recommender.of_sum(attacked.total.copy(), **INNER))
        assert np.array_equal(attacks.sum_from(weights), attacks.cells(attacked.total))


def test_rounded_weights_are_not_the_whole_sum():
    """The same attack on weights of three digits finds next to no cell that is not zero: it needs what is exact."""
    attacked = studied(200)[0]
    weights = attacks.weights_of(Recommender.of_sum(attacked.total.copy(), **INNER))
    digits = 10.0 ** (np.floor(np.log10(np.abs(weights) + 1e-300)) - 2)
    whole = attacks.cells(attacked.total)
    found = attacks.sum_from(np.rint(weights / digits) * digits)
    assert (found == whole)[whole > 0].mean() < 0.01


@pytest.mark.parametrize(("people", "length"), sorted(COUNTS_MAX))
def test_lists_tell_some_of_how_many_people_hold_a_pair(people, length):
    """The number of people with a pair is guessed from lists a little more often than from popularity alone."""
    shops = studied(people)
    chance = attacks.guessed_right(shops, None)
    found = attacks.guessed_right(shops, [attacks.seen_in_lists(each, length) for each in shops])
    tell("pairs counted from lists", people, length, chance, found, found - chance)
    assert 0 < found - chance <= COUNTS_MAX[people, length] / 100


@pytest.mark.parametrize("people", SIZES)
def test_shares_tell_more(people):
    """One account with one item, asking on every page, learns from shares how strongly pairs are tied; and counts."""
    shops = studied(people)
    chance = attacks.guessed_right(shops, None)
    found = attacks.guessed_right(shops, [attacks.seen_in_shares(each, 1) for each in shops])
    ties = attacks.ties_from_shares(shops[0], 1)
    inner = Recommender.of_sum(shops[0].total.copy(), **INNER)
    truth = attacks.weights_of(inner)
    known = np.isfinite(ties) & (truth > 0) & (truth.T > 0)
    order = float(scipy.stats.spearmanr(ties[known], np.sqrt(truth * truth.T)[known]).statistic)
    tell("pairs counted from shares", people, chance, found, found - chance, "order of ties", order)
    assert order > 0.85
    assert SHARES_MAX[people] / 300 < found - chance <= SHARES_MAX[people] / 100


def test_exact_weights_name_a_leavers_items():
    """From inside, the attack works: the difference of two exact sums is the leaver's items and nothing else."""
    attacked = studied(800)[0]
    whole = attacks.cells(attacked.total)
    for victim in victims(attacked)[:5]:
        rest = attacks.without(attacked.total, attacked.people[victim])
        found = attacks.sum_from(attacks.weights_of(Recommender.of_sum(rest, **INNER)))
        named = np.flatnonzero(np.diagonal(whole - found))
        assert np.array_equal(named, attacked.people[victim].items)


@pytest.mark.parametrize("people", SIZES)
def test_lists_before_and_after_name_many_of_a_leavers_items(people):
    """All lists right before and right after one person leaves tell much of the person's items."""
    attacked = studied(people)[0]
    before = attacks.lists_shown(Recommender.of_sum(attacked.total.copy()), LONG)
    popular = np.argsort(-attacked.counts, kind="stable")
    found, chance = {10: [], LONG: []}, []
    for victim in victims(attacked):
        held = attacked.people[victim].items
        after = attacks.lists_shown(Recommender.of_sum(attacks.without(attacked.total, attacked.people[victim])), LONG)
        chance.append(np.isin(popular[: len(held)], held).mean())
        for length, right in found.items():
            lists = before[:, :length], after[:, :length]
            named = attacks.items_of_leaver(*lists, attacked.counts, len(held))
            right.append(np.isin(named, held).mean())
    for length, right in found.items():
        tell("a leaver's items", people, length, float(np.mean(chance)), float(np.mean(right)))
        assert np.mean(chance) < np.mean(right) <= LEAVERS_MAX[people, length] / 100


def test_an_exact_sum_tells_who_is_in_it():
    """From inside, the attack works: nearly every stranger holds a pair that does not fit into a small shop's sum."""
    attacked = shop(200, 3, strangers=200)
    whole = attacks.sum_from(attacks.weights_of(Recommender.of_sum(attacked.total.copy(), **INNER)))
    members, strangers = (
        [attacks.could_be_in(whole, each) for each in several] for several in (attacked.people, attacked.strangers)
    )
    assert max(members) == min(members) == 0
    tell("who is in, from the exact sum", 200, attacks.area(members, strangers))
    assert attacks.area(members, strangers) > 0.92


@pytest.mark.parametrize("people", SIZES)
def test_lists_tell_somewhat_who_is_in(people):
    """Whoever knows all that somebody holds can tell from lists, better than by chance, whether they are in the sum."""
    attacked = shop(people, 3, strangers=200)
    model = Recommender.of_sum(attacked.total.copy())
    standing = attacks.places(attacks.lists_shown(model, LONG))
    several = (attacked.people[1:201], attacked.strangers)
    listed = [[attacks.seen_together(standing, LONG, each) for each in group] for group in several]
    left_out = [[attacks.found_when_left_out(model, each) for each in group] for group in several]
    areas = attacks.area(*listed), attacks.area(*left_out)
    tell("who is in", people, *areas)
    assert 0.5 < areas[0] <= MEMBERS_MAX[people][0] / 100
    assert areas[0] < areas[1] <= MEMBERS_MAX[people][1] / 100


def test_the_page_tells_the_bounds():
    """Each bound that is held here stands in docs/attacks.md, in the last column of its row."""
    rows = [re.findall(r"\d+", line.replace(",", "")) for line in PAGE.splitlines() if line.startswith("| ")]
    told = [tuple(map(int, row)) for row in rows if row]
    for bounds in (COUNTS_MAX, LEAVERS_MAX):
        assert all(any(row[:2] == key and row[-1] == bound for row in told) for key, bound in bounds.items())
    assert all(any(row[0] == key and row[-1] == bound for row in told) for key, bound in SHARES_MAX.items())
    assert all(any(row[0] == key and row[-2:] == bounds for row in told) for key, bounds in MEMBERS_MAX.items())
