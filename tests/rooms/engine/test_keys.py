"""`engine.keys`: API keys, of which the store keeps digests only."""

import pytest

from assent import Engine, InvalidInput
from assent.engine import ROLE_NAMES


def test_a_key_has_its_role_and_is_not_in_the_store(engine, tmp_path):
    """Every role can be had, the store knows each key again, and none stands in its files."""
    made = {role: engine.keys.make(role, f"for {role}") for role in ROLE_NAMES}
    assert {role: engine.keys.role(key) for role, key in made.items()} == {role: role for role in ROLE_NAMES}
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not any(key.encode() in files for key in made.values())


def test_a_key_works_after_the_shop_was_opened_anew(engine, tmp_path):
    """Roles are the store's, not the process's."""
    key = engine.keys.make("monitor")
    with Engine.open(str(tmp_path / "shop.db"), create=False) as again:
        assert again.keys.role(key) == "monitor"


def test_whether_there_is_any_key(engine):
    """A new shop has none."""
    assert not engine.keys.any()
    engine.keys.make("server")
    assert engine.keys.any()


def test_a_key_that_was_never_made_has_no_role(engine):
    """It is told by None, not by an error."""
    assert engine.keys.role("server_made_up") is None


def test_a_role_that_does_not_exist_is_refused_with_those_that_do(engine):
    """Nothing is made."""
    with pytest.raises(InvalidInput) as caught:
        engine.keys.make("boss")
    assert all(role in caught.value.advice for role in ROLE_NAMES)
    assert not engine.keys.any()
