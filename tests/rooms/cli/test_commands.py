"""The commands on a real store."""

import json
import os
import stat
import subprocess
import sys

import pytest

from assent.engine import Engine
from tests.journeys.shop import BOTH, TEA, views


def data(result):
    """Return what a command printed as JSON."""
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_init_makes_a_private_key_file_and_shows_two_keys_once(run, tmp_path):
    """`init` makes the store, a key file that only its owner can read, and two keys that work and are shown once."""
    result = run("init", "--json")
    made = data(result)
    path = tmp_path / made["key_file"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with Engine.open("sqlite:///shop.db", create=False) as engine:
        assert engine.keys.role(made["server_key"]) == "server"
        assert engine.keys.role(made["browser_key"]) == "browser"
    files = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert made["server_key"].encode() not in files
    assert made["browser_key"].encode() not in files


def test_init_tells_a_newcomer_what_to_do_next(run):
    """`init` in words: the two keys, what they are for, and the next commands."""
    result = run("init").stdout
    assert "shown now and never again" in result
    assert "server_" in result
    assert "browser_" in result
    assert "assent serve" in result
    assert max(map(len, result.splitlines())) <= 80


def test_init_never_overwrites_a_key_file(run, tmp_path):
    """A key file that stands is kept, byte for byte, and the command fails with advice."""
    run("init")
    key = next(tmp_path.glob("*.key"))
    before = key.read_bytes()
    again = run("init")
    assert again.exit_code == 1
    assert "--keys" in again.stderr
    assert key.read_bytes() == before


def test_init_takes_store_and_keys_from_the_environment(run, tmp_path):
    """`ASSENT_STORE` and `ASSENT_KEY_FILE` name the store and the key file."""
    surroundings = {"ASSENT_STORE": "sqlite:///other.db", "ASSENT_KEY_FILE": str(tmp_path / "apart.key")}
    assert run("init", env=surroundings).exit_code == 0
    assert (tmp_path / "other.db").exists()
    assert (tmp_path / "apart.key").exists()
    assert data(run("doctor", "--json", env=surroundings))["well"]


@pytest.mark.parametrize(
    "line",
    ["train", "decide", "consent ana", "export ana", "erase ana --yes", "verify", "doctor", "serve", "import items x"],
)
def test_a_store_that_was_never_made_is_an_error_with_advice(run, tmp_path, line):
    """Only `init` makes a store; every other command says what is missing and what to do, and makes nothing."""
    (tmp_path / "x").write_text("[]")
    result = run(*line.split())
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) >= 2
    assert not (tmp_path / "shop.db").exists()


def test_a_lost_key_file_is_an_error_with_advice(run, tmp_path):
    """A store without its key file is not opened, and no new key file is made for it."""
    run("init")
    next(tmp_path.glob("*.key")).unlink()
    result = run("train")
    assert result.exit_code == 1
    assert "key file" in result.stderr
    assert run("init").exit_code == 1
    assert not list(tmp_path.glob("*.key"))


def test_train_says_how_many_people_and_the_digest(shop):
    """`train` reports people and digest; nothing changed since means the same digest; `--rebuild` gives it too."""
    first, again = data(shop("train", "--json")), data(shop("train", "--rebuild", "--json"))
    assert first["people"] == 9
    assert first["digest"] == again["digest"]
    assert again["rebuilt"]
    assert "Learned from 9 people" in shop("train").stdout


def test_decide_reads_well(shop):
    """`decide` in words: names, reasons with shares, what was used and not used, in 80 columns without color."""
    result = shop("decide", "ana", "--count", "3").stdout
    assert "Chosen from the person's own history." in result
    assert "bought Tea 2 (" in result
    assert "Not used" in result
    assert "Rests on the consent with receipt" in result
    assert "\x1b" not in result
    assert max(map(len, result.splitlines())) <= 80


