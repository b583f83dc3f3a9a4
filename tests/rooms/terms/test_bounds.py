"""The bounds of names, each on both sides, as numbers written here."""

from __future__ import annotations

import pytest

from assent.terms.errors import InvalidInput
from assent.terms.ids import identifier, identifiers_named


@pytest.mark.parametrize("kind", ["user_id", "anonymous_id", "email"])
def test_an_identifier_has_one_to_256_characters(kind: str):
    """Spaces at its ends do not count; nothing, or one character more, is no identifier."""
    for value in ("x", "x" * 256, f"  {'x' * 256}  "):
        assert identifier(kind, value).value == value.strip()
        assert identifiers_named(f"{kind}:{value.strip()}")[0].kind == kind
    for value in ("", "   ", "x" * 257, "a\x00b"):
        with pytest.raises(InvalidInput):
            identifier(kind, value)


@pytest.mark.parametrize("name", ["x" + "\x1e" * 256, "user_id:x" + " " * 256])
def test_a_name_of_a_person_is_not_made_short_enough_by_trimming(name: str):
    """What a caller names a person by has at most 256 characters as it stands."""
    with pytest.raises(InvalidInput, match="too long"):
        identifiers_named(name)
