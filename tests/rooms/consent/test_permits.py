"""A permit for one purpose is not a permit for another: the type checker says so (at run time the vault does)."""

from pathlib import Path

import pytest
from mypy import api

import assent

HEAD = """
from assent.consent import built_in
from assent.terms.ids import PersonId
from assent.terms.permits import Permit, Refusal
from assent.terms.purposes import Learn, Personalize, Purpose

def learn_from(permit: Permit[Learn]) -> None: ...
def show(permit: Permit[Purpose]) -> None: ...
def may() -> Permit[Personalize] | Refusal:
    raise NotImplementedError
ann = PersonId(bytes(16))
declared = Permit(ann, built_in().tag("share:acme"), 0, "granted", "entry", 1)
own = Permit(ann, Personalize, 0, "granted", "entry", 1)
"""

SNIPPETS = [
    ("the right permit", "learn_from(Permit(ann, Learn, 0, 'granted', 'entry', 1))", ""),
    ("any permit where any is enough", "show(own)", ""),
    ("another purpose's permit", "learn_from(own)", '"Permit[Personalize]"; expected "Permit[Learn]"'),
    ("an answer nobody looked at", "show(may())", 'has incompatible type "Permit[Personalize] | Refusal"'),
    ("a declared purpose's permit where any is enough", "show(declared)", ""),
    ("a declared purpose's permit", "learn_from(declared)", '"Permit[Purpose]"; expected "Permit[Learn]"'),
    ("a refusal", "show(Refusal(Learn, 'withdrawn', 'entry'))", 'has incompatible type "Refusal"'),
]  # fmt: skip


@pytest.mark.parametrize(("line", "error"), [row[1:] for row in SNIPPETS], ids=[row[0] for row in SNIPPETS])
def test_the_type_checker_tells_permits_apart(line, error, tmp_path_factory, monkeypatch):
    """`Permit[Personalize]` where `Permit[Learn]` is wanted fails under `mypy --strict`."""
    monkeypatch.setenv("MYPYPATH", str(Path(assent.__file__).parents[1]))
    cache = tmp_path_factory.getbasetemp() / "mypy_cache"
    options = ["--strict", "--config-file=", f"--cache-dir={cache}", "--explicit-package-bases"]
    said, errors, status = api.run([*options, "-c", HEAD + line])
    assert errors == ""
    assert (status == 0) is (error == "")
    assert error in said
