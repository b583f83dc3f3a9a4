"""How commands speak."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from assent.cli.context import context_options
from assent.cli.screen import Screen, moment, plain, took
from assent.terms.answers.events import TakenIn
from assent.terms.answers.proofs import Check, Verification
from assent.terms.errors import AssentError, InvalidInput, NotFound
from assent.terms.plurals import counted


def spoken(act, *, as_json=False):
    """Run one act of a screen and return what came out on each side."""

    @click.command()
    def command():
        act(Screen(as_json=as_json))

    return CliRunner().invoke(command, [])


@pytest.mark.parametrize("closed", ["stdin", "stderr"])
def test_nobody_is_asked_through_a_stream_that_is_not_there(monkeypatch, closed):
    """A program begun with a closed stream says what to add, like one without a terminal."""
    screen = Screen()
    monkeypatch.setattr(f"sys.{closed}", None)
    with pytest.raises(InvalidInput) as caught:
        screen.confirm("Go on?", flag="--yes")
    assert caught.value.advice == "Add --yes to go ahead without being asked."


def test_counts_are_written_with_the_words_for_them():
    """One is one; nothing and many are many, with thousands apart."""
    result = [counted(count, "person", "people") for count in (0, 1, 2, 12_345)]
    assert result == ["0 people", "1 person", "2 people", "12,345 people"]


def test_a_table_adds_thousands_apart_and_stands_right():
    """Whole numbers stand right with thousands apart; words stand left; the total comes last."""
    shown = spoken(
        lambda screen: screen.table(("What", "Lines"), [("good", 12_345), ("bad", 7)], total=("all", 12_352))
    )
    lines = [line.rstrip() for line in shown.stdout.splitlines() if line.strip()]
    assert lines[0].split() == ["What", "Lines"]
    assert lines[1].split() == ["good", "12,345"]
    assert lines[1].index("12,345") + 6 == lines[2].index("7") + 1
    assert lines[-1].split() == ["all", "12,352"]


def test_nothing_is_colored_and_lines_fit_80_columns_when_nobody_watches():
    """Piped output has no escape codes and no line over 80 columns."""

    def act(screen):
        screen.heading("A heading")
        screen.pairs([("a name", "word " * 60), ("another", 3)])
        screen.table(("", "Item", "Because"), [(1, "Copper Coffee Mill", "viewed Stoneware Drip Kettle 40 %, " * 5)])

    result = spoken(act)
    assert "\x1b" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_words_are_printed_as_they_are(words):
    """Names with brackets, colons or markup are shown, not read as markup."""
    result = spoken(lambda screen: screen.say(f"[bold]{words}[/bold] :smile: [x]"))
    assert result.exit_code == 0
    assert "".join(f"[bold]{words}[/bold] :smile: [x]".split()) in "".join(result.stdout.split())


def test_an_error_says_what_is_wrong_and_what_to_do_on_standard_error():
    """An error has its message and its advice, on standard error alone."""
    result = spoken(lambda screen: screen.fail(NotFound("Nobody is known by that name.")))
    assert result.stdout == ""
    assert "Error: Nobody is known by that name." in result.stderr
    assert "Check the name" in result.stderr


def test_an_error_is_data_for_a_program():
    """With `--json` an error is one JSON object with code, message and advice."""
    result = spoken(lambda screen: screen.fail(NotFound("Not there.", advice="Look.")), as_json=True)
    assert json.loads(result.stderr) == {"error": {"code": "not_found", "message": "Not there.", "advice": "Look."}}


def test_every_answer_becomes_json():
    """Structs, mappings, sequences, sets, bytes and paths become what JSON can hold."""
    found = Verification(holds=True, checks=(Check("a", holds=True, found="b"),))
    assert plain(found) == {"holds": True, "checks": [{"name": "a", "holds": True, "found": "b"}]}
    assert plain(TakenIn(1, {"gpc": 2})) == {"stored": 1, "dropped": {"gpc": 2}}
    assert plain({"a": b"\x01\xff", "b": Path("x/y"), "c": {3}, "d": None, "e": 1.5}) == {
        "a": "01ff", "b": "x/y", "c": [3], "d": None, "e": 1.5
    }  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0004, "0.4 ms"), (0.012, "12.0 ms"), (0.9996, "999.6 ms"), (1.0, "1.0 s"), (75.26, "75.3 s")],
)
def test_lengths_of_time_have_the_unit_that_fits(seconds, words):
    """Under a second it is milliseconds, from there on seconds."""
    assert took(seconds) == words


def test_moments_read_in_utc():
    """A moment is a date and a time with its zone; none is never."""
    assert moment(1_767_603_600_000) == "2026-01-05 09:00 UTC"
    assert moment(None) == "never"


def test_progress_is_silent_when_nobody_watches():
    """Progress is for a terminal: piped, nothing of it is written."""

    def act(screen):
        with screen.busy("Waiting"), screen.counting("Counting") as result:
            result(1, 2)

    result = spoken(act)
    assert result.exit_code == 0
    assert result.stdout == result.stderr == ""


def test_a_failed_act_ends_with_1_and_no_traceback():
    """Every error of the context ends a command with exit code 1 and words, never a traceback."""

    @click.command()
    @context_options
    def command(context):
        raise AssentError("It broke.", advice="Mend it.")

    result = CliRunner().invoke(command, [])
    assert result.exit_code == 1
    assert result.stderr.splitlines() == ["Error: It broke.", "Mend it."]
    assert isinstance(result.exception, SystemExit)
