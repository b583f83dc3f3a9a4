"""Purposes are data: what personal data may be used for, in plain words, with the law and the mappings of each.

Built in: `service` (contract), `personalize`, `learn`, `message`, `measure`, `audit_fairness`, and two families whose
members are asked for one by one: `share:<recipient>` and `sensitive:<category>`. Every optional purpose starts off.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

from assent.consent.declaration import declare
from assent.consent.purpose import DeclaredPurpose
from assent.consent.shape import mistake, read_file
from assent.terms.errors import UnknownPurpose
from assent.terms.purposes import Purpose

BUILT_IN = Path(__file__).with_name("purposes.toml")

#: Only an id of this form is repeated in an error: anything else could be somebody's data.
_SAFE_ID = re.compile(r"[a-z0-9_:.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a banner's category means here: which purposes; a family can only be refused, never granted, as a whole."""

    purposes: tuple[str, ...]
    refuses_only: bool = False


class Purposes:
    """All declared purposes, looked up by id; whatever is not declared is unknown and refused."""

    def __init__(self, declared: Iterable[DeclaredPurpose], families: Mapping[str, Sequence[str]]) -> None:
        """Hold the purposes and, by family id, its aliases; raises `InvalidInput` on names that mean two things."""
        self._all = tuple(declared)
        self._by_id = {each.id: each for each in self._all}
        self._current = {each.id: frozenset(notice.hash for notice in each.notices.values()) for each in self._all}
        self._meanings = _meanings(self._all, families)
        self.optional = tuple(each.id for each in self._all if each.optional)

    @classmethod
    def load(cls, path: Path | None = None, *, recipients: Mapping[str, str] | None = None) -> Self:
        """Read the purposes that come with the package, or a file of the same form.

        `recipients` adds a purpose `share:<id>` for each id, with the name that people read. Raises `InvalidInput`
        that says which place of the file is wrong.
        """
        file = read_file((BUILT_IN if path is None else path).read_bytes())
        declared = declare(file, recipients or {})
        return cls(declared, {family.id: family.aliases for family in file.family})

    def all(self) -> tuple[DeclaredPurpose, ...]:
        """Return every declared purpose, in the order of the file."""
        return self._all

    def get(self, purpose_id: str) -> DeclaredPurpose:
        """Return the purpose of that id; raises `UnknownPurpose`."""
        found = self._by_id.get(purpose_id)
        if found is None:
            named = f"'{purpose_id}'" if _SAFE_ID.fullmatch(purpose_id) else "That"
            raise UnknownPurpose(f"{named} is not a purpose of this shop.")
        return found

    def known(self, purpose_id: str) -> bool:
        """Tell whether a purpose of that id is declared."""
        return purpose_id in self._by_id

    def tag(self, purpose_id: str) -> type[Purpose]:
        """Return the type that permits for that purpose carry, the same each time; raises `UnknownPurpose`."""
        return self.get(purpose_id).tag

    def is_current(self, purpose_id: str, notice_hash: str) -> bool:
        """Tell whether a notice is one of those that the purpose is asked with now."""
        return notice_hash in self._current.get(purpose_id, ())

    def meaning(self, category: str) -> Meaning | None:
        """Return what a banner's category means, by id or alias; None when it means nothing here."""
        return self._meanings.get(_plain(category))

    def rows(self) -> list[dict[str, Any]]:
        """Return every purpose as plain JSON values."""
        return [each.row() for each in self._all]


@cache
def built_in() -> Purposes:
    """Return the purposes that come with the package, read once."""
    return Purposes.load()


def _plain(name: str) -> str:
    """Take away what banners vary: capitals, spaces and hyphens."""
    return name.lower().replace(" ", "_").replace("-", "_")


def _meanings(declared: Sequence[DeclaredPurpose], families: Mapping[str, Sequence[str]]) -> dict[str, Meaning]:
    """Collect every name that a category may have; raises `InvalidInput` when one name has two meanings."""
    named = [((each.id, *each.aliases), Meaning((each.id,))) for each in declared]
    for family, aliases in families.items():
        members = tuple(each.id for each in declared if each.id.startswith(f"{family}:"))
        named.append(((family, *aliases), Meaning(members, refuses_only=True)))
    meanings: dict[str, Meaning] = {}
    for names, meaning in named:
        for name in dict.fromkeys(map(_plain, names)):
            if name in meanings:
                raise mistake(f"'{name}' is the name of two purposes")
            meanings[name] = meaning
    return meanings
