"""The consent column of a file: a no, a blank and an unclear word are never a yes, whatever the operator states."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rooms.intake.shop import Shop

NOES = ["no", "NO", " n ", "false", "0", "none", "null", "refused", "denied", ""]


def imported(shop: Shop, folder: Path, said: list[str], **stated: object) -> dict[str, int]:
    """Import a line of ann for each text of the consent column, and one yes of bob; return the table of counts."""
    lines = ["user_id,product_id,event,timestamp,agreed"]
    lines += [f'ann,item-{number},view,2025-03-01,"{each}"' for number, each in enumerate(said)]
    lines += ["bob,tea,view,2025-03-01,yes", ""]
    path = folder / "events.csv"
    path.write_text("\n".join(lines))
    options = {"grant": ("personalize", "learn"), "evidence": "asked", "consent_column": "agreed", **stated}
    return dict(shop.importer.run("events", path, **options).table)


@pytest.mark.parametrize("said", [[no] for no in NOES] + [["yes", "no"], ["no", "yes"], ["yes", ""], ["message"]])
def test_a_no_is_not_overruled_by_the_stated_purposes(file_shop: Shop, tmp_path: Path, said: list[str]) -> None:
    """Purposes are stated for those who say yes: whoever says no on any of their lines is not imported."""
    table = imported(file_shop, tmp_path, said)
    assert file_shop.find("ann") is None
    assert table == {"imported": 1, "guest": 0, "bad": 0, "no_consent": len(said)}
    assert file_shop.states("bob") == {"personalize": "granted", "learn": "granted"}


@pytest.mark.parametrize("yes", ["yes", "Y", "true", "1", "granted"])
def test_a_yes_is_one_to_the_stated_purposes_alone(file_shop: Shop, tmp_path: Path, yes: str) -> None:
    """However it is written, it grants what the operator asked for and nothing besides."""
    imported(file_shop, tmp_path, [yes], grant=("learn",))
    assert file_shop.states("ann") == {"learn": "granted"}


@pytest.mark.parametrize("said", ["personalize,message", "personalize message", "personalize;message"])
def test_a_list_of_purposes_cannot_widen_what_was_stated(file_shop: Shop, tmp_path: Path, said: str) -> None:
    """Purposes that a line names count only where the operator states them too."""
    imported(file_shop, tmp_path, [said])
    assert file_shop.states("ann") == {"personalize": "granted"}
