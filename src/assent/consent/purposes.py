"""Purposes are data: the uses of personal data in plain words, with the law and the mappings of each.

Built in: `service` (contract), `personalize`, `learn`, `message`, `measure`, `audit_fairness`, and two families whose
members are asked for one by one: `share:<recipient>` and `sensitive:<category>`. A shop declares more in a file of its
own. Every optional purpose starts off.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from assent.consent.declaration import declare, joined
from assent.consent.purpose import DeclaredPurpose
from assent.consent.shape import mistake, read_file
from assent.terms.errors import UnknownPurpose
from assent.terms.purposes import BUILT_IN_BITS, Purpose, tag_of

BUILT_IN = Path(__file__).with_name("purposes.toml")

#: Only an id of this form is repeated in an error: another text could be personal data.
_SAFE_ID = re.compile(r"[a-z0-9_:.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Meaning:
    """The purposes that a banner's category means; a family as a whole can only be refused, never granted."""

    purposes: tuple[str, ...]
    refuses_only: bool = False


class Purposes:
    """All declared purposes by id; an id that is not declared is unknown and refused."""

    def __init__(
        self,
        declared: Iterable[DeclaredPurpose],
        families: Mapping[str, Sequence[str]],
        bits: Mapping[str, int] = BUILT_IN_BITS,
        source: bytes | None = None,
    ) -> None:
        """Take the purposes and, by family id, its aliases; raises `InvalidInput` for a name with two meanings.

        `bits`: the bit of every purpose that ever got one, by id. `source`: the shop's own file.
        """
        self._all = tuple(
            replace(each, tag=tag_of(each.id, bits.get(each.id, 0) if each.keeps_events else 0)) for each in declared
        )
        self._families = families
        self._by_id = {each.id: each for each in self._all}
        self._current = {each.id: frozenset(notice.hash for notice in each.notices.values()) for each in self._all}
        self._meanings = _meanings(self._all, families)
        self._bits = bits
        self.source = source
        #: The languages of every notice, in the order of the file.
        self.languages = tuple(self._all[0].notices) if self._all else ()
        self.optional = tuple(each.id for each in self._all if each.optional)
        #: By id, the bit of each declared purpose that events may be kept for.
        self.keeping: Mapping[str, int] = MappingProxyType(
            {each.id: each.tag.bit for each in self._all if each.tag.bit}
        )

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read the purposes that come with the package, and with `path` a shop's own file beside them.

        Raises `InvalidInput` when the file cannot be read, or says which place of it is wrong.
        """
        if path is None:
            return cls.read(None)
        try:
            source = path.read_bytes()
        except (OSError, ValueError) as error:
            raise mistake(f"{path} cannot be read ({error})") from error
        return cls.read(source)

    @classmethod
    def read(cls, source: bytes | None) -> Self:
        """Read the purposes that come with the package, and the bytes of a shop's own file; raises as `load`."""
        file = read_file(BUILT_IN.read_bytes())
        if source is not None:
            file = joined(file, read_file(source))
        return cls(declare(file), {family.id: family.aliases for family in file.family}, source=source)

    def declares(self, purpose_id: str) -> bool:
        """Tell whether a purpose of that id is declared here."""
        return any(each.id == purpose_id for each in self._all)

    def with_bits(self, bits: Mapping[str, int]) -> Self:
        """Return the same purposes with the bits that a store allotted, by id, beside the built-in ones."""
        return type(self)(self._all, self._families, {**bits, **BUILT_IN_BITS}, self.source)

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

    def tag(self, purpose_id: str) -> type[Purpose]:
        """Return the type that permits for that purpose carry, the same each time; raises `UnknownPurpose`."""
        return self.get(purpose_id).tag

    def bit(self, purpose_id: str) -> int:
        """Return the bit that was ever allotted to a purpose, 0 for none; old records may still have it."""
        return self._bits.get(purpose_id, 0)

    def named(self, bits: int) -> list[str]:
        """Return the ids of the purposes whose bits are in a mask, in the order of their bits."""
        return [purpose_id for purpose_id, bit in sorted(self._bits.items(), key=itemgetter(1)) if bit & bits]

    def is_current(self, purpose_id: str, notice_hash: str) -> bool:
        """Tell whether a notice is one of those that the purpose is asked with now."""
        return notice_hash in self._current.get(purpose_id, ())

    def meaning(self, category: str) -> Meaning | None:
        """Return the meaning of a banner's category, by id or alias; None for an unknown one."""
        return self._meanings.get(_plain(category))

    def rows(self) -> list[dict[str, Any]]:
        """Return every purpose as plain JSON values."""
        return [each.row() for each in self._all]


@cache
def built_in() -> Purposes:
    """Return the purposes that come with the package, read once."""
    return Purposes.load()


def _plain(name: str) -> str:
    """Remove the differences between banners: capitals, spaces and hyphens."""
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
