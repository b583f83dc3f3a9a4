"""What a type checker refuses, line by line: a slip of the pen, an answer nobody looked at, another permit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mypy import api

import assent

HEAD = """
from assent import Engine
from assent.consent import Ledger
from assent.store import Session
from assent.terms.ids import PersonId
from assent.terms.permits import Permit, Refusal
from assent.terms.purposes import Learn, Personalize
from assent.vault import PersonKey, Vault

def show(permit: Permit[Personalize]) -> None: ...
def show_asked(answer: Permit[Personalize] | Refusal) -> None: ...

def program(
    engine: Engine, vault: Vault, ledger: Ledger, session: Session, key: PersonKey, person: PersonId,
    learn: Permit[Learn], personalize: Permit[Personalize], either: Permit[Personalize] | Refusal,
) -> None:
    ...
"""

#: A line of a program, and the words of the type checker's error; empty where there must be none.
LINES = [
    ("engine.decide(count=3)", ""),
    ("engine.decide(cuont=3)", 'Unexpected keyword argument "cuont" for "decide" of "Engine"'),
    ("engine.decide(count='3')", 'Argument "count" to "decide" of "Engine" has incompatible type "str"'),
    ("engine.decide('ana').score", '"Decision" has no attribute "score"'),
    ("engine.decide('ana').items[0].because[0].share_percent", ""),
    ("engine.erase()", 'Missing positional argument "person" in call to "erase" of "Engine"'),
    ("engine.verify().holds = True", 'Property "holds" defined in "Verification" is read-only'),
    ("show(personalize)", ""),
    ("show(learn)", 'Argument 1 to "show" has incompatible type "Permit[Learn]"; expected "Permit[Personalize]"'),
    ("show(either)", 'Argument 1 to "show" has incompatible type "Permit[Personalize] | Refusal"'),
    ("show_asked(ledger.may(session, person, Personalize))", ""),
    ("show_asked(ledger.may(session, person, Learn))", 'has incompatible type "type[Learn]"'),
    ("vault.open_history(session, personalize, key, Personalize)", ""),
    ("vault.open_history(session, either, key, Personalize)", 'incompatible type "Permit[Personalize] | Refusal"'),
    ("vault.open_history(session, 'granted', key)", 'has incompatible type "str"; expected "Permit'),
]


def test_wrong_uses_are_seen_before_they_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`mypy --strict` names the wrong lines and no others."""
    program = tmp_path / "program.py"
    program.write_text(HEAD + "".join(f"    {line}\n" for line, _ in LINES))
    monkeypatch.setenv("MYPYPATH", str(Path(assent.__file__).parents[1]))
    # Other packages are not looked at: their types do not matter here and take long to read.
    options = ["--strict", "--config-file=", f"--cache-dir={tmp_path / 'cache'}", "--explicit-package-bases"]
    said, errors, _ = api.run(
        [*options, "--no-site-packages", "--ignore-missing-imports", "--follow-imports=silent", str(program)]
    )
    assert errors == ""
    told: dict[int, str] = {}
    for number, text in re.findall(r"program\.py:(\d+): error: (.*)", said):
        told[int(number)] = told.get(int(number), "") + text
    first = HEAD.count("\n") + 1
    for place, (line, error) in enumerate(LINES, first):
        assert (place in told) is bool(error), (line, told.get(place))
        assert error in told.get(place, ""), (line, told[place])
