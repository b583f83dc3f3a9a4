import numpy as np
import pytest
import scipy.sparse

from assent.models.recommender import Recommender, RecommenderSettings, memory, solver
from assent.terms.errors import NotEnoughMemory


def test_a_model_that_does_not_fit_is_refused_with_figures():
    """The refusal says what is needed, what is free and how many items fit, and comes before any allocation."""
    with pytest.raises(NotEnoughMemory, match=r"176\.0 GB in float64; 2\.0 GB are free") as caught:
        memory.check_dense_fits(141_421, "float64", 2_000_000_000)
    assert "15075 items" in caught.value.advice
    assert "float32 takes half" in caught.value.advice
    with pytest.raises(NotEnoughMemory) as caught:
        memory.check_dense_fits(1_000_000, "float32", 2_000_000_000)
    assert "float32" not in caught.value.advice
    assert 'form="sparse"' in caught.value.advice
    memory.check_dense_fits(20_000, "float32", 2_000_000_000)


def test_what_neighbours_are_read_from_counts_before_it_is_made(monkeypatch):
    """A sum without empty pairs is read from an array as large as the inverse: what does not fit twice is refused."""
    people = scipy.sparse.csr_matrix(np.ones((3, 300)))
    once = int(300 * 300 * 4 * 1.1)
    assert Recommender(form="dense", memory_bytes=once, neighbour_share=0.0).fit(people).solved.people == 3
    assert Recommender(form="dense", memory_bytes=2 * once).fit(people).solved.people == 3
    assert Recommender(memory_bytes=2 * once).fit(people).solved._form.kind == "dense"
    monkeypatch.setattr("assent.models.recommender.dense.form.invert_in_place", None)
    model = Recommender(form="dense", memory_bytes=2 * once - 50_000)
    with pytest.raises(NotEnoughMemory) as caught:
        model.fit(people)
    assert "neighbour_share=0 spares" in caught.value.advice
    # Left to itself it takes another form, if there is room for that.
    total = Recommender(form="sparse").fit(people).solved.sum
    beside = memory.float_copy_bytes(total, RecommenderSettings())
    assert solver.is_sparse(300, RecommenderSettings(), 2 * once - 50_000, beside)
    assert memory.float_copy_bytes(total, RecommenderSettings(neighbour_share=0.0)) == 0
    assert not solver.is_sparse(300, RecommenderSettings(), 2 * once - 50_000)
    monkeypatch.setattr(solver, "solve_sparse", lambda *_: "sparse")
    assert solver.solve(total, RecommenderSettings(), 2 * once - 50_000) == "sparse"


def test_an_inverse_that_does_not_fit_is_refused_before_the_sum_is_made(monkeypatch):
    """Asked for by name, the dense form is refused by its number of items alone; what would fit goes on."""
    people = scipy.sparse.csr_matrix(np.ones((3, 300)))
    monkeypatch.setattr("assent.sums.PairSum.from_matrix", None)
    for act in (lambda model: model.fit(people), lambda model: model.tune(people)):
        with pytest.raises(NotEnoughMemory, match="dense model over 300 items") as caught:
            act(Recommender(form="dense", memory_bytes=memory.dense_bytes(300, "float32") - 1))
        assert 'form="sparse"' in caught.value.advice
    settings = RecommenderSettings(form="dense")
    solver.check_before_the_sum(people, settings, memory.dense_bytes(300, "float32"))


def test_a_model_from_a_file_counts_before_it_reads_neighbours(tmp_path, monkeypatch):
    """Its inverse is mapped; what reads the sum is refused with the first answer, before it is made, and made later."""
    people = scipy.sparse.csr_matrix(np.ones((3, 300)))
    fitted = Recommender(form="dense").fit(people)
    fitted.save(tmp_path / "model")
    model, items = Recommender.load(tmp_path / "model"), np.array([1, 2])
    with monkeypatch.context() as patch:
        patch.setattr("assent.models.recommender.memory.available_bytes", lambda: 300_000)
        patch.setattr("assent.sums.PairSum.float_copy", None)
        with pytest.raises(NotEnoughMemory, match=r"neighbours of 300 items takes 0\.4 MB in float32") as caught:
            model.solved.score_one(items)
        assert 'form="sparse"' in caught.value.advice
        assert "neighbour_share=0" in caught.value.advice
    np.testing.assert_allclose(model.solved.score_one(items), fitted.solved.score_one(items), rtol=1e-4)
    # One that was solved within a figure of its user's is held to that figure.
    monkeypatch.setattr("assent.models.recommender.memory.available_bytes", lambda: 0)
    assert Recommender(form="dense", memory_bytes=1 << 30).fit(people).solved.score_one(items).any()


def test_growing_counts_what_neighbours_are_read_from():
    """Before the first answer nothing of it is held yet, so it has to fit beside the larger inverse."""
    people = scipy.sparse.csr_matrix(np.ones((3, 300)))
    model = Recommender(form="dense", memory_bytes=1 << 30).fit(people)
    model.solved._memory_bytes = memory.dense_bytes(301, "float32") + 300_000
    with pytest.raises(NotEnoughMemory, match="301 items"):
        model.solved.grow(301)
    assert model.solved.columns == 300
    model.solved.score_one(np.array([1]))
    model.solved.grow(301)
    assert model.solved.columns == 301
    alone = Recommender(form="dense", memory_bytes=memory.dense_bytes(301, "float32"), neighbour_share=0.0)
    alone.fit(people).solved.grow(301)
    assert alone.solved.columns == 301


def test_sizes_are_told_in_figures_that_say_something():
    """Small machines and small models are told in megabytes, never as nothing."""
    told = [memory.size_of(count) for count in (400_000, 99_000_000, 999_000_000, 1_000_000_000, 6_724_000_000)]
    assert told == ["0.4 MB", "99 MB", "999 MB", "1.0 GB", "6.7 GB"]


def test_what_is_free_here_is_some_of_what_there_is():
    """The figure of this machine is positive and not absurd; a small model fits."""
    assert 1 << 20 < memory.available_bytes() < 1 << 50
    memory.check_dense_fits(10, "float64", None)


def test_the_lesser_of_system_and_container_counts(tmp_path):
    """The available memory is the kernel's number, or less in a container; without either, all memory."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 10 kB\nMemAvailable: 4000 kB\n")
    assert memory.available_bytes(tmp_path) == 4000 * 1024
    group = tmp_path / "sys" / "fs" / "cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("max\n")
    assert memory.available_bytes(tmp_path) == 4000 * 1024
    (group / "memory.max").write_text("5000000\n")
    (group / "memory.current").write_text("4000000\n")
    assert memory.available_bytes(tmp_path) == 1_000_000
    # Pages of files are let go of when memory is short; a container without figures of them has none.
    (group / "memory.stat").write_text("anon 3500000\nactive_file 200000\ninactive_file 300000\nfile_mapped 400000\n")
    assert memory.available_bytes(tmp_path) == 1_500_000
    (group / "memory.stat").unlink()
    (group / "memory.current").write_text("6000000\n")
    assert memory.available_bytes(tmp_path) == 0
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 10 kB\n")
    (group / "memory.max").unlink()
    assert memory.available_bytes(tmp_path) > 1 << 20
    (tmp_path / "proc" / "meminfo").unlink()
    assert memory.available_bytes(tmp_path) > 1 << 20
