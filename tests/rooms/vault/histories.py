"""A history as the vault's tests compare it."""

from __future__ import annotations

import numpy as np


def told(history: np.ndarray) -> list[tuple[int, ...]]:
    """Return the entries as whole numbers."""
    return [tuple(int(value) for value in entry) for entry in history.tolist()]
