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
        assert identifiers_named(f"{kind}:{value}")[0].kind == kind
    for value in ("", "   ", "x" * 257, "a\x00b"):
        with pytest.raises(InvalidInput):
            identifier(kind, value)
