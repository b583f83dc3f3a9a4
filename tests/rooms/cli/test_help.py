"""Every command explains itself."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from assent.cli.app import COMMANDS, main

NAMES = [
    "init",
    "demo",
    "serve",
    "import",
    "train",
    "decide",
    "consent",
    "export",
    "erase",
    "verify",
    "bench",
    "doctor",
]


def test_the_commands_are_the_twelve_of_the_surface_in_the_order_a_newcomer_needs_them():
    """`assent --help` lists the twelve acts, from the first to the last that a newcomer needs."""
    assert [command.name for command in COMMANDS] == NAMES
    told = CliRunner().invoke(main, ["--help"])
    assert told.exit_code == 0
    places = [told.output.index(f"\n  {name} ") for name in NAMES]
    assert places == sorted(places)


@pytest.mark.parametrize("name", NAMES)
def test_help_has_examples_and_fits_80_columns(name):
    """Each command's help shows examples that begin with its own name, in lines of at most 80 columns."""
    told = CliRunner().invoke(main, [name, "--help"], terminal_width=80)
    assert told.exit_code == 0
    assert f"\n    assent {name}" in told.output
    prose = [line for line in told.output.splitlines() if not line.startswith("    assent ")]
    assert max(map(len, prose)) <= 80


@pytest.mark.parametrize("name", [name for name in NAMES if name != "serve"])
def test_every_command_can_answer_in_json(name):
    """A program may read every answer: `--json` is there."""
    assert "--json" in CliRunner().invoke(main, [name, "--help"]).output


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"demo", "bench"}))
def test_store_and_keys_can_be_named_everywhere(name):
    """Every command that opens a store takes `--store` and `--keys`, from the environment too."""
    told = CliRunner().invoke(main, [name, "--help"]).output
    assert "--store URL" in told
    assert "ASSENT_STORE" in told
    assert "--keys FILE" in told
    assert "ASSENT_KEY_FILE" in told


@pytest.mark.parametrize(
    "line", [["nonsense"], ["decide", "--nonsense"], ["import", "events"], ["import", "cars", "x"]]
)
def test_a_command_that_is_not_understood_ends_with_2(line):
    """Usage errors end with exit code 2."""
    assert CliRunner().invoke(main, line).exit_code == 2


def test_help_does_not_load_the_engine():
    """`assent --help` answers before arrays, databases and servers are loaded."""
    heavy = ("numpy", "sqlalchemy", "polars", "litestar", "assent.engine")
    code = (
        "import sys; from assent.cli import main\n"
        "try: main(['--help'])\n"
        f"except SystemExit: sys.exit(any(name in sys.modules for name in {heavy!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
