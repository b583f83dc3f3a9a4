"""A notice is the exact text that a person is asked with; a consent points at its hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Notice:
    """One purpose in one language, word for word.

    `hash` is the lower-case hexadecimal SHA-256 of the language, a line feed and `words`: another wording is another
    notice, and what was agreed to can be proven from the words alone.
    """

    language: str
    title: str
    text: str
    #: Title and text as they are kept for good, beside the consents that point at them.
    words: str = field(init=False)
    hash: str = field(init=False)

    def __post_init__(self) -> None:
        """Join the words and take their hash."""
        words = f"{self.title}\n\n{self.text}"
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "hash", notice_hash(self.language, words))


def notice_hash(language: str, words: str) -> str:
    """Return the SHA-256 of a language and the exact words, in lower-case hexadecimal."""
    return hashlib.sha256(f"{language}\n{words}".encode()).hexdigest()
