import hashlib
import json

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.models.recommender import Recommender, SolvedModel
from assent.models.recommender import files as files_module
from assent.terms.errors import Corrupt, NotFound, StoreUnavailable

PEOPLE = scipy.sparse.csr_matrix(np.random.default_rng(3).integers(0, 2, (30, 12)))


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "shop.model"
    Recommender(ridge=3.0, weight_exponent=0.5, popularity_discount=0.1).fit(PEOPLE).save(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("altered")


def resealed(body):
    """A file whose digest fits whatever stands in it."""
    return body + hashlib.sha256(body).digest()


def described(stored, change):
    """The file with another description of itself, of the same length, and a digest that fits."""
    start = files_module._HEADER.size
    length = files_module._HEADER.unpack(stored[:start])[2]
    told = json.loads(stored[start : start + length])
    change(told)
    text = json.dumps(told, sort_keys=True).encode().ljust(length)
    assert len(text) == length
    return resealed(stored[:start] + text + stored[start + length : -32])


def test_settings_sum_and_answers_come_back(stored, folder):
    """A loaded model has the settings, the digest and the answers of the one that was saved."""
    path = folder / "same.model"
    path.write_bytes(stored)
    again = Recommender.load(str(path))
    model = Recommender(ridge=3.0, weight_exponent=0.5, popularity_discount=0.1).fit(PEOPLE)
    assert again.settings == model.settings
    assert again.digest() == model.digest()
    np.testing.assert_array_equal(again.score(PEOPLE), model.score(PEOPLE))


def test_changes_of_a_loaded_model_stay_out_of_the_file(stored, folder):
    """The file is mapped for reading: learning in one process does not alter it for another."""
    path = folder / "mapped.model"
    path.write_bytes(stored)
    again = Recommender.load(path)
    again.forget(PEOPLE[:9])
    again.score(PEOPLE)
    assert path.read_bytes() == stored
    again.save(path)
    assert Recommender.load(path).digest() == again.digest()
    assert [each.name for each in folder.glob(".*")] == []


def test_an_empty_catalog_survives(folder):
    """A model of nobody over a few items is saved and loaded as well."""
    model = Recommender().fit(PEOPLE).forget(PEOPLE)
    model.save(folder / "nobody.model")
    assert Recommender.load(folder / "nobody.model").digest() == model.digest()


@settings(deadline=None, max_examples=150)
@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed(stored, folder, place, bit):
    """Whichever bit of the file flips, it is refused."""
    altered = bytearray(stored)
    altered[place % len(stored)] ^= 1 << bit
    path = folder / "flipped.model"
    path.write_bytes(altered)
    with pytest.raises(Corrupt):
        Recommender.load(path)


@settings(deadline=None, max_examples=50)
@given(length=st.integers(0, 10**6))
def test_any_truncation_is_noticed(stored, folder, length):
    """However much of the file is missing, it is refused."""
    path = folder / "cut.model"
    path.write_bytes(stored[: length % len(stored)])
    with pytest.raises(Corrupt):
        Recommender.load(path)


def test_a_file_that_is_something_else_is_refused(stored, folder):
    """Other files, other versions, and longer files are refused, each with its own words."""
    path = folder / "other.model"
    for content, words in (
        (b"x" * 500, "not a model file"),
        (resealed(stored[:14] + b"\x02\x00" + stored[16:-32]), "version 2"),
        (stored + b"\x00", "truncated or altered"),
        (b"", "empty"),
    ):
        path.write_bytes(content)
        with pytest.raises(Corrupt, match=words):
            Recommender.load(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.pop("people"),
        lambda told: told["settings"].update(ridge=0.0),
        lambda told: told.update(kind="dance"),
        lambda told: told["settings"].update(rigde=told["settings"].pop("ridge")),
        lambda told: told["arrays"].pop("counts"),
        lambda told: told["arrays"]["counts"].update(shape=[5]),
        lambda told: told["arrays"]["counts"].update(shape="12"),
        lambda told: told["arrays"]["counts"].update(dtype="<q8"),
        lambda told: told["arrays"]["values"].update(at=0),
        lambda told: told["arrays"]["inverse"].update(shape=[6, 6]),
        lambda told: told["settings"].update(dtype="float64", ridge=3),
    ],
)
def test_a_sealed_file_that_makes_no_sense_is_refused(stored, folder, change):
    """Even with a digest that fits, a description that does not fit the arrays is refused."""
    path = folder / "nonsense.model"
    path.write_bytes(described(stored, change))
    with pytest.raises(Corrupt, match="not one that this program wrote"):
        Recommender.load(path)


def test_a_sealed_file_without_a_description_is_refused(stored, folder):
    """A description that is no JSON object is refused like any other damage."""
    start = files_module._HEADER.size
    path = folder / "speechless.model"
    for text in (b"{" * 8, b"[1]     "):
        path.write_bytes(resealed(stored[:start] + text + stored[start + 8 : -32]))
        with pytest.raises(Corrupt):
            Recommender.load(path)


def test_places_that_cannot_be_read_or_written_are_named(folder):
    """A missing file, a folder in its place, and a folder that is not there each give advice."""
    model = Recommender().fit(PEOPLE)
    with pytest.raises(NotFound):
        Recommender.load(folder / "missing.model")
    with pytest.raises(StoreUnavailable):
        Recommender.load(folder)
    with pytest.raises(StoreUnavailable):
        model.save(folder / "no" / "such" / "place.model")


def test_a_failed_write_leaves_the_old_file(folder, monkeypatch):
    """When writing breaks off, the file that was there is untouched and no half of a new one stays."""
    path = folder / "kept.model"
    model = Recommender().fit(PEOPLE)
    model.save(path)
    before = path.read_bytes()
    model.forget(PEOPLE[:3])

    def full(_handle):
        raise OSError(28, "no space")

    monkeypatch.setattr(files_module.os, "fsync", full)
    with pytest.raises(StoreUnavailable):
        model.save(path)
    assert path.read_bytes() == before
    assert list(folder.glob(".kept*")) == []


def test_a_written_file_is_known_to_the_folder(folder, monkeypatch):
    """Once the new file stands in the old one's place, the folder is put on the disk too: a crash finds either."""
    path = folder / "synced.model"
    seen = []
    monkeypatch.setattr(files_module, "sync_folder", lambda where: seen.append((where, path.read_bytes())))
    Recommender().fit(PEOPLE).save(path)
    assert seen == [(folder, path.read_bytes())]


@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_a_frozen_model_is_written_to_by_nobody(form):
    """The snapshot answers as before, for all that the model learns and forgets after it was frozen."""
    model = Recommender(ridge=3.0, form=form).fit(PEOPLE)
    snapshot, digest, scores = model.solved.freeze(), model.digest(), model.score(PEOPLE)
    assert not any(array.flags.writeable for array in snapshot.arrays.values())
    for row in range(5):
        model.forget(PEOPLE[row])
        model.score(PEOPLE)
    again = Recommender._of(SolvedModel.of_snapshot(snapshot))
    assert again.digest() == digest
    np.testing.assert_allclose(again.score(PEOPLE), scores, rtol=0, atol=1e-6)
    again.forget(PEOPLE[:5])
    np.testing.assert_allclose(again.score(PEOPLE), model.score(PEOPLE), rtol=0, atol=1e-5)
