"""What a check of proofs answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a verification: what was checked, whether it holds, and what was found."""

    name: str
    holds: bool
    found: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The whole of a verification."""

    holds: bool
    checks: Sequence[Check] = field(default_factory=tuple)
