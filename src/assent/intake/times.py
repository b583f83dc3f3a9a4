"""Timestamps: ISO 8601 text becomes milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime

_from_text = datetime.fromisoformat


def read_moment(text: str) -> int | None:
    """Return ISO 8601 text as milliseconds since the epoch, None when it is no timestamp; without a zone it is UTC."""
    try:
        moment = _from_text(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None
