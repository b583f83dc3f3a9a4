"""Solved models are files that processes share; whoever left is in none of them, and no file is trusted unseen."""

from __future__ import annotations

import fcntl
import json
import shutil
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assent.decide import Question
from assent.engine import Engine
from assent.learn import candidates, model_files, publisher
from assent.learn.model_files import ModelFolder, folder_of
from assent.models.recommender import Recommender, SolvedModel, contribution, files
from assent.store.topics import sums
from assent.sums import PairSum
from assent.terms.errors import Loading, StoreUnavailable
from assent.terms.settings import Settings
from assent.testing import FixedClock
from assent.testing.shops import acts
from tests.insides import head, model_of, wait_for_files

ITEMS = 160
NAMES = [f"ware-{number}" for number in range(ITEMS)]


@pytest.fixture
def store_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Return the URL of a fresh SQLite store: files of models are the same for both databases."""
    shutil.copy(sqlite_template, tmp_path / "shop.db")
    return f"sqlite:///{tmp_path / 'shop.db'}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of models."""
    return tmp_path / "models"


@pytest.fixture
def reopened(store_url: str, key_path: Path, clock: FixedClock, folder: Path):
    """Return what opens the store as another process of the same machine would."""
    settings = Settings(models_folder=str(folder))
    return lambda: Engine.open(store_url, keys=key_path, clock=clock, settings=settings)


@pytest.fixture
def shop(reopened, clock: FixedClock) -> Iterator[Engine]:
    """Return an engine with so many goods that a few rows are a small change, a crowd, and a trained model."""
    with reopened() as engine:
        engine.put_items([{"id": name, "name": name, "price": 5.0} for name in NAMES])
        events = []
        for number in range(40):
            events += acts(f"crowd-{number}", [NAMES[number * step % ITEMS] for step in (1, 2, 3, 4)], clock)
        engine.take_in(events)
        engine.train()
        yield engine


def settled(engine: Engine) -> None:
    """Wait until the files are as they should be."""
    wait_for_files(engine)
    assert not engine._rooms.learning.recommender.publisher._due()


def versions(folder: Path) -> list[int]:
    """Return the versions of the files, and hold that there is nothing else but the lock."""
    names = sorted(each.name for each in folder.iterdir() if each.name != model_files.SOLVING)
    assert all(name.endswith(".model") for name in names), names
    return [int(name.split("-")[1].split(".")[0]) for name in names]


def assert_answers_as_solved_anew(engine: Engine) -> None:
    """Hold that sum and scores are those of a model that was solved just now."""
    model, now = model_of(engine), head(engine)
    assert model.digest() == now.digest
    fresh = SolvedModel.of_sum(model.sum.copy())
    for item in (1, 7, 30):
        np.testing.assert_allclose(model.score_one([item]), fresh.score_one([item]), atol=1e-5)


def solved_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, whoever solves fails."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("Something was solved.")

    monkeypatch.setattr(SolvedModel, "of_sum", refuse)


def test_where_the_files_are():
    """Beside an SQLite file, in the folder that is named, and nowhere for a server's database that names none."""
    assert folder_of(Path("a/shop.db"), "") == Path("a/shop.db.models")
    assert folder_of(Path("a/shop.db"), "b") == folder_of(None, "b") == Path("b")
    assert folder_of(None, "") is None
    nowhere = ModelFolder(None)
    assert nowhere.newest(0, 9) is None
    assert nowhere.retire(9) == 0
    with pytest.raises(StoreUnavailable):
        nowhere.refuse(1, "")


def test_a_training_leaves_one_file_that_its_owner_alone_can_read(shop: Engine, folder: Path, clock: FixedClock):
    """One file of the newest version, whoever may read the folder's folder."""
    assert versions(folder) == [head(shop).version] == [1]
    clock.move(days=1)
    shop.take_in(acts("newcomer", NAMES[:3], clock))
    folder.chmod(0o755)
    shop.train()
    assert versions(folder) == [head(shop).version] == [2]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}
    assert model_of(shop)._form.arrays()["inverse"].flags.writeable is False


def test_another_process_maps_the_file_and_solves_nothing(shop: Engine, reopened, monkeypatch: pytest.MonkeyPatch):
    """A process that starts answers from the published file."""
    expected = model_of(shop).score_one([1, 2])
    solved_nothing(monkeypatch)
    with reopened() as second:
        np.testing.assert_array_equal(model_of(second).score_one([1, 2]), expected)
        assert second._rooms.learning.recommender._state.arrays.in_file


def test_it_follows_from_an_older_file(
    shop: Engine, reopened, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, folder: Path
):
    """The file of the version before does as well: a few rows that changed since are taken in exactly."""
    clock.move(days=1)
    shop.take_in(acts("newcomer", NAMES[:3], clock))
    monkeypatch.setattr(ModelFolder, "publish", lambda *_: False)
    shop.train()
    assert versions(folder) == [1]
    with reopened() as second, monkeypatch.context() as patched:
        solved_nothing(patched)
        assert model_of(second).digest() == head(second).digest
        state = second._rooms.learning.recommender._state
        assert (state.version, state.arrays.version) == (2, 1)
    assert_answers_as_solved_anew(shop)


