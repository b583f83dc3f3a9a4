import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.models.recommender import Recommender, contribution, matrix
from assent.sums import UNIT, influences
from assent.terms.errors import InvalidInput, TooLarge

GOOD = np.array([[1, 0, 1], [0, 1, 1]])


def csr(rows, dtype=np.float64):
    return scipy.sparse.csr_matrix(np.array(rows, dtype))


@pytest.mark.parametrize(
    "wrong",
    [
        GOOD,
        [[1, 0]],
        None,
        "matrix",
        scipy.sparse.csr_matrix((3, 0)),
        csr(GOOD, np.complex128),
        scipy.sparse.coo_array(np.array([1, 0, 1])),
        csr([[1, -1, 0]]),
        csr([[1, np.nan, 0]]),
        csr([[1, np.inf, 0]]),
        csr([[1, 0.5, 0]]),
        csr([[1, 64, 0]]),
        csr([[1, 1e300, 0]]),
        csr([[0, 0, 0]]),
        scipy.sparse.csr_matrix((0, 3)),
        scipy.sparse.coo_matrix(([40, 40], ([0, 0], [1, 1])), shape=(1, 3)),
    ],
    ids=[
        "dense",
        "list",
        "nothing",
        "text",
        "no columns",
        "complex",
        "one dimension",
        "negative",
        "nan",
        "infinite",
        "fraction",
        "huge",
        "gigantic",
        "all zero",
        "no rows",
        "huge duplicates",
    ],
)
def test_what_cannot_be_learned_is_refused_with_advice(wrong):
    """Each kind of wrong matrix is named before anything is computed."""
    with pytest.raises(InvalidInput) as caught:
        Recommender().fit(wrong)
    assert caught.value.advice


@pytest.mark.parametrize("place", ["indices", "indptr", "row", "col"])
@pytest.mark.parametrize("wrong", [7, -1])
def test_a_matrix_with_indices_outside_its_shape_is_refused(place, wrong):
    """SciPy looks at no index that was set by hand, and would write past its arrays; such a one is refused."""
    for format_ in ("csr", "csc") if place.startswith("ind") else ("coo",):
        damaged = csr(GOOD).asformat(format_, copy=True)
        if format_ == "coo":
            damaged.coords = tuple(each.copy() for each in damaged.coords)
        getattr(damaged, place)[-1] = wrong
        for act in (Recommender().fit, Recommender().fit(csr(GOOD)).score):
            with pytest.raises(InvalidInput, match="damaged") as caught:
                act(damaged)
            assert caught.value.advice


@pytest.mark.parametrize("columns", ["x", 4.5, None, 2, [9]])
def test_only_a_whole_number_of_items_can_be_grown_to(columns):
    """Anything else, and fewer items, is refused in words, and the model is as it was."""
    model = Recommender().fit(csr(GOOD))
    with pytest.raises(InvalidInput, match="cannot become"):
        model.solved.grow(columns)
    assert model.solved.columns == 3


@pytest.mark.parametrize("columns", [2, 4])
def test_other_items_than_the_models_are_refused(columns):
    """A matrix over fewer or more items than the model's is not guessed at."""
    model = Recommender().fit(csr(GOOD))
    other = scipy.sparse.csr_matrix(np.ones((1, columns)))
    for act in (model.learn, model.forget, model.score, model.recommend):
        with pytest.raises(InvalidInput, match="grow"):
            act(other)


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "dok", "bsr"])
@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint16, np.int64, np.float32, np.float64])
def test_every_form_and_number_type_is_read_alike(form, dtype):
    """The same people in any sparse form or number type give the same sum, and are left as they were."""
    given_matrix = csr(GOOD, dtype).asformat(form)
    before = given_matrix.toarray()
    assert Recommender().fit(given_matrix).digest() == Recommender().fit(csr(GOOD)).digest()
    assert np.array_equal(given_matrix.toarray(), before)
    array = scipy.sparse.csr_array(GOOD)
    assert Recommender().fit(array).digest() == Recommender().fit(csr(GOOD)).digest()


