"""Purposes are declared from a purposes file: a shop's file is joined to ours, checked beyond its shape, and worded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from msgspec.structs import replace

from assent.consent.notices import Notice
from assent.consent.purpose import SHARE, DataKind, DeclaredPurpose
from assent.consent.shape import FamilyTable, MemberTable, PurposeFile, PurposeTable, Sentences, mistake
from assent.terms.purposes import BUILT_IN_BITS, TAGS, tag_of

Table = TypeVar("Table", bound=PurposeTable)
Text = TypeVar("Text")


def declare(file: PurposeFile) -> list[DeclaredPurpose]:
    """Declare every purpose of a whole file, families member by member; raises `InvalidInput` at a mistake."""
    _check(file)
    declared = [_declare(file, table) for table in file.purpose]
    for family in file.family:
        declared += [_declare_member(file, family, member) for member in _members(file, family)]
    return declared


def joined(base: PurposeFile, own: PurposeFile) -> PurposeFile:
    """Return the file that comes with the package and a shop's own as one.

    A table of the shop's takes the place of the one of that id. The shop's languages hold for both. Raises
    `InvalidInput` when the shop's file names one id twice.
    """
    for tables in (own.purpose, own.family):
        ids = [table.id for table in tables]
        twice = sorted({each for each in ids if ids.count(each) > 1})
        if twice:
            raise mistake(f"'{twice[0]}' is the name of two purposes")
    languages = own.languages or base.languages
    spoken = _spoken(base, languages)
    return PurposeFile(
        languages=languages,
        words=spoken.words | own.words,
        data=spoken.data | own.data,
        purpose=_placed(spoken.purpose, own.purpose),
        family=_placed(spoken.family, own.family),
        member=own.member,
    )


def _placed(base: tuple[Table, ...], own: tuple[Table, ...]) -> tuple[Table, ...]:
    """Put the own tables in the places of those with their ids, the others at the end."""
    by_id = {table.id: table for table in own}
    known = {table.id for table in base}
    kept = tuple(by_id.get(table.id, table) for table in base)
    return (*kept, *(table for table in own if table.id not in known))


def _spoken(file: PurposeFile, languages: tuple[str, ...]) -> PurposeFile:
    """Leave out the languages that a shop does not speak."""

    def only(texts: dict[str, Text]) -> dict[str, Text]:
        return {language: text for language, text in texts.items() if language in languages}

    def member(table: MemberTable) -> MemberTable:
        return replace(table, name=only(table.name))

    return replace(
        file,
        words=only(file.words),
        data={key: replace(kind, name=only(kind.name)) for key, kind in file.data.items()},
        purpose=tuple(replace(table, notice=only(table.notice)) for table in file.purpose),
        family=tuple(
            replace(table, notice=only(table.notice), members=tuple(map(member, table.members)))
            for table in file.family
        ),
    )


def _members(file: PurposeFile, family: FamilyTable) -> tuple[MemberTable, ...]:
    """Return the members of a family, those that the shop adds last."""
    return (*family.members, *(member for member in file.member if member.family == family.id))


def _check(file: PurposeFile) -> None:
    """Check the rules that a shape cannot express; raises `InvalidInput` at the first mistake."""
    languages = set(file.languages)
    worded: list[tuple[str, Mapping[str, object]]] = [("words", file.words)]
    worded += [(f"data.{key}.name", table.name) for key, table in file.data.items()]
    tables: tuple[PurposeTable, ...] = (*file.purpose, *file.family)
    worded += [(f"{table.id}.notice", table.notice) for table in tables]
    members = [(f"{family.id}:{member.id}", member) for family in file.family for member in _members(file, family)]
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
    families = {family.id for family in file.family}
    strange = [member for member in file.member if member.family not in families]
    if strange:
        raise mistake(f"'{strange[0].family}' of the member '{strange[0].id}' is no family")


def _check_law(table: PurposeTable) -> None:
    """Check that legal basis, choice and sensitivity fit each other."""
    if table.optional is (table.legal_basis == "contract"):
        raise mistake(f"{table.id} must rest on consent if it is optional, and only then")
    if table.sensitive and table.legal_basis != "explicit_consent":
        raise mistake(f"{table.id} is sensitive and needs explicit_consent as its legal basis")
    if (table.keeps_events or table.id in BUILT_IN_BITS) and not table.optional:
        raise mistake(f"{table.id} cannot keep events, because nobody can say no to it")


def _kinds(member: MemberTable) -> tuple[str, ...]:
    return () if member.data is None else (member.data,)


def _declare_member(file: PurposeFile, family: FamilyTable, member: MemberTable) -> DeclaredPurpose:
    """Declare one member of a family: its name fills `{name}` in the words; for `share` it is also the recipient."""
    recipients = family.recipients
    if family.id == SHARE:
        recipients = (*recipients, *(member.recipients or (member.name[file.languages[0]],)))
    return _declare(
        file,
        family,
        purpose_id=f"{family.id}:{member.id}",
        name=member.name,
        kinds=(*family.data, *_kinds(member)),
        recipients=recipients,
        keeps_events=family.keeps_events or member.keeps_events,
    )


def _declare(
    file: PurposeFile,
    table: PurposeTable,
    *,
    purpose_id: str | None = None,
    name: Mapping[str, str] | None = None,
    kinds: Sequence[str] | None = None,
    recipients: tuple[str, ...] | None = None,
    keeps_events: bool = False,
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
        keeps_events=BUILT_IN_BITS.get(own_id, 0) > 0 if own_id in TAGS else keeps_events or table.keeps_events,
        tag=tag_of(own_id, 0),
    )


def _notice(
    language: str, table: PurposeTable, words: Sentences, data: Sequence[DataKind], receives: Sequence[str], name: str
) -> Notice:
    """Write the whole notice: the purpose's own words, then data, retention, recipients, and the choice."""
    basis = {"consent": words.consent, "explicit_consent": words.explicit_consent, "contract": words.contract}
    sentences = (
        table.notice[language].text.replace("{name}", name),
        words.data.replace("{data}", ", ".join(kind.names[language] for kind in data)),
        words.retention.replace("{days}", str(table.retention_days)),
        words.recipients.replace("{recipients}", ", ".join(receives)) if receives else words.nobody,
        basis[table.legal_basis],
    )
    return Notice(language, table.notice[language].title.replace("{name}", name), "\n".join(sentences))
