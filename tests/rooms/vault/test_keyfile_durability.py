"""A key file is private whatever the process's mask, and on the disk before anything is sealed with it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from assent.testing import FixedClock, SeededRandomness
from assent.vault import KeyFile


def make(path: Path) -> KeyFile:
    return KeyFile.make(path, SeededRandomness(1), clock=FixedClock())


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o277])
def test_its_mode_does_not_depend_on_the_mask(tmp_path: Path, mask: int):
    """Its owner may read and write it and nobody else may do anything, however lax or strict the mask is."""
    before = os.umask(mask)
    try:
        make(tmp_path / "shop.key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "shop.key").stat().st_mode) == 0o600


def test_it_is_on_the_disk_when_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whole, and named in its folder: a power cut cannot take the keys of what was sealed since."""
    synced: dict[int, int] = {}
    sync = os.fsync

    def noted(descriptor: int) -> None:
        sync(descriptor)
        found = os.fstat(descriptor)
        synced[found.st_ino] = found.st_size

    monkeypatch.setattr(os, "fsync", noted)
    path = tmp_path / "shop.key"
    make(path)
    assert synced[path.stat().st_ino] == path.stat().st_size > 0
    assert tmp_path.stat().st_ino in synced


def test_it_is_never_readable_by_others_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """From its first moment the file is private: it is opened so, and not closed off afterwards."""
    modes = []
    opened = os.open

    def noted(path, flags, mode=0o777, **more):
        descriptor = opened(path, flags, mode, **more)
        if flags & os.O_CREAT:
            modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    monkeypatch.setattr(os, "open", noted)
    before = os.umask(0)
    try:
        make(tmp_path / "shop.key")
    finally:
        os.umask(before)
    assert modes == [0o600]