def test_decide_passes_every_option_on(shop):
    """Count, item, exclude, mode and GPC do what they say."""
    assert [each["item"] for each in data(shop("decide", "--item", TEA[0], "--count", "2", "--json"))["items"]]
    excluded = data(shop("decide", "ana", "--exclude", f"{TEA[3]}, {TEA[4]}", "--json"))
    assert not {TEA[3], TEA[4]} & {each["item"] for each in excluded["items"]}
    assert not data(shop("decide", "ana", "--mode", "non_profiled", "--json"))["personal"]
    assert data(shop("decide", "ana", "--gpc", "--json"))["gpc_honored"]
    assert TEA[1] in {each["item"] for each in data(shop("decide", "ana", "--include-bought", "--json"))["items"]}
    assert shop("decide", "--count", "0").exit_code == 1


def test_decide_for_nobody_and_in_an_empty_shop_reads_well(run):
    """Without goods the answer says that there is nothing to suggest."""
    run("init")
    result = run("decide")
    assert result.exit_code == 0
    assert "There is nothing to suggest" in result.stdout


def test_consent_shows_and_changes_what_was_agreed(shop):
    """`consent` shows each purpose; `--withdraw` and `--grant` hold from the next call on."""
    assert "personalize" in shop("consent", "ana").stdout
    result = shop("consent", "ana", "--withdraw", "learn")
    assert "Recorded; receipt " in result.stdout
    assert "no: withdrawn" in result.stdout
    states = data(shop("consent", "ana", "--json"))["purposes"]
    assert not states["learn"]["allowed"]
    assert states["personalize"]["allowed"]
    granted = data(shop("consent", "bo@example.com", "--grant", "learn,personalize", "--evidence", "phone", "--json"))
    assert len(granted["receipts"]) == 2
    assert shop("consent", "ana", "--grant", "world_domination").exit_code == 1


def test_export_prints_or_writes_a_private_file(shop, tmp_path):
    """`export` prints JSON, or writes it where only the operator can read it; nothing is overwritten."""
    assert len(data(shop("export", "ana"))["events"]) == 4
    assert shop("export", "ana", "--output", "ana.json").exit_code == 0
    path = tmp_path / "ana.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(json.loads(path.read_text())["events"]) == 4
    assert shop("export", "ana", "--output", "ana.json").exit_code == 1
    assert data(shop("export", "ana", "--output", "other.json", "--json")) == {"output": "other.json"}


@pytest.mark.parametrize(
    "line", ["export nobody", "erase nobody --yes", "consent nobody", "consent nobody --withdraw learn"]
)
def test_an_unknown_person_is_an_error_without_their_name(shop, line):
    """Nobody by that name: exit code 1, advice, and the name is not repeated."""
    result = shop(*line.split())
    assert result.exit_code == 1
    assert "Nobody is known by that name." in result.stderr
    assert "nobody" not in result.stderr


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("", 1), ("y", 0)])
def test_erase_asks_first(shop, monkeypatch, answer, code):
    """At a terminal the command asks without `--yes`; only a yes erases, whatever else is said erases nobody."""
    with monkeypatch.context() as terminal:
        terminal.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True)
        result = shop("erase", "ana", input=f"{answer}\n")
    assert "It cannot be undone." in result.stderr
    assert result.exit_code == code
    assert shop("export", "ana").exit_code == 1 - code


@pytest.mark.parametrize("terminals", [(), ("stdin",), ("stderr",)])
def test_erase_without_a_terminal_says_how_to_go_ahead(shop, monkeypatch, terminals):
    """Nobody can be asked, so a line in the pipe is no yes: the command names `--yes` and erases nobody."""
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda file: file.name.strip("<>") in terminals)
    result = shop("erase", "ana", input="y\n")
    assert result.exit_code == 1
    assert "Error: " in result.stderr
    assert "Add --yes" in result.stderr
    assert shop("export", "ana").exit_code == 0


