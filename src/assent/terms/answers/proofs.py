"""The answer of a check of proofs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a verification: the name of the check, whether it holds, and the finding."""

    name: str
    holds: bool
    found: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The whole of a verification."""

    holds: bool
    checks: Sequence[Check] = field(default_factory=tuple)
