"""The demo, on a smaller crowd than a newcomer sees."""

import json
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from assent.cli.app import main
from assent.demo import shop
from assent.demo.folder import FOLDER, MARK
from tests.processes import free_port

ACTS = ["arrivals", "learned", "held", "asked", "asked", "asked", "erased", "others", "erased", "proved"]


@pytest.fixture(scope="module")
def acts():
    """Play the show once with 300 people, and return its data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop, "PEOPLE", 300)
        patch.setattr(shop, "CROWD_COMPARED", 20)
        played = CliRunner().invoke(main, ["demo", "--once", "--json"], catch_exceptions=False)
    assert played.exit_code == 0, played.stderr
    return json.loads(played.stdout)["acts"]


def test_the_show_has_its_acts_in_order(acts):
    """Arrivals, learning, what is held, three lists, two erasures with the others between, and the proof."""
    assert [act["act"] for act in acts] == ACTS


def test_every_event_is_stored_or_refused_for_a_reason(acts):
    """Row by row, what was sent is what was stored plus what was refused; a no is stored nowhere."""
    rows = acts[0]["shop"]["rows"]
    for row in rows:
        assert row["events"] == row["stored"] + sum(row["refused"].values()), row
    stored = {row["who"]: row["stored"] for row in rows}
    assert stored["yes to personalize and learn"] > 0
    assert stored["yes to learn only"] > 0
    assert stored["no to both"] == stored["was never asked"] == stored["yes, but the browser sends Sec-GPC"] == 0
    reasons = {reason for row in rows for reason in row["refused"]}
    assert {"no_consent", "gpc", "duplicate", "in_future", "no_identifier"} <= reasons


def test_only_those_who_said_yes_to_learn_are_learned_from(acts):
    """The people in the sum are those who said yes to both or to learn only."""
    people = {row["who"]: row["people"] for row in acts[0]["shop"]["rows"]}
    assert acts[1]["report"]["people"] == people["yes to personalize and learn"] + people["yes to learn only"]


def test_nothing_is_kept_that_nobody_asked_for(acts):
    """The export of a person holds neither their network address nor the query of a page's address."""
    assert acts[2]["events"] > 10
    assert len(acts[2]["kept_unasked"]) == 2
    assert not any(acts[2]["kept_unasked"].values())


def test_the_lists_follow_what_the_person_says(acts):
    """Personal with reasons, still personal without `learn`, general without `personalize`."""
    first, second, third = (act["decision"] for act in acts if act["act"] == "asked")
    assert first["personal"]
    assert len(first["items"]) == 10
    assert all(each["because"] for each in first["items"])
    assert second["personal"]
    assert not third["personal"]
    assert third["not_used"][0]["what"] == "the person's own history"


def test_withdrawing_learn_changes_the_sum_and_withdrawing_personalize_does_not(acts):
    """The digest changes with the first withdrawal, by one person, and stands at the second."""
    first, second, third = (act for act in acts if act["act"] == "asked")
    assert second["digest_before"] == first["digest"] != second["digest"] == third["digest"]
    assert second["people_learned_from"] == first["people_learned_from"] - 1 == third["people_learned_from"]


def test_an_erased_person_leaves_nothing(acts):
    """Both erasures are certified; the one who never withdrew leaves the sum with it; nobody is found afterwards."""
    withdrawn, at_once = (act for act in acts if act["act"] == "erased")
    assert withdrawn["digest_before"] == withdrawn["digest_after"]
    assert at_once["digest_before"] != at_once["digest_after"]
    assert at_once["people_after"] == at_once["people_before"] - 1
    for act in (withdrawn, at_once):
        assert act["checked"]["holds"]
        assert act["left"]["export"] == "nobody is known by that name"
        assert act["left"]["list"] == "the same as for a stranger"
        assert act["left"]["files"] == "their name stands in them 0 times"


def test_the_proof_holds(acts):
    """Log and sum hold, and the sum is added up anew."""
    assert acts[-1]["found"]["holds"]
    assert any("rebuilt" in check["name"] for check in acts[-1]["found"]["checks"])


