"""The folder of the demo."""

import pytest

from assent.demo.folder import FOLDER, MARK, DemoFolder, demo_folder
from assent.terms.errors import Conflict


def test_a_name_is_found_as_a_word_of_its_own(tmp_path):
    """The search of the files counts whole words in any bytes."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_bytes(b"\x00\xffana\x00anaconda bana ana")
    assert DemoFolder(tmp_path).times_found("ana") == 2
    assert DemoFolder(tmp_path).times_found("bo") == 0


def test_the_folder_is_made_anew_every_time(tmp_path, monkeypatch):
    """What an earlier demo left is gone, and the folder says whose it is."""
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        with demo_folder(once=False) as folder:
            assert [each.name for each in folder.path.iterdir()] == [MARK]
            (folder.path / "shop.db").write_text("an earlier shop")


def test_a_temporary_folder_leaves_nothing(tmp_path, monkeypatch):
    """With `once` the folder is elsewhere, and gone afterwards."""
    monkeypatch.chdir(tmp_path)
    with demo_folder(once=True) as folder:
        assert folder.path.is_dir()
    assert not folder.path.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_somebody_else_is_left_alone(tmp_path, monkeypatch):
    """Without the demo's mark nothing is touched."""
    monkeypatch.chdir(tmp_path)
    FOLDER.mkdir()
    (FOLDER / "mine").write_text("precious")
    with pytest.raises(Conflict), demo_folder(once=False):
        pass
    assert (FOLDER / "mine").read_text() == "precious"
