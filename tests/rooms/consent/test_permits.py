"""A permit for one purpose is not a permit for another: the type checker says so, and so does the check at run time."""

from pathlib import Path

import pytest
from mypy import api

import assent
from assent.consent import Ledger, built_in
from assent.terms.errors import PermitNeeded
from assent.terms.ids import PersonId
from assent.terms.permits import Permit, Refusal
from assent.terms.purposes import Learn, Personalize, Purpose
from assent.testing import START_MS, FixedClock, SeededRandomness

ANN, BEN = PersonId(b"a" * 16), PersonId(b"b" * 16)

HEAD = """
from assent.terms.ids import PersonId
from assent.terms.permits import Permit, Refusal
from assent.terms.purposes import Learn, Personalize, Purpose

def learn_from(permit: Permit[Learn]) -> None: ...
def show(permit: Permit[Purpose]) -> None: ...
def may() -> Permit[Personalize] | Refusal:
    raise NotImplementedError
ann = PersonId(bytes(16))
own = Permit(ann, Personalize, 0, "granted", "entry")
"""

SNIPPETS = [
    ("the right permit", "learn_from(Permit(ann, Learn, 0, 'granted', 'entry'))", ""),
    ("any permit where any is enough", "show(own)", ""),
    ("another purpose's permit", "learn_from(own)", '"Permit[Personalize]"; expected "Permit[Learn]"'),
    ("an answer nobody looked at", "show(may())", 'has incompatible type "Permit[Personalize] | Refusal"'),
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


@pytest.fixture
def clock():
    """A clock that the test moves."""
    return FixedClock()


@pytest.fixture
def ledger(clock):
    """A ledger that needs no store for checking permits."""
    return Ledger(built_in(), clock, SeededRandomness())


def permit(person=ANN, tag=Learn, expires_ms=START_MS + 1):
    """A permit as the ledger mints it."""
    return Permit(person, tag, expires_ms, "granted", "entry")


def test_a_matching_permit_passes_until_it_runs_out(ledger, clock):
    """A permit is good up to its last moment and not at it."""
    ledger.permit_check(permit(), ANN, Learn)
    clock.at_ms += 1
    with pytest.raises(PermitNeeded, match="run out"):
        ledger.permit_check(permit(), ANN, Learn)


class Study(Purpose):
    """Somebody's own tag with a known id."""

    id = "learn"
    bit = 2


@pytest.mark.parametrize(
    ("held", "person", "tag"),
    [
        (permit(BEN), ANN, Learn),
        (permit(tag=Personalize), ANN, Learn),
        (permit(tag=Purpose), ANN, Learn),
        (permit(tag=Study), ANN, Learn),
        (permit(), ANN, Purpose),
        (Refusal(Learn, "withdrawn", "entry"), ANN, Learn),
        (None, ANN, Learn),
        (True, ANN, Learn),
    ],
    ids=["person", "purpose", "any purpose", "made-up tag", "asked for any", "refusal", "nothing", "true"],
)
def test_anything_else_is_no_permit(ledger, held, person, tag):
    """The check at run time catches what a cast or an untyped caller let through."""
    with pytest.raises(PermitNeeded):
        ledger.permit_check(held, person, tag)
