"""Purposes are data: what personal data may be used for, in plain words, with the law and the mappings of each.

Built in: `service` (contract), `personalize`, `learn`, `message`, `measure`, `audit_fairness`, and two families whose
members are asked for one by one: `share:<recipient>` and `sensitive:<category>`. Every optional purpose starts off.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Self

from assent.consent.notices import Notice
from assent.consent.shape import (
    FamilyTable,
    LegalBasis,
    MemberTable,
    PurposeFile,
    PurposeTable,
    Sentences,
    mistake,
    read_file,
    read_member,
)
from assent.terms.errors import InvalidInput, UnknownPurpose
from assent.terms.purposes import TAGS, Purpose

BUILT_IN = Path(__file__).with_name("purposes.toml")

#: The family of purposes that hand data to somebody else: one for each recipient.
SHARE = "share"

#: Only an id of this form is repeated in an error: anything else could be somebody's data.
_SAFE_ID = re.compile(r"[a-z0-9_:.-]{1,64}")


@dataclass(frozen=True, slots=True)
class DataKind:
    """One kind of data: its id, its IRI in the Data Privacy Vocabulary, and its name in each language."""

    id: str
    dpv: str
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DeclaredPurpose:
    """Everything that is declared about one purpose; `retention_days` counts from when data was taken in."""

    id: str
    dpv: str
    legal_basis: LegalBasis
    data: tuple[DataKind, ...]
    retention_days: int
    recipients: tuple[str, ...]
    sensitive: bool
    adult_only: bool
    optional: bool
    tcf: tuple[int, ...]
    gpp: tuple[str, ...]
    consent_mode: tuple[str, ...]
    aliases: tuple[str, ...]
    review_by: date
    #: By language.
    notices: Mapping[str, Notice]
    #: How a person takes the consent back, by language.
    withdraw: Mapping[str, str]
    #: The type that permits for this purpose carry.
    tag: type[Purpose]

    def notice(self, language: str) -> Notice:
        """Return the notice in a language (`de`, also for `de-AT`); raises `InvalidInput` when there is none."""
        found = self.notices.get(language.partition("-")[0].lower())
        if found is None:
            raise InvalidInput(
                "There is no notice in that language.", advice=f"Use one of: {', '.join(sorted(self.notices))}."
            )
        return found

    def row(self) -> dict[str, Any]:
        """Return it as plain JSON values, the first language's title and text on top."""
        first = next(iter(self.notices.values()))
        return {
            "id": self.id,
            "title": first.title,
            "text": first.text,
            "notices": {
                language: {"title": notice.title, "text": notice.text, "hash": notice.hash}
                for language, notice in self.notices.items()
            },
            "optional": self.optional,
            "legal_basis": self.legal_basis,
            "dpv": self.dpv,
            "data": [{"id": kind.id, "dpv": kind.dpv, "names": dict(kind.names)} for kind in self.data],
            "retention_days": self.retention_days,
            "recipients": list(self.recipients),
            "sensitive": self.sensitive,
            "adult_only": self.adult_only,
            "aliases": list(self.aliases),
            "mappings": {"tcf": list(self.tcf), "gpp": list(self.gpp), "consent_mode": list(self.consent_mode)},
            "review_by": self.review_by.isoformat(),
        }


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
        _check(file)
        added = tuple(read_member(key, dict.fromkeys(file.languages, name)) for key, name in (recipients or {}).items())
        declared = [_declare(file, table) for table in file.purpose]
        for family in file.family:
            members = (*family.members, *added) if family.id == SHARE else family.members
            declared += [_declare_member(file, family, member) for member in members]
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


