"""The key file: made once, kept private, never overwritten, never shown."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pytest

from assent.terms.errors import Conflict, Corrupt, KeyFileExists, KeyFileExposed, KeyFileMissing, StoreUnavailable
from assent.testing import START_MS, FixedClock, SeededRandomness
from assent.vault import KeyFile


def make(path: Path, seed: int = 1) -> KeyFile:
    return KeyFile.make(path, SeededRandomness(seed), clock=FixedClock())


def test_made_file_opens_to_the_same_secrets(tmp_path: Path) -> None:
    """What was made is what is opened, and only the owner may read it."""
    path = tmp_path / "shop.key"
    made = make(path)
    assert KeyFile.open(path, {}) == made
    assert KeyFile.exists(path, {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert made.created_ms == START_MS
    assert len({*made.keks.values(), made.index_root, made.pepper, made.signing}) == 4


def test_made_from_the_machine_itself(tmp_path: Path) -> None:
    """Without a clock and randomness the machine's own are taken, and no two files are alike."""
    one, two = KeyFile.make(tmp_path / "one.key"), KeyFile.make(tmp_path / "two.key")
    assert one.created_ms > START_MS - 10**11
    assert one.signing != two.signing
    assert one.rotated().current not in two.keks


def test_never_overwritten(tmp_path: Path) -> None:
    """Where something stands, nothing is written."""
    path = tmp_path / "shop.key"
    path.write_bytes(b"something")
    with pytest.raises(KeyFileExists):
        make(path)
    assert path.read_bytes() == b"something"


def test_directory_must_exist(tmp_path: Path) -> None:
    """A place that is not there is reported, with advice."""
    with pytest.raises(StoreUnavailable, match="Name a directory"):
        make(tmp_path / "absent" / "shop.key")


def test_missing_file_is_reported(tmp_path: Path) -> None:
    """No file: a missing key file."""
    assert not KeyFile.exists(tmp_path / "shop.key", {})
    with pytest.raises(KeyFileMissing):
        KeyFile.open(tmp_path / "shop.key", {})


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o777])
def test_exposed_file_is_refused(tmp_path: Path, mode: int) -> None:
    """A file that others may read or write is refused, with the command that closes it."""
    path = tmp_path / "shop.key"
    make(path)
    path.chmod(mode)
    with pytest.raises(KeyFileExposed, match="chmod 600"):
        KeyFile.open(path, {})


def test_printing_shows_no_secret(tmp_path: Path) -> None:
    """Neither repr nor str of a key file holds any of its secrets."""
    made = make(tmp_path / "shop.key")
    shown = f"{made!r}{made}"
    for secret in (*made.keks.values(), made.index_root, made.pepper, made.signing):
        assert repr(secret) not in shown
        assert base64.b64encode(secret).decode() not in shown


def test_environment_stands_in_for_the_file(tmp_path: Path) -> None:
    """The base64 of a file's content in the environment is as good as the file."""
    made = make(tmp_path / "shop.key")
    environment = {"ASSENT_KEYS": base64.b64encode(made.content()).decode()}
    elsewhere = tmp_path / "elsewhere.key"
    assert KeyFile.exists(elsewhere, environment)
    opened = KeyFile.open(elsewhere, environment)
    assert opened.path == elsewhere
    assert (opened.keks, opened.signing) == (made.keks, made.signing)


def test_the_process_environment_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without another environment the process's own counts."""
    made = make(tmp_path / "shop.key")
    monkeypatch.setenv("ASSENT_KEYS", base64.b64encode(made.content()).decode())
    assert KeyFile.open(tmp_path / "shop.key").signing == made.signing
    monkeypatch.setenv("ASSENT_KEYS", "no base64!")
    with pytest.raises(Corrupt, match="base64"):
        KeyFile.open(tmp_path / "shop.key")


def altered(content: bytes, **changes: object) -> bytes:
    return json.dumps({**json.loads(content), **changes}).encode()


def test_what_is_no_key_file_is_refused(tmp_path: Path) -> None:
    """Cut short, another format, a missing or strange field, a short secret, bytes that are not text: refused."""
    path = tmp_path / "shop.key"
    content = make(path).content()
    for broken in (
        b"",
        b"\xff\xfe",
        content[:-10],
        b"[]",
        altered(content, format="assent-keys-0"),
        altered(content, current="k-00000000"),
        altered(content, pepper="AAAA"),
        altered(content, keks={}),
        altered(content, more=1),
        content.replace(b"assent-keys-1", b"\xff"),
    ):
        path.write_bytes(broken)
        with pytest.raises(Corrupt):
            KeyFile.open(path, {})


def test_rotation_keeps_everything_but_the_current_key(tmp_path: Path) -> None:
    """A rotated file holds old and new key-encryption keys, a retired one the new one; both are the same store's."""
    made = make(tmp_path / "shop.key")
    rotated = made.rotated(randomness=SeededRandomness(2))
    assert set(rotated.keks) == {made.current, rotated.current}
    made.check_same_store(rotated)
    retired = rotated.retired()
    assert set(retired.keks) == {rotated.current}
    retired.save(tmp_path / "new.key")
    assert KeyFile.open(tmp_path / "new.key", {}).keks == retired.keks
    with pytest.raises(Conflict):
        made.check_same_store(make(tmp_path / "other.key", 9))
