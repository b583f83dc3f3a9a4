"""`assent bench recommend`: figures by hand, rows for whoever cannot run, words for whoever reads."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from assent.bench import peers as peers_module
from assent.bench import runs as running_module
from assent.bench.peers import PEERS
from assent.cli.app import main

KEYS = ["model", "recall@20", "ndcg@20", "fit_seconds", "peak_mb", "people_per_second"]


@pytest.fixture
def files(tmp_path):
    """Write a small training part and a test part: what people took next to each other, they take again."""
    random = np.random.default_rng(7)
    train, test = [], []
    for person in range(60):
        first = int(random.integers(0, 20))
        held = [(first + step) % 24 for step in range(5)]
        train.append(f"{person} {' '.join(map(str, held))}")
        test.append(f"{person} {(first + 5) % 24}")
    (tmp_path / "train.txt").write_text("\n".join(train))
    (tmp_path / "test.txt").write_text("\n".join(test))
    return ["--train", str(tmp_path / "train.txt"), "--test", str(tmp_path / "test.txt")]


def bench(*line):
    return CliRunner().invoke(main, ["bench", "recommend", "--threads", "1", *line], catch_exceptions=False)


def test_rows_have_their_keys_ours_first(files):
    """A list of rows, ours first, with the agreed keys first; what is not a number says why in a note."""
    result = bench(*files, "--json", "--peers", "popularity,ease", "--set", "ease.ridge=5")
    assert result.exit_code == 0, result.stderr
    rows = json.loads(result.stdout)
    assert [row["model"] for row in rows] == ["assent", "ease", "popularity"]
    for row in rows:
        assert list(row)[:6] == KEYS
        assert all(row[key] > 0 for key in KEYS[1:]), row
        assert row["note"] is None
    assert rows[0]["recall@20"] == rows[1]["recall@20"] > rows[2]["recall@20"] / 2
    assert rows[1]["settings"] == {"ridge": 5}
    assert {"ridge", "dtype"} <= rows[0]["settings"].keys()
    assert "assent" in result.stderr


def test_a_person_reads_rows_as_they_come_and_what_they_mean(files, monkeypatch):
    """Sizes, heads, figures, settings; a model that is not installed and one that fails do not stop the others."""
    monkeypatch.setitem(peers_module.PEERS, "sansa", peers_module.Peer("sansa", "made up", {}, "no_such_package"))
    result = bench(*files, "--count", "5", "--peers", "ease,sansa", "--set", "ease.ridge=0")
    assert result.exit_code == 0, result.stderr
    words = " ".join(result.stdout.split())
    assert "Learned from: 60 people, 24 items, 300 pairs." in words
    assert "Judged by: 60 people who took 60 more items." in words
    assert "Recall@5 NDCG@5" in words
    assert "ease failed: The ridge of EASE is a number above zero." in words
    assert "sansa not installed" in words
    assert "weight_exponent" in words


def test_when_our_own_model_fails_the_exit_code_is_1(files):
    """The rows are told all the same."""
    result = bench(*files, "--json", "--peers", "popularity", "--set", "assent.no_such=1")
    assert result.exit_code == 1
    ours, other = json.loads(result.stdout)
    assert ours["recall@20"] is None
    assert "no_such" in ours["note"]
    assert other["recall@20"] > 0


def test_peers_that_are_installed_run(files):
    """Each peer that is installed suggests all there is on its own settings; the others say that they are not."""
    result = bench(*files, "--json", "--peers", "implicit-als,implicit-bpr,sansa", "--count", "30")
    for row in json.loads(result.stdout)[1:]:
        if PEERS[row["model"]].installed:
            assert (row["note"], row["recall@30"]) == (None, 1.0)
        else:
            assert (row["note"], row["recall@30"]) == ("not installed", None)


def test_events_give_the_same_as_their_split_written_out(tmp_path):
    """Without times, a file of events and the same split as two text files give equal figures."""
    random = np.random.default_rng(3)
    lines, held = ["person,item,time"], {}
    for person in range(40):
        for item in random.permutation(16)[:6]:
            early = random.random() < 0.7
            lines.append(f"{person:02},{item:02},{'2026-01-05' if early else '2026-03-05'}")
            held.setdefault(early, {}).setdefault(person, []).append(int(item))
    (tmp_path / "events.csv").write_text("\n".join(lines))
    for early, name in ((True, "train.txt"), (False, "test.txt")):
        text = "\n".join(f"{person} {' '.join(map(str, items))}" for person, items in held[early].items())
        (tmp_path / name).write_text(text)
    line = ["--json", "--peers", "none", "--count", "4"]
    by_time = bench("--events", str(tmp_path / "events.csv"), "--split", "2026-02-01", "--no-times", *line)
    by_files = bench("--train", str(tmp_path / "train.txt"), "--test", str(tmp_path / "test.txt"), *line)
    one, other = json.loads(by_time.stdout)[0], json.loads(by_files.stdout)[0]
    assert (one["recall@4"], one["ndcg@4"]) == (other["recall@4"], other["ndcg@4"])


def refused_line(files, line):
    """Run a line with a real file in the place of each `FILE`, and return what is told when it is not understood."""
    result = bench(*(files[1] if word == "FILE" else word for word in line))
    assert result.exit_code == 2
    return result.stderr


@pytest.mark.parametrize(
    "line",
    [
        [],
        ["--train", "FILE"],
        ["--train", "FILE", "--test", "FILE", "--events", "FILE", "--split", "2026-01-01"],
        ["--events", "FILE"],
        ["--events", "FILE", "--split", "soon"],
        ["--train", "FILE", "--test", "no such file"],
        ["--train", "FILE", "--test", "FILE", "--peers", "gorse"],
        ["--train", "FILE", "--test", "FILE", "--peers", ","],
        ["--train", "FILE", "--test", "FILE", "--set", "ease.size=1"],
        ["--train", "FILE", "--test", "FILE", "--set", "ease.ridge"],
        ["--train", "FILE", "--test", "FILE", "--set", "ease.ridge=[1]"],
        ["--train", "FILE", "--test", "FILE", "--set", "ease.ridge=much"],
        ["--train", "FILE", "--test", "FILE", "--set", "ease.ridge=true"],
        ["--train", "FILE", "--test", "FILE", "--set", "ease.ridge=Infinity"],
        ["--train", "FILE", "--test", "FILE", "--set", "ease.ridge=-1"],
        ["--train", "FILE", "--test", "FILE", "--set", "assent.ridge=1e999"],
        ["--train", "FILE", "--test", "FILE", "--set", "implicit-als.factors=1.5"],
        ["--train", "FILE", "--test", "FILE", "--count", "0"],
        ["--train", "FILE", "--test", "FILE", "--threads", "0"],
        ["--train", "FILE", "--test", "FILE", "--tune", "0"],
    ],
)
def test_a_line_that_is_not_understood_ends_with_2(files, line):
    """What to measure on must be named once and fully, and options must be ones that exist."""
    assert "Error: " in refused_line(files, line)


@pytest.mark.parametrize(
    "line",
    [
        ["--train", "FILE", "--train", "FILE", "--test", "FILE"],
        ["--train", "FILE", "--test", "FILE", "--test", "FILE"],
        ["--events", "FILE", "--events", "FILE", "--split", "2026-01-01"],
        ["--events", "FILE", "--split", "2026-01-01", "--split", "2026-02-01"],
    ],
)
def test_a_file_named_twice_is_not_passed_over(files, line):
    """Of two training parts or two dates none is dropped in silence."""
    assert "It is given 2 times; name one." in refused_line(files, line)


def test_a_folder_is_not_a_file(tmp_path):
    """A folder in the place of a file is said so."""
    result = bench("--train", str(tmp_path), "--test", str(tmp_path))
    assert result.exit_code == 2
    assert "is a directory" in result.stderr


def test_one_person_and_one_item_are_counted_as_one(files, tmp_path):
    """The smallest split that there is: somebody who is suggested the one item that the others hold besides."""
    (tmp_path / "train.txt").write_text("1 5\n2 5 6\n3 5 6\n")
    (tmp_path / "test.txt").write_text("1 6\n4 5\n")
    result = bench(*files, "--peers", "none")
    words = " ".join(result.stdout.split())
    assert result.exit_code == 0
    assert "Learned from: 3 people, 2 items, 5 pairs." in words
    assert "Judged by: 1 person who took 1 more item." in words
    assert "1 person of the test part is not in the training part: left out." in words
    assert "assent 1.0000 1.0000" in words


def test_data_that_cannot_be_used_ends_with_1_and_advice(files, tmp_path):
    """The line of the file and what to do about it are said; with --json, to programs."""
    (tmp_path / "test.txt").write_text("1 2\n1 x\n")
    result = bench(*files)
    assert result.exit_code == 1
    assert "test.txt, line 2" in result.stderr
    assert json.loads(bench(*files, "--json").stderr)["error"]["code"] == "invalid_input"


def test_help_shows_an_example_of_each_kind():
    """`--help` of both commands names the other kind of data too."""
    runner = CliRunner()
    result = runner.invoke(main, ["bench", "recommend", "--help"]).output
    assert "assent bench recommend --train train.txt --test test.txt" in result
    assert "assent bench recommend --events" in result
    assert "recommend" in runner.invoke(main, ["bench", "--help"]).output


def test_a_child_that_says_nothing_is_told_by_how_it_ended(files, monkeypatch):
    """One that the system ends for want of memory, one that is ended otherwise, one that breaks before it begins."""
    assert "memory" in running_module._ended(-9, "")
    assert "signal 11" in running_module._ended(-11, "")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    result = bench(*files, "--json", "--peers", "none")
    assert result.exit_code == 1
    assert "exit code 1" in json.loads(result.stdout)[0]["note"]


def test_what_is_told_of_a_stage_is_not_the_answer(files, monkeypatch, tmp_path):
    """A child that repeats its stage after its figures has given its figures all the same."""
    script = tmp_path / "child.py"
    script.write_text(
        """