def test_erase_without_a_terminal_tells_programs_too(shop):
    """With `--json` the error is JSON on standard error, and standard output stays empty."""
    result = shop("erase", "ana", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    error = json.loads(result.stderr)["error"]
    assert error["code"] == "invalid_input"
    assert "--yes" in error["advice"]


def test_erase_leaves_a_certificate_that_verifies_until_it_is_altered(shop, tmp_path):
    """The certificate goes into a file that `verify` accepts, and refuses after one changed word."""
    result = shop("erase", "ana", "--yes")
    assert result.exit_code == 0
    assert "Erased in" in result.stdout
    path = next(tmp_path.glob("erasure-*.json"))
    assert shop("verify", path.name).exit_code == 0
    assert shop("export", "ana").exit_code == 1
    certificate = json.loads(path.read_text())
    certificate["body"]["requested"] = "2020-01-01T00:00:00.000Z"
    (tmp_path / "forged.json").write_text(json.dumps(certificate))
    forged = shop("verify", "forged.json")
    assert forged.exit_code == 1
    assert "FAILS" in forged.stdout


def test_erase_writes_where_it_is_told_and_never_over_something(shop, tmp_path):
    """`--certificate FILE` is refused before anything is erased when FILE stands already."""
    (tmp_path / "taken.json").write_text("mine")
    assert shop("erase", "ana", "--yes", "--certificate", "taken.json").exit_code == 1
    assert (tmp_path / "taken.json").read_text() == "mine"
    assert shop("export", "ana").exit_code == 0
    proof = data(shop("erase", "ana", "--yes", "--certificate", "mine.json", "--json"))
    assert json.loads((tmp_path / "mine.json").read_text()) == proof


def test_erase_in_json_prints_the_certificate_and_writes_no_file(shop, tmp_path):
    """A program gets the certificate on standard output."""
    proof = data(shop("erase", "ana", "--yes", "--json"))
    assert {"body", "signature", "public_key"} <= proof.keys()
    assert not list(tmp_path.glob("erasure-*.json"))


def test_verify_holds_and_sees_an_altered_log(shop):
    """`verify` proves log and sum; after one changed byte of the log it fails with exit code 1."""
    import sqlite3

    assert shop("verify", "--rebuild").exit_code == 0
    connection = sqlite3.connect("shop.db")
    with connection:
        connection.execute("UPDATE log_leaves SET leaf = zeroblob(32) WHERE idx = 1")
    connection.close()
    result = shop("verify")
    assert result.exit_code == 1
    assert "Something does not hold." in result.stdout
    assert not json.loads(shop("verify", "--json").stdout)["holds"]


@pytest.mark.parametrize("text", ["not json", "[]", "{}", '{"body": 1}', "[" * 5000])
def test_verify_refuses_what_is_no_certificate(shop, tmp_path, text):
    """A file that is no certificate is an error with advice, not a traceback."""
    (tmp_path / "some.json").write_text(text)
    result = shop("verify", "some.json")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")


def test_verify_refuses_a_huge_file(shop, tmp_path):
    """A file far too large for a certificate is not read."""
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(50_000_000)
    assert "too large" in shop("verify", "huge.json").stderr


def test_doctor_tells_counts_and_nobody(shop):
    """`doctor` tells counts and advice, and nothing about anybody."""
    result = shop("doctor")
    assert result.exit_code == 0
    assert "9 people" in result.stdout
    assert "ana" not in result.stdout.replace("assent", "")
    os.chmod("shop.key", 0o644)  # noqa: PTH101 - as an operator would
    exposed = shop("doctor")
    assert exposed.exit_code == 1
    assert "chmod" in exposed.stdout + exposed.stderr


def test_unlisted_items_are_told_by_the_doctor(run):
    """Items that only events named are counted and told."""
    run("init")
    with Engine.open("sqlite:///shop.db", create=False) as engine:
        engine.take_in(views("ana", TEA, BOTH))
    assert "6 only seen in events" in run("doctor").stdout


def test_the_command_runs_as_a_program(tmp_path):
    """`python -m assent.cli` is the command, with its exit codes."""

    def program(*line):
        return subprocess.run(
            [sys.executable, "-m", "assent.cli", *line], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    assert program("init").returncode == 0
    again = program("init", "--json")
    assert again.returncode == 1
    assert json.loads(again.stderr)["error"]["code"] == "key_file_exists"
    assert program("nonsense").returncode == 2
    assert "Traceback" not in program("train").stderr
