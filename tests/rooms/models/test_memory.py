import numpy as np
import pytest
import scipy.sparse

from assent.models.recommender import Recommender, Settings, memory, solving
from assent.terms.errors import NotEnoughMemory


def test_a_model_that_does_not_fit_is_refused_with_figures():
    """The refusal says what is needed, what is free and how many items fit, and comes before any allocation."""
    with pytest.raises(NotEnoughMemory, match=r"176\.0 GB in float64; 2\.0 GB are free") as caught:
        memory.refuse_if_too_large(141_421, "float64", 2_000_000_000)
    assert "15075 items" in caught.value.advice
    assert "float32 takes half" in caught.value.advice
    with pytest.raises(NotEnoughMemory) as caught:
        memory.refuse_if_too_large(1_000_000, "float32", 2_000_000_000)
    assert "float32" not in caught.value.advice
    assert 'form="sparse"' in caught.value.advice
    memory.refuse_if_too_large(20_000, "float32", 2_000_000_000)


def test_what_neighbours_are_read_from_counts_before_it_is_made(monkeypatch):
    """A sum without empty pairs is read from an array as large as the inverse: what does not fit twice is refused."""
    people = scipy.sparse.csr_matrix(np.ones((3, 300)))
    once = int(300 * 300 * 4 * 1.1)
    assert Recommender(form="dense", memory_bytes=once, neighbour_share=0.0).fit(people).people == 3
    assert Recommender(form="dense", memory_bytes=2 * once).fit(people).people == 3
    assert Recommender(memory_bytes=2 * once).fit(people)._form.kind == "dense"
    monkeypatch.setattr("assent.models.recommender.dense.invert_in_place", None)
    model = Recommender(form="dense", memory_bytes=2 * once - 50_000)
    with pytest.raises(NotEnoughMemory) as caught:
        model.fit(people)
    assert "neighbour_share=0 spares" in caught.value.advice
    # Left to itself it takes another form, if there is room for that.
    total = Recommender(form="sparse").fit(people).sum
    assert solving.is_sparse(300, Settings(), 2 * once - 50_000, total)
    assert not solving.is_sparse(300, Settings(neighbour_share=0.0), 2 * once - 50_000, total)


def test_what_is_free_here_is_some_of_what_there_is():
    """The figure of this machine is positive and not absurd; a small model fits."""
    assert 1 << 20 < memory.available_bytes() < 1 << 50
    memory.refuse_if_too_large(10, "float64", None)


def test_the_lesser_of_system_and_container_counts(tmp_path):
    """What is available is what the kernel says, or less where a container ends; without either, what there is."""
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
    (group / "memory.current").write_text("6000000\n")
    assert memory.available_bytes(tmp_path) == 0
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 10 kB\n")
    (group / "memory.max").unlink()
    assert memory.available_bytes(tmp_path) > 1 << 20
    (tmp_path / "proc" / "meminfo").unlink()
    assert memory.available_bytes(tmp_path) > 1 << 20