def test_the_show_reads_well_and_leaves_nothing_behind(monkeypatch, tmp_path):
    """In words: ten numbered headings, no line over 80 columns, no color when piped, no folder left with `--once`."""
    monkeypatch.setattr(shop, "PEOPLE", 60)
    monkeypatch.setattr(shop, "CROWD_COMPARED", 5)
    monkeypatch.chdir(tmp_path)
    played = CliRunner().invoke(main, ["demo", "--once"], catch_exceptions=False)
    assert played.exit_code == 0
    lines = played.stdout.splitlines()
    for number in range(1, len(ACTS) + 1):
        assert any(line.startswith(f"{number}  ") for line in lines)
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in played.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_the_demo_did_not_make_is_left_alone(monkeypatch, tmp_path):
    """A `demo-shop` of somebody else is never emptied."""
    monkeypatch.chdir(tmp_path)
    FOLDER.mkdir()
    (FOLDER / "mine").write_text("precious")
    played = CliRunner().invoke(main, ["demo"])
    assert played.exit_code == 1
    assert "demo did not make it" in " ".join(played.stderr.split())
    assert (FOLDER / "mine").read_text() == "precious"


def test_three_people_are_named_or_the_command_is_not_understood(tmp_path):
    """`--people` with any other number of names is a usage error."""
    assert CliRunner().invoke(main, ["demo", "--once", "--people", "a,b"]).exit_code == 2


def test_the_demo_serves_and_its_curl_line_works(tmp_path):
    """Without `--once` the shop is served: the printed line gets an answer, and an interrupt ends demo and server."""
    code = "from assent.demo import shop; shop.PEOPLE = 40\nfrom assent.cli import main; main()"
    port = free_port()
    with (tmp_path / "told").open("wb") as out:
        demo = subprocess.Popen(
            [sys.executable, "-c", code, "demo", "--json", "--port", str(port)], cwd=tmp_path, stdout=out
        )
    try:
        until = time.monotonic() + 90
        while b'"curl"' not in (tmp_path / "told").read_bytes() and demo.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        served = json.loads((tmp_path / "told").read_bytes())["served"]
        assert len(served["urls"]) == 3
        answer = subprocess.run(served["curl"], shell=True, capture_output=True, check=True).stdout
        assert len(json.loads(answer)["items"]) == 3
    finally:
        demo.terminate()
        demo.wait(30)
    assert demo.returncode == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert (tmp_path / FOLDER / MARK).exists()
    assert os.stat(tmp_path / FOLDER / "shop.key").st_mode & 0o077 == 0  # noqa: PTH116 - the bits themselves


def retail(path, customers=12):
    """Write a small file of the shape of UCI Online Retail: two tastes, a guest line, and a cancellation."""
    import polars as pl

    begun = datetime(2011, 3, 1, 9, 0, tzinfo=UTC).replace(tzinfo=None)
    lines = [
        (
            f"5{number:03d}{turn}",
            f"2{(number % 2) * 5 + good:04d}",
            f"GOOD {number % 2} {good}",
            2,
            1.5 + good,
            10_001.0 + number,
        )
        for number in range(customers)
        for turn in range(2)
        for good in range(turn, turn + 3 + number % 3)
    ]
    lines += [("59000", "20001", "GOOD 0 1", 1, 2.5, None), ("C59001", "20001", "GOOD 0 1", -1, 2.5, 10_001.0)]
    heads = ["InvoiceNo", "StockCode", "Description", "Quantity", "UnitPrice", "CustomerID"]
    frame = pl.DataFrame(lines, schema=heads, orient="row")
    moments = [begun + timedelta(hours=place) for place in range(len(lines))]
    frame.with_columns(pl.Series("InvoiceDate", moments), pl.lit("France").alias("Country")).write_parquet(path)
    return len(lines)


def test_the_show_plays_with_the_file_that_is_given(tmp_path):
    """With `--data` every line of the file is accounted for, and the same acts are played with people of the file."""
    lines = retail(tmp_path / "retail.parquet")
    line = ["demo", "--once", "--json", "--data", str(tmp_path / "retail.parquet"), "--people", "10001,10003,10004"]
    played = CliRunner().invoke(main, line, catch_exceptions=False)
    assert played.exit_code == 0, played.stderr
    acts = json.loads(played.stdout)["acts"]
    assert [act["act"] for act in acts] == ACTS
    row = acts[0]["shop"]["rows"][0]
    assert row["events"] == lines == row["stored"] + sum(row["refused"].values())
    assert row["refused"]["guest"] == row["refused"]["cancelled"] == 1
    assert acts[3]["decision"]["personal"]
    assert acts[-1]["found"]["holds"]


def test_somebody_who_is_not_in_the_file_cannot_play(tmp_path):
    """A name that the file does not have is an error with advice, and no folder is left."""
    retail(tmp_path / "retail.parquet")
    line = ["demo", "--once", "--data", str(tmp_path / "retail.parquet"), "--people", "1,2,3"]
    played = CliRunner().invoke(main, line, catch_exceptions=False)
    assert played.exit_code == 1
    assert "Nobody is known by that name." in played.stderr
