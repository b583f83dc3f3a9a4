"""The catalog's numbers and versions."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assent.store.topics import items
from assent.store.topics.items import NO_NUMBER, ItemRow
from tests.rooms.store.jobs import on, read


def row(id_, name="", at_ms=5, listed=1, facts="{}"):
    """Return an item as a caller puts it."""
    return ItemRow(NO_NUMBER, id_, listed, 1, name, facts, at_ms, at_ms)


def test_numbers_are_dense_and_kept(store):
    """Items are numbered from 0 without gaps, whoever names them first, and keep their number for ever."""
    assert on(store, items.number_of, ["b", "a", "b"], 5) == {"b": 0, "a": 1}
    assert on(store, items.put_many, [row("c", "C"), row("a", "A")]) == {"c": 2, "a": 1}
    assert on(store, items.number_of, ["c", "d", "a"], 9) == {"c": 2, "a": 1, "d": 3}
    assert on(store, items.delete, "a") is True
    assert on(store, items.put_many, [row("a", "A again")]) == {"a": 1}
    assert [(item.number, item.id) for item in read(store, items.all)] == [(0, "b"), (1, "a"), (2, "c"), (3, "d")]
    assert on(store, items.put_many, []) == {}
    assert on(store, items.number_of, [], 5) == {}


def test_an_item_that_an_event_named_is_unlisted(store):
    """An item known from events only cannot be suggested until the catalog has it."""
    on(store, items.number_of, ["a", "b"], 5)
    assert read(store, items.get, "a") == ItemRow(0, "a", 0, 0, "", "{}", 5, 5, 1)
    on(store, items.put_many, [row("a", "A", at_ms=3, facts='{"price": 1}')])
    assert read(store, items.get, "a") == ItemRow(0, "a", 1, 1, "A", '{"price": 1}', 3, 5, 2)
    assert read(store, items.count) == 2
    assert read(store, items.count_unlisted) == 1
    assert read(store, items.get, "z") is None


def test_the_last_of_several_rows_counts(store):
    """Putting one id twice in one call keeps the last, under one number."""
    assert on(store, items.put_many, [row("a", "first"), row("a", "second")]) == {"a": 0}
    assert read(store, items.get, "a").name == "second"


def test_versions_tell_what_changed(store):
    """Each change has a greater version; asking after a version brings what changed since."""
    assert read(store, items.version) == 0
    on(store, items.put_many, [row("a"), row("b")])
    first = read(store, items.version)
    assert read(store, items.changed_after, first) == []
    on(store, items.put_many, [row("b", "B")])
    on(store, items.number_of, ["c"], 5)
    assert [item.id for item in read(store, items.changed_after, first)] == ["b", "c"]
    second = read(store, items.version)
    on(store, items.number_of, ["a", "c"], 5)
    assert read(store, items.version) == second
    on(store, items.delete, "a")
    assert [item.id for item in read(store, items.changed_after, second)] == ["a"]


def test_deleting_unlists(store):
    """A deleted item is neither listed nor available; deleting again, or what is unknown, says so."""
    on(store, items.put_many, [row("a", "A")])
    assert on(store, items.delete, "a") is True
    assert on(store, items.delete, "a") is False
    assert on(store, items.delete, "z") is False
    found = read(store, items.get, "a")
    assert (found.listed, found.available, found.name) == (0, 0, "A")


def test_sight_only_moves_forward(store):
    """`last_seen` of an item only moves forward, and moving it is no change of the catalog."""
    on(store, items.put_many, [row("a"), row("b")])
    version = read(store, items.version)
    on(store, items.touch_seen, {0: 9, 1: 2, 7: 9})
    on(store, items.touch_seen, {})
    assert [item.last_seen_ms for item in read(store, items.all)] == [9, 5]
    assert read(store, items.version) == version


def test_items_are_read_by_id(store):
    """Many items are read by id at once; those unknown are left out."""
    on(store, items.put_many, [row(f"i{number}") for number in range(1_200)])
    found = read(store, items.by_ids, [f"i{number}" for number in range(1_100, 1_300)])
    assert sorted(item.number for item in found.values()) == list(range(1_100, 1_200))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(st.booleans(), st.lists(st.text("abcdefgh", min_size=1, max_size=2), max_size=6)), max_size=6
    )
)
def test_numbers_never_move(store, acts):
    """Whatever is put or named in whatever order, numbers are dense and an id never changes its number."""
    for put, ids in acts:
        before = {item.id: item.number for item in read(store, items.all)}
        given_ = on(store, items.put_many, [row(id_) for id_ in ids]) if put else on(store, items.number_of, ids, 5)
        after = {item.id: item.number for item in read(store, items.all)}
        assert set(given_) == set(ids)
        assert before.items() <= after.items()
        assert given_.items() <= after.items()
        assert sorted(after.values()) == list(range(len(after)))
