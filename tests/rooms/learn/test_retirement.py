"""A model file that somebody who left was in is gone from the disk, not only from the folder's cached listing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assent.learn.model_files import ModelFolder


def test_files_taken_away_are_gone_durably(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The folder is synced after the names went and before anybody says so; where nothing went, nothing is synced."""
    folder = tmp_path / "models"
    folder.mkdir(mode=0o700)
    for name in ("recommender-000000000001.model", "recommender-000000000002.model"):
        (folder / name).write_bytes(b"model")
    left: list[list[str]] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        sync(descriptor)
        if os.fstat(descriptor).st_ino == folder.stat().st_ino:
            left.append(sorted(each.name for each in folder.glob("*.model")))

    monkeypatch.setattr(os, "fsync", noted)
    kept = ModelFolder(folder)
    assert kept.retire(2) == 1
    assert left == [["recommender-000000000002.model"]]
    assert kept.retire(2) == 0
    assert len(left) == 1
    assert kept.retire(3) == 1
    assert left[1:] == [[]]
