"""Counts with the words that fit them."""

from __future__ import annotations


def counted(count: int, one: str, many: str) -> str:
    """Write a count with the words for one, or for any other number."""
    return f"{count:,} {one if count == 1 else many}"