@pytest.mark.parametrize("leave", ["withdraw", "erase"])
def test_whoever_leaves_is_in_no_file_once_that_is_acknowledged(shop: Engine, reopened, folder: Path, leave: str):
    """Files with them are gone when the act returns; one without them takes their place, and both processes map it."""
    with reopened() as second:
        model_of(second)
        taken_away = []
        remove = shop._rooms.learning.recommender._folder.retire

        def look(left: int) -> int:
            taken_away.append((remove(left), list(folder.glob("recommender-000000000001*"))))
            return taken_away[-1][0]

        shop._rooms.learning.recommender._folder.retire = look
        if leave == "withdraw":
            shop.consent("crowd-3", withdraw=["learn"])
        else:
            certificate = shop.erase("crowd-3")
            assert "model_files_found_afterwards" in certificate.body["facts"]
        assert taken_away[0] == (1, [])
        del shop._rooms.learning.recommender._folder.retire
        for engine in (shop, second):
            assert_answers_as_solved_anew(engine)
            settled(engine)
            assert_answers_as_solved_anew(engine)
            arrays = engine._rooms.learning.recommender._state.arrays
            assert arrays.in_file
            assert arrays.version >= head(engine).last_left_version == head(engine).version
        assert versions(folder) == [head(shop).version]


def test_processes_on_a_database_server_share_a_named_folder(postgresql_server, tmp_path: Path, clock: FixedClock):
    """On PostgreSQL the folder that a setting names does the same, for the processes of one machine."""
    name = postgresql_server.take()
    store, settings = postgresql_server.named(name), Settings(models_folder=str(tmp_path / "models"))
    with Engine.open(store, keys=tmp_path / "shop.key", clock=clock, settings=settings) as engine:
        engine.put_items([{"id": name, "name": name, "price": 5.0} for name in NAMES])
        engine.take_in([*acts("ann", NAMES[:4], clock), *acts("bob", NAMES[2:5], clock)])
        engine.train()
        assert versions(tmp_path / "models") == [1]
        engine.erase("ann")
        settled(engine)
        assert versions(tmp_path / "models") == [2]
        assert_answers_as_solved_anew(engine)
    postgresql_server.give_back(name)


