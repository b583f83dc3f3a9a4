"""From a purposes file to declared purposes: checks what a shape cannot say, and writes the notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assent.consent.notices import Notice
from assent.consent.purpose import SHARE, DataKind, DeclaredPurpose
from assent.consent.shape import FamilyTable, MemberTable, PurposeFile, PurposeTable, Sentences, mistake, read_member
from assent.terms.purposes import TAGS, Purpose


def declare(file: PurposeFile, recipients: Mapping[str, str]) -> list[DeclaredPurpose]:
    """Declare every purpose of a file, and `share:<id>` for each recipient; raises `InvalidInput` at a mistake."""
    _check(file)
    added = tuple(read_member(key, dict.fromkeys(file.languages, name)) for key, name in recipients.items())
    declared = [_declare(file, table) for table in file.purpose]
    for family in file.family:
        members = (*family.members, *added) if family.id == SHARE else family.members
        declared += [_declare_member(file, family, member) for member in members]
    return declared


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
