"""Who may import whom: the contracts hold, and each of them breaks when it should."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def lint(root: Path, contract: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-cache"]
    if contract is not None:
        command += ["--contract", contract]
    return subprocess.run(
        command, cwd=root, env={"PYTHONPATH": str(root / "src")}, capture_output=True, text=True, check=False
    )


def test_every_contract_holds():
    """Each room imports only what its floor and its doors allow."""
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_contract_gives_guidance():
    """A broken contract says in plain words what to do instead."""
    assert all(contract["broken_contract_guidance"].strip() for contract in CONTRACTS)


@pytest.mark.parametrize(
    ("contract", "module", "line"),
    [
        ("floors", "terms/clock.py", "import assent.store"),
        ("floors", "decide/pipeline.py", "import assent.intake"),
        ("blind", "models/recommender/__init__.py", "import assent.vault"),
        ("surfaces", "web/api/people.py", "import assent.store"),
        ("mechanics", "web/http/fields.py", "import assent.web.api.people"),
        ("routes", "web/api/catalog.py", "import assent.web.api.people"),
        ("testing", "engine/__init__.py", "import assent.testing"),
        ("rings", "terms/clock.py", "import assent.terms.limits, assent.terms.ids\nimport assent.terms.randomness"),
        ("sql", "vault/vault.py", "import sqlalchemy"),
        ("cryptography", "store/topics/people.py", "import cryptography"),
        ("http", "engine/__init__.py", "import litestar"),
        ("terminal", "learn/sums_keeper.py", "import rich"),
        ("frames", "catalog/__init__.py", "import polars"),
        ("spark", "models/__init__.py", "import pyspark"),
    ],
)
def test_each_contract_breaks_when_it_should(tmp_path, contract, module, line):
    """One import too many, and the contract that forbids it is broken."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    target = tmp_path / "src" / "assent" / module
    target.write_text(target.read_text() + f"\n{line}\n")
    if contract == "rings":
        other = tmp_path / "src" / "assent" / "terms" / "randomness.py"
        other.write_text(other.read_text() + "\nimport assent.terms.clock\n")
    done = lint(tmp_path, contract)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout


def test_every_contract_is_broken_on_purpose_above():
    """No contract is left without a proof that it can break."""
    marks = test_each_contract_breaks_when_it_should.pytestmark
    broken = {case[0] for case in marks[0].args[1]}
    assert broken == {contract["id"] for contract in CONTRACTS}
