"""What a test cannot run without, and what is told where it is missing."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def skip_without(what: str, reason: str) -> NoReturn:
    """Skip the test, with the reason; fail instead when `ASSENT_REQUIRE` names what is missing."""
    if what in os.environ.get("ASSENT_REQUIRE", "").split(","):
        pytest.fail(reason)
    pytest.skip(reason)
