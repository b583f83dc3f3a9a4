"""Sentences for people, one file for each language; the rest of the code uses codes (`assent.terms.refusals`)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from assent.terms.limits import limit

_FOLDER: Final = Path(__file__).parent

#: The language of sentences where no known language is named.
DEFAULT: Final = "en"
#: Every language that has a file.
LANGUAGES: Final = tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))
TAG_CHARS_MAX: Final = limit("language_tag_chars_max")


@cache
def sentences(language: str) -> Mapping[str, str]:
    """Return every sentence of a language by `table.code`; raises `KeyError` for a language that has no file."""
    if language not in LANGUAGES:
        raise KeyError(language)
    tables = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"{table}.{code}": words for table, rows in tables.items() for code, words in rows.items()}


def sentence(code: str, language: str = DEFAULT, **values: str | int) -> str:
    """Return the sentence of `table.code` with its values; raises `KeyError` for a code or language not there.

    Whole numbers are written with the thousands separator of the language.
    """
    texts = sentences(language)
    for name, value in values.items():
        if isinstance(value, int):
            values[name] = f"{value:,}".replace(",", texts["number.thousands"])
    return texts[code].format(**values) if values else texts[code]


@lru_cache(256)
def nearest(tag: str) -> str | None:
    """Return the known language that a tag such as `de-AT` asks for, None where there is none."""
    language = tag.strip().lower().replace("_", "-").partition("-")[0]
    return language if language in LANGUAGES else None
