"""What a shop writes into a purposes file of its own, for the tests."""

from __future__ import annotations

MEMBER = """
[[member]]
family = "share"
id = "{id}"
name = {{ en = "{name}", de = "{name}" }}
{more}
"""

PURPOSE = """
[[purpose]]
id = "{id}"
dpv = "https://w3id.org/dpv#ServicePersonalisation"
legal_basis = "consent"
data = ["views"]
retention_days = 90
review_by = 2027-11-30
{more}

[purpose.notice.en]
title = "Try {id}"
text = "We use it for {id}."

[purpose.notice.de]
title = "Probier {id}"
text = "Wir benutzen es für {id}."
"""


def recipients(more: str = "", **names: str) -> bytes:
    """Return a file that shares with these recipients, by id; `more` lines stand in each entry."""
    return "".join(MEMBER.format(id=each, name=name, more=more) for each, name in names.items()).encode()


def purpose(purpose_id: str, more: str = "keeps_events = true") -> bytes:
    """Return a file with one purpose; `more` lines stand in its table."""
    return PURPOSE.format(id=purpose_id, more=more).encode()