import sys
import numpy as np
folder = sys.argv[-1]
np.save(folder + "/lists.npy", np.zeros((60, 20), np.int64))
print('{"stage": "fitting", "share": 0.0}')
print('{"done": {"fit_seconds": 1.0, "peak_mb": 1.0, "people_per_second": 1.0}}')
print('{"stage": "fitting", "share": 0.0}')
"""
    )
    starter = tmp_path / "python"
    starter.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    starter.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(starter))
    result = bench(*files, "--json", "--peers", "none")
    assert json.loads(result.stdout)[0]["fit_seconds"] == 1.0


@pytest.mark.parametrize(("stop", "asked"), [(os.kill, signal.SIGTERM), (os.killpg, signal.SIGINT)])
def test_what_was_measured_is_told_when_it_is_stopped(files, tmp_path, stop, asked):
    """Asked to stop in the middle, or by Ctrl-C, it prints the rows so far and leaves nothing on the disk."""
    if not PEERS["implicit-bpr"].installed:
        pytest.skip("implicit is not installed, and only its BPR can be told to go on for ever")
    line = ["--json", "--peers", "implicit-bpr", "--set", "implicit-bpr.iterations=100000000"]
    (tmp_path / "temporary").mkdir()
    running = subprocess.Popen(
        [sys.executable, "-m", "assent.cli", "bench", "recommend", *files, *line],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
        start_new_session=True,
    )
    assert running.stderr.readline().startswith("assent ")
    stop(running.pid, asked)
    out, errors = running.communicate(timeout=60)
    assert running.returncode == 1
    assert errors.strip() == "Aborted!"
    assert [row["model"] for row in json.loads(out)][:1] == ["assent"]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_our_model_finds_settings_of_its_own(files):
    """With --tune the time that the search took is told apart, and the settings are those that it found."""
    result = bench(*files, "--json", "--peers", "none", "--tune", "1")
    assert result.exit_code == 0, result.stdout
    (row,) = json.loads(result.stdout)
    assert row["tune_seconds"] > 0
    assert row["fit_seconds"] > 0
    assert row["settings"]["ridge"] > 0