def _check(file: PurposeFile) -> None:
    """Check what a shape cannot say; raises `InvalidInput` at the first mistake."""
    languages = set(file.languages)
    worded: list[tuple[str, Mapping[str, object]]] = [("words", file.words)]
    worded += [(f"data.{key}.name", table.name) for key, table in file.data.items()]
    tables: tuple[PurposeTable, ...] = (*file.purpose, *file.family)
    worded += [(f"{table.id}.notice", table.notice) for table in tables]
    members = [(f"{family.id}:{member.id}", member) for family in file.family for member in family.members]
    worded += [(f"{name}.name", member.name) for name, member in members]
    for place, texts in worded:
        if set(texts) != languages:
            raise mistake(f"{place} needs exactly the languages {', '.join(file.languages)}")
    for language, words in file.words.items():
        for place, part in (("data", "{data}"), ("retention", "{days}"), ("recipients", "{recipients}")):
            if part not in getattr(words, place):
                raise mistake(f"words.{language}.{place} must have a place for {part}")
    for table in tables:
        _check_law(table)
    for name, kinds in [(table.id, table.data) for table in tables] + [(name, _kinds(each)) for name, each in members]:
        missing = [kind for kind in kinds if kind not in file.data]
        if missing:
            raise mistake(f"{name} uses data '{missing[0]}', which is not described")
    absent = sorted(TAGS.keys() - {table.id for table in file.purpose})
    if absent:
        raise mistake(f"the purpose '{absent[0]}' is missing")


def _check_law(table: PurposeTable) -> None:
    """Check that legal basis, choice and sensitivity fit each other."""
    if table.optional is (table.legal_basis == "contract"):
        raise mistake(f"{table.id} must rest on consent if it is optional, and only then")
    if table.sensitive and table.legal_basis != "explicit_consent":
        raise mistake(f"{table.id} is sensitive and needs explicit_consent as its legal basis")


def _kinds(member: MemberTable) -> tuple[str, ...]:
    return () if member.data is None else (member.data,)


def _declare_member(file: PurposeFile, family: FamilyTable, member: MemberTable) -> DeclaredPurpose:
    """Declare one member of a family: its name fills `{name}` in the words; a recipient is who gets the data."""
    recipients = family.recipients
    if family.id == SHARE:
        recipients = (*recipients, member.name[file.languages[0]])
    return _declare(
        file,
        family,
        purpose_id=f"{family.id}:{member.id}",
        name=member.name,
        kinds=(*family.data, *_kinds(member)),
        recipients=recipients,
    )


def _declare(
    file: PurposeFile,
    table: PurposeTable,
    *,
    purpose_id: str | None = None,
    name: Mapping[str, str] | None = None,
    kinds: Sequence[str] | None = None,
    recipients: tuple[str, ...] | None = None,
) -> DeclaredPurpose:
    """Build one purpose with its notices out of its table."""
    own_id = table.id if purpose_id is None else purpose_id
    data = tuple(
        DataKind(kind, file.data[kind].dpv, file.data[kind].name) for kind in (table.data if kinds is None else kinds)
    )
    receives = table.recipients if recipients is None else recipients
    notices = {
        language: _notice(language, table, file.words[language], data, receives, "" if name is None else name[language])
        for language in file.languages
    }
    return DeclaredPurpose(
        id=own_id,
        dpv=table.dpv,
        legal_basis=table.legal_basis,
        data=data,
        retention_days=table.retention_days,
        recipients=receives,
        sensitive=table.sensitive,
        adult_only=table.adult_only,
        optional=table.optional,
        tcf=table.tcf,
        gpp=table.gpp,
        consent_mode=table.consent_mode,
        aliases=table.aliases if purpose_id is None else (),
        review_by=table.review_by,
        notices=notices,
        withdraw={language: file.words[language].withdraw for language in file.languages},
        tag=TAGS.get(own_id) or type("OtherPurpose", (Purpose,), {"id": own_id, "__slots__": ()}),
    )


def _notice(
    language: str, table: PurposeTable, words: Sentences, data: Sequence[DataKind], receives: Sequence[str], name: str
) -> Notice:
    """Write the whole notice: the purpose's own words, then what is used, how long, who gets it, and the choice."""
    basis = {"consent": words.consent, "explicit_consent": words.explicit_consent, "contract": words.contract}
    sentences = (
        table.notice[language].text.replace("{name}", name),
        words.data.replace("{data}", ", ".join(kind.names[language] for kind in data)),
        words.retention.replace("{days}", str(table.retention_days)),
        words.recipients.replace("{recipients}", ", ".join(receives)) if receives else words.nobody,
        basis[table.legal_basis],
    )
    return Notice(language, table.notice[language].title.replace("{name}", name), "\n".join(sentences))
