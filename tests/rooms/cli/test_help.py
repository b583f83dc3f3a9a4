"""Every command explains itself."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from assent.cli import commands
from assent.cli.app import InOrder, every_command, main

#: The commands that state a place, in the order in which a newcomer needs them.
NAMES = [
    *("init", "demo", "serve", "import", "catalog", "train", "decide", "purposes", "consent", "export", "erase"),
    *("verify", "keys", "bench", "doctor"),
]


def lines(command=main, path=()):
    """Return the words that call each command that does something, groups left out."""
    if not isinstance(command, click.Group) or command.name == "bench":
        return [path]
    return [line for name, inner in command.commands.items() for line in lines(inner, (*path, name))]


LINES = lines()
#: Groups and commands that act.
EVERY = sorted({(name,) for name in main.commands} | set(LINES))


def test_the_commands_stand_in_the_order_a_newcomer_needs_them():
    """`assent --help` lists them from the first to the last that a newcomer needs, and the others after them."""
    assert [command.name for command in every_command()][: len(NAMES)] == NAMES
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    places = [result.output.index(f"\n  {name} ") for name in NAMES]
    assert places == sorted(places)


def test_a_new_capability_is_a_file_and_nothing_else(tmp_path, monkeypatch):
    """A file that states no place comes after all that do, by name; one that states places stands there."""
    (tmp_path / "vouchers.py").write_text(
        "import click\n\n\n@click.group()\ndef vouchers():\n    pass\n\n\n"
        "@click.command()\ndef gifts():\n    pass\n\n\nCOMMANDS = (vouchers, gifts)\n"
    )
    (tmp_path / "coupons.py").write_text(
        "import click\n\n\n@click.command()\ndef coupons():\n    pass\n\n\nCOMMANDS, ORDER = (coupons,), (15,)\n"
    )
    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])
    found = [command for command in every_command() if command.name in {*NAMES, "coupons", "gifts", "vouchers"}]
    group = InOrder(commands={command.name: command for command in found})
    assert group.list_commands(click.Context(group)) == [NAMES[0], "coupons", *NAMES[1:], "gifts", "vouchers"]


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_help_has_examples(line):
    """Each command's help shows examples that begin with its own name."""
    result = CliRunner().invoke(main, [*line, "--help"], terminal_width=80)
    assert result.exit_code == 0
    assert f"\n    assent {' '.join(line)}" in result.output


@pytest.mark.parametrize("line", EVERY, ids=" ".join)
def test_help_fits_80_columns(line):
    """No line of prose is longer than 80 columns."""
    result = CliRunner().invoke(main, [*line, "--help"], terminal_width=80)
    prose = [text for text in result.output.splitlines() if not text.startswith("    assent ")]
    assert max(map(len, prose)) <= 80


@pytest.mark.parametrize("line", [line for line in LINES if line != ("serve",)], ids=" ".join)
def test_every_command_can_answer_in_json(line):
    """A program may read every answer: `--json` is there."""
    assert "--json" in CliRunner().invoke(main, [*line, "--help"]).output


@pytest.mark.parametrize("line", [line for line in LINES if line not in {("demo",), ("bench",)}], ids=" ".join)
def test_store_and_keys_can_be_named_everywhere(line):
    """Every command that opens a store takes `--store` and `--keys`, from the environment too."""
    result = CliRunner().invoke(main, [*line, "--help"]).output
    assert "--store URL" in result
    assert "ASSENT_STORE" in result
    assert "--keys FILE" in result
    assert "ASSENT_KEY_FILE" in result


@pytest.mark.parametrize(
    "line", [["nonsense"], ["decide", "--nonsense"], ["import", "events"], ["import", "cars", "x"], ["catalog", "eat"]]
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
