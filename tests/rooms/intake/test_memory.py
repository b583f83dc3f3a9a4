"""The caches of intake are bounded, and a dropped entry is found again."""

from __future__ import annotations

import pytest

from assent.intake import known_people
from tests.rooms.intake.shop import BOTH, Shop


def test_only_so_many_names_are_remembered(file_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound everybody is forgotten and asked for anew: nobody is made twice, and nothing is lost."""
    monkeypatch.setattr(known_people, "CACHED_NAMES", 3)
    remembered = []
    for round_ in ("tea", "mug"):
        for number in range(8):
            assert file_shop.send(file_shop.event(f"person-{number}", round_)).stored == 1
            people = file_shop.intake._job._people
            remembered.append(max(sum(map(len, people._by_name.values())), len(people._by_person), len(people._blinds)))
    assert max(remembered) <= 3
    assert file_shop.people() == 8
    assert file_shop.history("person-0") == {("tea", 1, BOTH), ("mug", 1, BOTH)}