def test_somebody_who_leaves_while_a_file_is_written_is_not_in_it(
    shop: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """The half of a file is taken away under its writer's hands, and never gets a name."""
    written = files.write

    def interrupted(file, snapshot):
        written(file, snapshot)
        monkeypatch.setattr(files, "write", written)
        shop.erase("crowd-5")
        assert [each.name for each in folder.iterdir()] == [model_files.SOLVING]

    monkeypatch.setattr(files, "write", interrupted)
    shop.train(rebuild=True)
    assert_answers_as_solved_anew(shop)
    shop._rooms.learning.recommender.publisher.publish_later()
    settled(shop)
    assert versions(folder) == [head(shop).version]


def test_a_model_that_is_too_old_is_never_published(tmp_path: Path):
    """Somebody left since: neither when it begins nor when it is done does a file get a name."""
    shelf = ModelFolder(tmp_path / "models")
    snapshot = SolvedModel.of_sum(PairSum.of([contribution([0, 1])], 3)).freeze()
    assert not shelf.publish(snapshot, 4, lambda: 5)
    told = iter([4, 5])
    assert not shelf.publish(snapshot, 4, lambda: next(told))
    assert list(shelf.path.iterdir()) == []
    assert shelf.publish(snapshot, 5, lambda: 5)
    assert versions(shelf.path) == [5]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def of_another_program(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[14] = 9
    path.write_bytes(content)


def of_other_settings(path: Path) -> None:
    SolvedModel.of_sum(files.load(path).total.copy(), ridge=7.0).save(path)


def of_another_sum(path: Path) -> None:
    total = PairSum.of([contribution([1, 2])], ITEMS)
    SolvedModel.of_sum(total).save(path)


@pytest.mark.parametrize("damage", [cut, flip, of_another_program, of_other_settings, of_another_sum])
def test_a_file_that_cannot_be_trusted_is_removed_and_made_anew(shop: Engine, reopened, folder: Path, caplog, damage):
    """Truncated, altered, of another version, settings or sum: refused, said in the log, and solved from the sum."""
    (path,) = folder.glob("*.model")
    expected = model_of(shop).score_one([1, 2])
    shop.close()
    damage(path)
    with reopened() as second:
        np.testing.assert_allclose(model_of(second).score_one([1, 2]), expected, atol=1e-5)
        assert "The model file of version 1 was removed" in caplog.text
        settled(second)
        assert_answers_as_solved_anew(second)
    assert files.load(path).total.digest() == Recommender.load(path).digest()


def test_what_a_crash_left_is_tidied_up_before_anything_is_answered(shop: Engine, reopened, folder: Path):
    """Files older than the last leaving, newer than a restored sum, or unfinished are gone once the store is open."""
    (path,) = folder.glob("*.model")
    content = path.read_bytes()
    shop.erase("crowd-3")
    settled(shop)
    (kept,) = folder.glob("*.model")
    unfinished = folder / "recommender-000000000002.model.17-0.part"
    for left in (path, folder / "recommender-000000000099.model", unfinished):
        left.write_bytes(content)
    with (folder / model_files.SOLVING).open() as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        reopened().close()
        assert {each for each in folder.iterdir() if each.suffix != ".lock"} == {kept, unfinished}
    reopened().close()
    assert versions(folder) == [head(shop).version]


def test_an_erasure_is_not_acknowledged_while_a_file_cannot_be_removed(
    shop: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """Nobody is told that a person is gone while a file still has them; asked again, the erasure ends."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "not yours")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="cannot be removed"):
                shop.erase("crowd-3")
        assert versions(folder) == [1]
    found = shop.erase("crowd-3").body["facts"]["model_files_found_afterwards"]
    assert found == 1
    settled(shop)
    assert versions(folder) == [head(shop).version]


def test_without_room_for_files_everybody_solves(store_url: str, key_path: Path, tmp_path: Path, clock, caplog):
    """A folder that cannot be made or written costs a line in the log, and nothing else."""
    (tmp_path / "taken").write_text("a file")
    settings = Settings(models_folder=str(tmp_path / "taken"))
    with Engine.open(store_url, keys=key_path, clock=clock, settings=settings) as engine:
        engine.put_items([{"id": name, "name": name, "price": 5.0} for name in NAMES])
        engine.take_in([*acts("ann", NAMES[:4], clock), *acts("bob", NAMES[2:5], clock)])
        engine.train()
        assert "cannot be written" in caplog.text
        engine.erase("ann")
        assert_answers_as_solved_anew(engine)


def test_who_cannot_wait_is_told_that_it_is_loading(shop: Engine, reopened):
    """On an event loop nothing is loaded: the answer is `Loading` until the model stands."""
    hold, began = threading.Event(), threading.Event()
    with reopened() as second:
        load = second._rooms.learning.recommender._without_solving

        def slowly():
            began.set()
            hold.wait()
            return load()

        def decide_at_once():
            with second._rooms.store.read() as session:
                return second._rooms.decider.decide(session, Question.of(person="crowd-1"), wait=False).decision

        second._rooms.learning.recommender._without_solving = slowly
        with pytest.raises(Loading):
            decide_at_once()
        assert began.wait(10)
        with pytest.raises(Loading):
            decide_at_once()
        hold.set()
        second.server.warm()
        assert decide_at_once().personal


def test_many_changes_beside_the_arrays_bring_a_new_file(
    shop: Engine, clock: FixedClock, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """Instead of folding into arrays that others map, a process publishes new ones, without solving."""
    monkeypatch.setattr(publisher, "PUBLISH_TERMS", 0)
    shop.consent("crowd-3", withdraw=["learn"])
    solved_nothing(monkeypatch)
    settled_version = head(shop).version
    wait_for_files(shop)
    assert versions(folder) == [settled_version]
    assert model_of(shop).terms == 0


def test_arrays_that_drifted_are_not_handed_on(shop: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Where the arrays no longer invert the sum, the next file is solved again."""
    monkeypatch.setattr(candidates, "FOLD_RESIDUAL", -1.0)
    solved = []
    of_sum = SolvedModel.of_sum
    monkeypatch.setattr(SolvedModel, "of_sum", lambda total, *_, **__: solved.append(total) or of_sum(total))
    shop.consent("crowd-3", withdraw=["learn"])
    settled(shop)
    assert len(solved) == 1
    assert versions(folder) == [head(shop).version]


def test_a_published_file_says_nothing_about_anybody_by_name(shop: Engine, folder: Path):
    """Numbers alone: no identifier, no item, nothing that a person typed."""
    (path,) = folder.glob("*.model")
    content = path.read_bytes()
    with shop._rooms.store.read() as session:
        people = [person for person, _ in sums.contributions(session, "recommender")]
    assert people
    for canary in [b"crowd", b"ware", *people]:
        assert canary not in content
    length = int.from_bytes(content[16:20], "little")
    assert set(json.loads(content[28 : 28 + length])) == {"settings", "kind", "people", "arrays"}
    assert path.stat().st_size == len(content)


def test_closing_waits_for_the_file_that_is_being_written(shop: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Nothing appears in the folder afterwards, so whoever closed may take it away."""
    publish, began, hold = ModelFolder.publish, threading.Event(), threading.Event()

    def slowly(*arguments):
        began.set()
        assert hold.wait(10)
        return publish(*arguments)

    monkeypatch.setattr(ModelFolder, "publish", slowly)
    shop.consent("crowd-3", withdraw=["learn"])
    assert began.wait(10)
    publishing = shop._rooms.learning.recommender.publisher.thread
    threading.Timer(0.2, hold.set).start()
    shop.close()
    assert not publishing.is_alive()
    shutil.rmtree(folder)
    assert not folder.exists()
