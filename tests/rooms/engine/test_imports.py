"""`engine.imports`: files in, every line accounted for."""

import pytest

from assent import InvalidInput, NotFound, UnknownPurpose

EVENTS = (
    "user_id,event,product_id,timestamp\n"
    "ana,Product Viewed,pot,2026-01-05T09:00:00Z\n"
    "bo,Product Viewed,pot,some time ago\n"
)


@pytest.fixture
def events(tmp_path):
    """Write a file of events, one of them without a time."""
    path = tmp_path / "events.csv"
    path.write_text(EVENTS)
    return path


def test_every_line_is_accounted_for_once(engine, events):
    """The table adds up to the lines, `progress` hears of the last one, and a second import adds nothing."""
    heard = []
    options = {"grant": ["personalize"], "evidence": "asked at the till"}
    done = engine.imports.run("events", events, **options, progress=lambda *far: heard.append(far))
    assert sum(done.table.values()) == done.lines == 2
    assert done.table["imported"] == 1
    assert heard[-1] == (2, 2)
    engine.imports.run("events", events, **options)
    assert len(engine.export("ana").events) == 1


def test_goods_need_no_consent(engine, tmp_path):
    """Items are about goods, not people."""
    (tmp_path / "goods.csv").write_text("id,name\npot,Tea pot\n")
    engine.imports.run("items", tmp_path / "goods.csv")
    assert engine.catalog.get("pot").name == "Tea pot"


@pytest.mark.parametrize(
    ("shape", "name", "options", "error"),
    [
        ("cars", "events.csv", {}, InvalidInput),
        ("events", "nothing.csv", {"grant": ["learn"], "evidence": "asked"}, NotFound),
        ("events", "events.csv", {}, InvalidInput),
        ("events", "events.csv", {"grant": ["world_domination"], "evidence": "asked"}, UnknownPurpose),
    ],
)
def test_what_cannot_be_imported_is_refused_whole(engine, events, shape, name, options, error):
    """An unknown shape, no file, no stated consent, a purpose that is not declared: nothing comes in."""
    with pytest.raises(error) as refused:
        engine.imports.run(shape, events.with_name(name), **options)
    assert refused.value.advice
    assert engine.server.facts().people == 0
