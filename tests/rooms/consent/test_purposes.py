"""Purposes are data, and the data is checked."""

import hashlib
import re
import tomllib
from datetime import date
from pathlib import Path

import msgspec
import pytest

from assent.consent import Notice, Purposes, built_in, notice_hash
from assent.consent.purposes import BUILT_IN
from assent.terms.errors import InvalidInput, UnknownPurpose
from assent.terms.purposes import TAGS, Learn, Personalize
from tests.rooms.consent.own import recipients

DESIGNED = ["service", "personalize", "learn", "message", "measure", "audit_fairness"]


@pytest.fixture
def purposes() -> Purposes:
    """The built-in purposes and one recipient."""
    return Purposes.read(recipients(acme="Acme Ltd"))


def altered(path: Path, before: str, after: str) -> Path:
    """Write the built-in file with one change."""
    text = BUILT_IN.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    return path


def test_every_designed_purpose_is_there_and_every_tag_has_a_description(purposes):
    """All purposes of the design are declared, in order, and carry the tag that permits carry."""
    assert [each.id for each in purposes.all()][: len(DESIGNED)] == DESIGNED
    assert set(DESIGNED) == set(TAGS)
    for purpose_id, tag in TAGS.items():
        assert purposes.tag(purpose_id) is tag
        assert purposes.get(purpose_id).id == purpose_id
        assert purpose_id in {each.id for each in purposes.all()}


def test_only_the_service_itself_is_not_optional(purposes):
    """Every other purpose rests on consent."""
    assert [each.id for each in purposes.all() if not each.optional] == ["service"]
    assert "service" not in purposes.optional
    assert all(each.legal_basis in {"consent", "explicit_consent"} for each in purposes.all() if each.optional)


def test_special_categories_need_an_explicit_yes_from_adults(purposes):
    """Each sensitive category is its own purpose with the strictest terms."""
    sensitive = [each for each in purposes.all() if each.id.startswith("sensitive:")]
    assert {each.id.partition(":")[2] for each in sensitive} >= {
        "health",
        "religion",
        "belief",
        "politics",
        "sexuality",
        "union",
        "origin",
        "biometric",
        "genetic",
    }  # GDPR Art. 9(1)
    assert all(each.sensitive and each.adult_only and each.legal_basis == "explicit_consent" for each in sensitive)
    assert all(each.data for each in sensitive)


def test_nothing_is_shared_unless_a_recipient_is_named(purposes):
    """Without recipients there is no purpose to share for; a named one appears with its name in the words."""
    assert not any(each.id.startswith("share:") for each in built_in().all())
    acme = purposes.get("share:acme")
    assert acme.recipients == ("Acme Ltd",)
    assert "Acme Ltd" in acme.notice("en").title
    assert "Acme Ltd" in acme.notice("de").text
    assert acme.tag.id == "share:acme"
    assert acme.tag is purposes.tag("share:acme")
    assert acme.tag.bit == 0


@pytest.mark.parametrize(
    "name", ["sell", "share", "share:nobody", "sensitive", "sensitive:taste", "", "LEARN", "learn "]
)
def test_a_purpose_that_no_notice_describes_is_unknown(purposes, name):
    """An unknown purpose, or an unknown member of a family, is refused with advice."""
    assert name not in {each.id for each in purposes.all()}
    with pytest.raises(UnknownPurpose, match="the list of purposes has them all"):
        purposes.get(name)


def test_an_unknown_name_that_could_be_personal_is_not_repeated(purposes):
    """An error names what was asked for only when it looks like an id."""
    with pytest.raises(UnknownPurpose) as caught:
        purposes.get("ann@example.org")
    assert "ann" not in str(caught.value)
    with pytest.raises(UnknownPurpose, match="'sell'"):
        purposes.get("sell")