def test_duplicates_are_added_and_zeros_and_empty_rows_are_nothing():
    """Entries given twice add up, stored zeros do not count, people without items are not people."""
    doubled = scipy.sparse.coo_matrix(([1, 1, 2], ([0, 0, 0], [1, 1, 0])), shape=(1, 3))
    assert Recommender().fit(doubled).digest() == Recommender().fit(csr([[2, 2, 0]])).digest()
    zeros = csr(GOOD)
    zeros.data[0] = 0
    wanted = Recommender().fit(csr([[0, 0, 1], [0, 1, 1]]))
    assert Recommender().fit(zeros).digest() == wanted.digest()
    padded = Recommender().fit(csr([[0, 0, 0], [0, 0, 1], [0, 0, 0], [0, 1, 1]]))
    assert padded.digest() == wanted.digest()
    padded.learn(csr([[0, 0, 0]])).forget(csr([[0, 0, 0]]))
    assert padded.digest() == wanted.digest()


@pytest.mark.parametrize("act", ["fit", "learn", "score", "recommend"])
def test_the_callers_matrix_is_left_as_it_is(act):
    """The clean matrix is a copy: stored zeros, duplicates and order stay in the caller's arrays."""
    model = Recommender().fit(csr(GOOD))
    mine = scipy.sparse.csr_matrix(([1.0, 0.0, 1.0, 1.0], [2, 1, 0, 0], [0, 4]), shape=(1, 3))
    before = [array.copy() for array in (mine.data, mine.indices, mine.indptr)]
    getattr(model, act)(mine)
    for array, copied in zip((mine.data, mine.indices, mine.indptr), before, strict=True):
        np.testing.assert_array_equal(array, copied)


@settings(deadline=None)
@given(st.lists(st.integers(0, 63), min_size=1, max_size=12).filter(any))
def test_everybody_weighs_the_same_alone_and_in_company(values):
    """A person's contribution does not depend on who stands in the same matrix."""
    alone = csr([values])
    company = scipy.sparse.vstack([csr([[1] * len(values)]), alone, csr([[0] * len(values)])], format="csr")
    made = contribution(alone.indices, alone.data)
    fitted = Recommender().fit(company)
    fitted.solved.remove(contribution(np.arange(len(values))))
    fitted.solved.remove(made)
    assert fitted.solved.people == 0


def test_only_the_proportions_of_values_count():
    """Doubling everything a person holds leaves their weight in the sum as it was, to a step."""
    once, twice = (contribution(np.arange(3), np.array(values)) for values in ([1, 2, 3], [2, 4, 6]))
    assert once.weight * 3 * 3 == pytest.approx(twice.weight * 6 * 6, rel=1e-3)


def test_too_long_an_influence_is_halved_until_it_fits():
    """A person with thousands of items of large values keeps one unit of influence at most, in whole numbers."""
    many = scipy.sparse.csr_matrix(np.full((1, 3000), 63.0))
    weighed, weights = matrix.weigh(many, 1.0)
    values = weighed.data.astype(np.float64)
    assert values.max() < 63
    assert influences((values**2).sum(), (values**4).sum()) * weights[0] <= UNIT
    mixed = scipy.sparse.csr_matrix(np.append(np.full(3000, 63.0), [1.0, 2.0, 3.0])[None])
    halved = matrix.weigh(mixed, 1.0)[0].data
    assert halved[-3:].tolist() == [1, 1, 1], "nothing that somebody holds is halved to nothing"
    few = scipy.sparse.csr_matrix(np.full((1, 30), 63.0))
    assert matrix.weigh(few, 1.0)[0].data.max() == 63


def test_a_row_of_a_million_items_is_no_person():
    """Somebody with more items than the least weight allows is refused."""
    crawler = scipy.sparse.csr_matrix(np.ones((1, 1_500_000)))
    with pytest.raises(TooLarge):
        matrix.weigh(crawler, 1.0)