def test_words_are_short_and_whole_in_every_language(purposes):
    """A twelve-year-old can read it: short sentences, no gaps left open, nothing left out."""
    for each in purposes.all():
        assert set(each.notices) == {"en", "de"}
        for notice in each.notices.values():
            assert "{" not in notice.words
            assert str(each.retention_days) in notice.text
            assert all(kind.names[notice.language] in notice.text for kind in each.data)
            assert all(name in notice.text for name in each.recipients)
            sentences = [part for part in re.split(r"[.:!?]\s", notice.text.replace("\n", " ")) if part]
            lengths = [len(sentence.split()) for sentence in sentences]
            assert max(lengths) <= 24
            assert sum(lengths) / len(lengths) <= 13


def test_a_notice_is_known_by_the_hash_of_its_exact_words():
    """The hash covers language and words; one letter makes another notice."""
    notice = Notice("en", "Choose", "We use it.")
    assert notice.words == "Choose\n\nWe use it."
    assert notice.hash == hashlib.sha256(b"en\nChoose\n\nWe use it.").hexdigest()
    assert notice.hash == notice_hash("en", notice.words)
    assert notice.hash != Notice("de", "Choose", "We use it.").hash
    assert notice.hash != Notice("en", "Choose", "We use it!").hash


def test_a_fact_that_changes_makes_another_notice(tmp_path):
    """Retention, data and recipients are part of the words, so changing them asks people again."""
    longer = Purposes.load(altered(tmp_path / "p.toml", "retention_days = 730", "retention_days = 731"))
    old = built_in().get("personalize").notice("en").hash
    assert built_in().is_current("personalize", old)
    assert not longer.is_current("personalize", old)
    assert longer.is_current("learn", built_in().get("learn").notice("de").hash)
    assert not longer.is_current("no_such_purpose", old)


def test_a_notice_is_found_for_regional_languages_and_refused_for_others(purposes):
    """`de-AT` reads German; a language without notice is an error that lists those there are."""
    assert purposes.get("learn").notice("de-AT").language == "de"
    assert purposes.get("learn").notice("EN").language == "en"
    with pytest.raises(InvalidInput, match="de, en"):
        purposes.get("learn").notice("fr")


def test_rows_are_plain_json_and_say_everything(purposes):
    """GET /v1/purposes can send the rows as they are."""
    rows = msgspec.json.decode(msgspec.json.encode(purposes.rows()))
    assert rows == purposes.rows()
    row = next(row for row in rows if row["id"] == "personalize")
    assert row["title"] == row["notices"]["en"]["title"] == "Choose what I see"
    assert row["text"] == row["notices"]["en"]["text"]
    assert re.fullmatch("[0-9a-f]{64}", row["notices"]["de"]["hash"])
    assert row["dpv"] == "https://w3id.org/dpv#ProvideProductRecommendations"
    assert row["mappings"] == {"tcf": [5, 6], "gpp": [], "consent_mode": ["personalization_storage"]}
    assert row["optional"] is True
    assert date.fromisoformat(row["review_by"]) > date(2026, 1, 1)
    assert row["data"][0]["dpv"].startswith("https://w3id.org/dpv/pd#")
    assert all(row.keys() == rows[0].keys() for row in rows)


def test_a_category_is_understood_by_id_and_by_alias(purposes):
    """Banners vary capitals, spaces and hyphens; a family can be refused as a whole only."""
    for name in ("personalize", "Personalization", "PERSONALISATION", "personalized content", "Personalized-Content"):
        assert purposes.meaning(name).purposes == ("personalize",)
    assert purposes.meaning("C0002").purposes == ("measure",)
    assert purposes.meaning("share:acme").purposes == ("share:acme",)
    assert not purposes.meaning("share:acme").refuses_only
    assert purposes.meaning("Data Sharing").purposes == ("share:acme",)
    assert purposes.meaning("Data Sharing").refuses_only
    assert purposes.meaning("marketing") is None


def test_tags_of_the_design_are_kept_for_typed_permits(purposes):
    """Two purposes never share a tag."""
    tags = [each.tag for each in purposes.all()]
    assert len(set(tags)) == len(tags)
    assert purposes.tag("learn") is Learn
    assert purposes.tag("personalize") is Personalize


MISTAKES = [
    ("not a key", 'id = "learn"', 'id = "learn"\ncolour = "red"', "colour"),
    ("not TOML", 'id = "learn"', "id = ", "Invalid value"),
    ("bad id", 'id = "learn"', 'id = "Learn!"', r"purpose\[2\]\.id"),
    ("no days", "retention_days = 730", "retention_days = 0", "retention_days"),
    ("no such basis", 'legal_basis = "contract"', 'legal_basis = "habit"', "legal_basis"),
    ("optional without consent", "optional = false", "optional = true", "service must rest on consent"),
    (
        "consent without option",
        "retention_days = 730",
        "retention_days = 730\noptional = false",
        "personalize must rest",
    ),
    ("sensitive without explicit yes", "tcf = [5, 6]", "tcf = [5, 6]\nsensitive = true", "explicit_consent"),
    ("no such TCF purpose", "tcf = [5, 6]", "tcf = [5, 12]", "tcf"),
    ("no such consent mode", '["analytics_storage"]\nreview', '["analytics"]\nreview', "consent_mode"),
    ("not DPV", "https://w3id.org/dpv#DirectMarketing", "https://example.org/#x", "dpv"),
    ("unknown data", 'data = ["views", "purchases"]', 'data = ["views", "dreams"]', "'dreams'"),
    ("unknown data of a member", 'data = "genetic"', 'data = "dreams"', "'dreams'"),
    ("a notice left out", "[purpose.notice.de]", "[purpose.notice.fr]", "service.notice needs exactly"),
    ("a word left out", 'name = { en = "your genes", de =', 'name = { en = "your genes", fr =', "genetic.name needs"),
    ("sentences left out", "[words.de]", "[words.fr]", "words needs exactly"),
    ("data left unnamed", 'en = "what you bought", de =', 'en = "what you bought", fr =', "data.purchases.name"),
    (
        "a sentence without its place",
        "{days} days",
        "some days",
        r"words\.en\.retention must have a place for \{days\}",
    ),
    ("empty words", 'title = "Write to me"', 'title = ""', "title"),
    ("the same alias twice", '"newsletter"', '"newsletter", "Recommendations"', "'recommendations' is the name of two"),
    ("the same id twice", 'id = "message"', 'id = "learn"', "'learn' is the name of two"),
    ("no language", 'languages = ["en", "de"]', "languages = []", "languages"),
    ("no review", "review_by = 2027-11-30", 'review_by = "soon"', "review_by"),
]


@pytest.mark.parametrize(("before", "after", "said"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_a_mistake_in_the_file_is_refused_at_its_place(tmp_path, before, after, said):
    """A purposes file loads whole or not at all, and the error says where to look."""
    with pytest.raises(InvalidInput, match=said) as caught:
        Purposes.load(altered(tmp_path / "purposes.toml", before, after))
    assert caught.value.message.startswith("The purposes file cannot be used")


def test_a_purpose_declared_twice_is_a_mistake(tmp_path):
    """Two entries of one id would be two meanings of one consent."""
    path = tmp_path / "purposes.toml"
    text = BUILT_IN.read_text()
    start, end = text.index('[[purpose]]\nid = "learn"'), text.index('[[purpose]]\nid = "message"')
    path.write_text(text[:end] + text[start:end] + text[end:])
    with pytest.raises(InvalidInput, match="'learn' is the name of two purposes"):
        Purposes.load(path)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    """Bytes that are not UTF-8 are told from a wrong key."""
    path = tmp_path / "purposes.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInput, match="cannot be used"):
        Purposes.load(path)


def test_the_file_itself_is_plain_toml():
    """The shipped file parses with the standard library and names a review day everywhere."""
    content = tomllib.loads(BUILT_IN.read_text())
    assert all(isinstance(table["review_by"], date) for table in content["purpose"] + content["family"])
