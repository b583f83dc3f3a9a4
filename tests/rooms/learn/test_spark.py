"""Adding up on Spark gives the sum that adding up here gives, to the last bit, and nothing else comes out."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from assent import Engine, Recommender
from assent.learn.spark import blocks, cluster, columns, driver, histories, sessions, solver_on, sum_of_parquet
from assent.learn.spark.pieces import (
    BlockBuffer,
    Piece,
    SourceChanged,
    as_it_is,
    merged,
    name_reading,
    plain_boxes,
    sum_of_pieces,
)
from assent.models.recommender import RecommenderSettings, SolvedModel, solver
from assent.models.recommender.matrix import people_by_items, weigh
from assent.store.topics import meta, people, sums
from assent.sums import ENTRY_MAX, UNIT, Contribution, PairSum
from assent.terms.errors import (
    AssentError,
    Busy,
    Conflict,
    Corrupt,
    InvalidInput,
    KeyFileMissing,
    SparkUnavailable,
    StoreUnavailable,
    SumOverflow,
)
from assent.terms.ids import PersonId, identifiers_named
from assent.testing import FixedClock, SeededRandomness
from assent.testing.shops import acts, crowd
from assent.vault import KeyFile
from tests.insides import head_if_any
from tests.journeys.sparks import require_spark, session
from tests.processes import free_port
from tests.tables import all_people, drop_key

MODEL = "recommender"

#: What does not depend on the database is tried on one.
SQLITE_ALONE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.fixture(scope="session")
def key_folder(tmp_path_factory) -> Path:
    """Return the folder of the one key file that executors know."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="session")
def spark(key_folder: Path) -> Iterator[object]:
    """Open one `local[2]` for all tests of a process."""
    with session(key_folder / "shop.key") as opened:
        yield opened


@pytest.fixture
def key_path(key_folder: Path) -> Path:
    """Let the engine keep its key file where executors look for it."""
    path = key_folder / "shop.key"
    for each in key_folder.iterdir():
        each.unlink()
    return path


# -- cutting and adding up, without Spark ------------------------------------------------------------------------


def crowd_matrix(people: int, items: int, seed: int = 1) -> scipy.sparse.csr_matrix:
    """Return random people x items with whole numbers from 1 to 4."""
    made = scipy.sparse.random(people, items, 0.3, "csr", random_state=seed)
    made.data = np.random.default_rng(seed).integers(1, 5, len(made.data)).astype(float)
    return made


def sum_of(matrix) -> PairSum:
    return PairSum.from_matrix(*weigh(people_by_items(matrix, None), 0.25))


def travelled(total: PairSum, part: int) -> list[Piece]:
    """Return the pieces of one part's sum."""
    buffer = BlockBuffer(blocks.cut(total.columns), as_it_is)
    assert list(buffer.add(name_reading(part, 0, [b"read"]), total)) == []
    return list(buffer.rest())


def gathered(*parts: list[Piece]) -> list[Piece]:
    """Add pieces up place by place, as executors do."""
    by_place: dict[int, list[Piece]] = {}
    for piece in (piece for part in parts for piece in part):
        by_place.setdefault(piece.place, []).append(piece)
    return [
        merged(place, [each.readings for each in held], [each.data for each in held], as_it_is, as_it_is)
        for place, held in by_place.items()
    ]


@pytest.mark.parametrize("items", [1, 2, 15, 40, 700])
def test_parts_add_up_to_the_whole(items):
    """Cut, packed, added up and put together, the parts are the sum of everybody: rows, counts and people."""
    matrix = crowd_matrix(30, items)
    parts = [
        travelled(sum_of(matrix[first:last]), part) for part, (first, last) in enumerate([(0, 11), (11, 12), (12, 30)])
    ]
    total, said = sum_of_pieces(gathered(*parts), 3, items, as_it_is)
    assert total.digest() == sum_of(matrix).digest()
    assert (total.people, said) == (sum_of(matrix).people, [])


def test_a_sum_over_no_items_travels_too():
    """An empty catalog has one empty block."""
    assert sum_of_pieces(travelled(PairSum(0), 0), 1, 0, as_it_is)[0].digest() == PairSum(0).digest()


def test_wide_numbers_travel_whole():
    """Far columns and values past 32 bits are neither cut nor rounded."""
    far = Contribution(np.array([0, 90_000], np.int32), np.array([63, 63], np.int32), UNIT)
    total = PairSum.of([far] * 4, 90_001)
    assert sum_of_pieces(travelled(total, 0), 1, 90_001, as_it_is)[0].digest() == total.digest()


@given(
    st.lists(st.one_of(*(st.integers(0, 2**bits) for bits in (3, 8, 16, 24, 61))), max_size=60),
    st.integers(0, 61),
    st.binary(max_size=20),
)
def test_any_whole_numbers_are_read_as_they_were_written(some, bits, behind):
    """However wide most are and however far some stand out, all come back, and nothing behind them is touched."""
    numbers = np.array([*some, *[2**bits - 1] * 20], np.int64)
    packed = b"".join(blocks._narrow(numbers))
    found, end = blocks._widen(b"head" + packed + behind, 4)
    np.testing.assert_array_equal(found, numbers)
    assert end == 4 + len(packed)
    assert len(packed) <= blocks._ARRAY.size + 8 * len(numbers)


def test_an_overflow_is_refused_where_it_would_happen():
    """Two blocks that would pass 2^61 together are not added."""
    row = (np.array([0, 1]), np.array([0], np.int32), np.array([ENTRY_MAX]))
    block = blocks.SumBlock(0, 1, 1, np.array([1]), *row)
    with pytest.raises(SumOverflow):
        blocks.add_up([block, block])


def test_pieces_that_come_as_they_were_made_are_added_up():
    """The driver adds up what nobody has added up before, to the same sum, and refuses what would pass the range."""
    matrix = crowd_matrix(30, 40)
    parts = [travelled(sum_of(matrix[first::3]), first) for first in range(3)]
    mixed = [piece for place in zip(*parts, strict=True) for piece in place[::-1]]
    assert sum_of_pieces(mixed, 3, 40, as_it_is)[0].digest() == sum_of(matrix).digest()
    row = (np.array([0, 1]), np.array([0], np.int32), np.array([ENTRY_MAX]))
    packed = blocks.pack(blocks.SumBlock(0, 1, 1, np.array([1]), *row))
    with pytest.raises(SumOverflow):
        sum_of_pieces([Piece(0, name_reading(part, 0, []), packed) for part in range(2)], 2, 1, as_it_is)


def test_places_are_taken_in_runs_of_bounded_weight():
    """Places go together while they are light enough; a heavy one goes alone, and none is left out."""
    weights = {-2: 1, -1: 5, 0: 5, 1: 30, 3: 4, 4: 7}
    assert list(cluster.runs(weights, 11)) == [(-2, 0), (1, 1), (3, 4)]
    assert list(cluster.runs({}, 11)) == []


@pytest.mark.parametrize("cut", [0, 10, -1])
def test_a_block_that_was_cut_short_is_refused(cut):
    """Bytes that are not exactly a block are `Corrupt`."""
    packed = blocks.pack(next(blocks.blocks_of(sum_of(crowd_matrix(5, 9)), np.array([0, 9]))))
    altered = []
    # In the head of the first array: one number more, far too many, bytes of each that cannot be, and one apart.
    for place, byte in ((0, 10), (6, 255), (8, 0), (8, 9), (12, 1)):
        altered.append(bytearray(packed))
        altered[-1][blocks._HEADER.size + place] = byte
    for broken in (packed[:cut], packed + b"x", *map(bytes, altered)):
        with pytest.raises(Corrupt):
            blocks.unpack(broken)


def test_blocks_that_are_not_all_there_are_refused():
    """A sum is not put together with a block missing."""
    whole = list(blocks.blocks_of(sum_of(crowd_matrix(5, 9)), np.array([0, 4, 9])))
    for lacking in (whole[:1], whole[1:], []):
        with pytest.raises(Corrupt):
            blocks.sum_of_blocks(lacking, 9)


@pytest.mark.parametrize(("most", "pieces_of_a_place"), [(1 << 26, 1), (0, 4)])
def test_a_part_adds_its_sums_up_while_they_are_small(monkeypatch, most, pieces_of_a_place):
    """However many sums of a part travel together, it is one sum, of all the readings, and nothing stays behind."""
    monkeypatch.setattr("assent.learn.spark.pieces.PAIRS_TOGETHER", most)
    whole = crowd_matrix(40, 9)
    buffer, pieces = BlockBuffer(blocks.cut(9), as_it_is), []
    for flush in range(4):
        some = sum_of(whole[10 * flush : 10 * flush + 10])
        assert 9 * 10 // 4 < len(some.arrays()[1]) <= 9 * 10 // 2
        pieces += buffer.add(name_reading(0, flush, [b"read"]), some)
    pieces += buffer.rest()
    assert list(buffer.rest()) == []
    assert sum(piece.place == 0 for piece in pieces) == pieces_of_a_place
    assert sum_of_pieces(pieces, 1, 9, as_it_is)[0].digest() == sum_of(whole).digest()


def test_pieces_of_two_states_are_never_mixed():
    """A part that is missing, comes twice, or was read in two states starts the training again."""
    first, second = (travelled(sum_of(crowd_matrix(9, 20, seed)), 0) for seed in (1, 2))
    other = [piece._replace(readings=name_reading(0, 0, [b"read later"])) for piece in first]
    mixed = [*first[:1], *other[1:]]
    for pieces, parts in ((first, 2), (gathered(first, second), 1), (mixed, 1), ([], 1)):
        with pytest.raises(SourceChanged):
            sum_of_pieces(pieces, parts, 20, as_it_is)
    said = Piece(-1, name_reading(0, 0, [b"read later"]), b"")
    with pytest.raises(SourceChanged):
        sum_of_pieces([*first, said], 1, 20, as_it_is)


# -- what an executor does, without Spark ------------------------------------------------------------------------


def state_of(engine: Engine) -> histories.RunState:
    """Return what the driver would send now."""
    vault, store = engine._rooms.vault, engine._rooms.store
    run = PersonId(b"run of one hour.")
    wrapped, key_id = vault.new_person_key(run)
    with store.read() as reading:
        epoch, columns = meta.epoch(reading), len(engine.catalog.page(count=1000).items)
    where = driver.without_password(store)
    now_ms = engine._rooms.clock.now_ms()
    return histories.RunState(
        where, vault.public_key, histories.release(), now_ms, epoch, columns, run, wrapped, key_id
    )


class Batch:
    """The numbers of parts, as Arrow hands them over."""

    def __init__(self, *parts: int) -> None:
        self.parts = parts

    def column(self, _place: int):
        return self

    def to_pylist(self):
        return list(self.parts)


def read(state: histories.RunState, persons: list[PersonId]) -> list[Piece]:
    """Return the pieces that an executor makes of one part."""
    return list(histories.Histories(state, (b"".join(persons),))(0, iter([Batch(0)])))


def everybody(engine: Engine) -> list[PersonId]:
    with engine._rooms.store.read() as reading:
        return list(all_people(reading))


@pytest.fixture
def environment(monkeypatch, key_path: Path, store_url: str) -> pytest.MonkeyPatch:
    """Give this process the environment of an executor."""
    monkeypatch.setenv("ASSENT_KEY_FILE", str(key_path))
    monkeypatch.setenv("ASSENT_STORE", store_url)
    return monkeypatch


def test_an_executor_opens_nothing_without_consent(engine: Engine, environment, clock: FixedClock):
    """Ids are no leave: whoever did not say yes to learning adds nothing, although they were asked for."""
    crowd(engine, clock, people=6)
    engine.take_in(acts("quiet", ["tea-1", "tea-2"], clock, consent={"personalize": True, "learn": False}))
    state = state_of(engine)
    assert len(everybody(engine)) == 7
    pieces = gathered(read(state, everybody(engine)))
    total, said = sum_of_pieces(pieces, 1, state.columns, state.boxes()[0])
    assert total.digest() == engine.train().digest
    assert (total.people, len(list(histories.unpack_contributions(said[0])))) == (6, 6)


def test_people_read_together_are_read_as_one_by_one(engine: Engine, environment, clock: FixedClock, monkeypatch):
    """However many histories are opened at once, the reading has the same name: what was read is the same."""
    crowd(engine, clock, people=6)
    engine.train()
    engine.take_in(acts("quiet", ["tea-1"], clock, consent={"personalize": True, "learn": False}))
    engine.take_in(acts("crowd-2", ["book-7"], clock))
    engine.consent("crowd-1", withdraw=["learn"])
    gone = everybody(engine)[0]
    engine._rooms.store.write(lambda job: drop_key(job, gone))
    state = state_of(engine)
    unseal = state.boxes()[0]

    def read_by(together: int) -> list[tuple[str, bytes]]:
        monkeypatch.setattr(histories, "READ_TOGETHER", together)
        total, said = sum_of_pieces(read(state, everybody(engine)), 1, state.columns, unseal)
        return [(total.digest(), person) for person, _ in histories.unpack_contributions(said[0])]

    assert read_by(1) == read_by(3) == read_by(1_000)
    assert read_by(2)


def test_what_leaves_an_executor_is_sealed(engine: Engine, environment, clock: FixedClock, monkeypatch):
    """No piece holds a readable part of the sum, and a bounded number of pairs is added up at a time."""
    crowd(engine, clock, people=6)
    monkeypatch.setattr(histories, "PAIRS_AT_ONCE", 20)
    state = state_of(engine)
    pieces = read(state, everybody(engine))
    unseal = state.boxes()[0]
    plain = [unseal(piece.place, piece.data) for piece in pieces]
    assert len({piece.readings for piece in pieces}) > 2
    assert all(len(each) < 20 or each[4:20] not in piece.data for each, piece in zip(plain, pieces, strict=True))
    assert (
        sum_of_pieces(
            [
                merged(place, [each.readings for each in held], [each.data for each in held], *state.boxes())
                for place in {piece.place for piece in pieces}
                if (held := [piece for piece in pieces if piece.place == place])
            ],
            1,
            state.columns,
            unseal,
        )[0].digest()
        == engine.train().digest
    )
    with pytest.raises(Corrupt):
        unseal(pieces[0].place + 1, pieces[0].data)


def test_an_executor_notices_what_changed(engine: Engine, environment, clock: FixedClock):
    """Another epoch of consent, or an item past the last column, starts the training again."""
    crowd(engine, clock, people=3)
    state = state_of(engine)
    for stale in (dataclasses.replace(state, epoch=state.epoch - 1), dataclasses.replace(state, columns=1)):
        with pytest.raises(SourceChanged):
            read(stale, everybody(engine))


def test_who_is_gone_meanwhile_is_said_to_be_gone(engine: Engine, environment, clock: FixedClock):
    """A person without key adds nothing; with a contribution held, they are taken out."""
    crowd(engine, clock, people=3)
    engine.train()
    gone = everybody(engine)[0]
    engine._rooms.store.write(lambda job: drop_key(job, gone))
    stranger = PersonId(bytes(16))
    state = state_of(engine)
    pieces = read(state, [*everybody(engine), stranger])
    total, said = sum_of_pieces(pieces, 1, state.columns, state.boxes()[0])
    assert total.people == 2
    assert list(histories.unpack_contributions(said[0])) == [(gone, b"")]


@pytest.mark.parametrize(
    ("variables", "error", "words"),
    [
        ({"ASSENT_KEY_FILE": ""}, KeyFileMissing, "is not set there"),
        ({"ASSENT_KEY_FILE": "nowhere.key"}, KeyFileMissing, "names no file there"),
        ({"ASSENT_KEY_FILE": "other.key"}, Conflict, "another store"),
    ],
)
def test_an_executor_without_the_key_says_what_to_do(engine: Engine, environment, tmp_path, variables, error, words):
    """No key file, none at its path, or another store's: told with advice, before anything is read."""
    KeyFile.make(tmp_path / "other.key", SeededRandomness(7))
    environment.chdir(tmp_path)
    for name, value in variables.items():
        environment.setenv(name, value)
    histories._run_key.cache_clear()
    with pytest.raises(error, match=words) as told:
        state_of(engine).boxes()
    assert "docs/spark.md" in told.value.advice


def test_executors_run_the_drivers_version(engine: Engine, environment):
    """Another version of assent might weigh people otherwise: refused."""
    with pytest.raises(Conflict, match=r"the driver 0\.0"):
        dataclasses.replace(state_of(engine), release="0.0").boxes()


def test_errors_carry_nothing_of_the_data():
    """Our own errors cross over as they are; of any other only the kind is told."""
    ours = cluster.meaning_of(
        RuntimeError(f"Traceback ...\n{cluster._as_executor_error(KeyFileMissing('None there.', advice='Do.'))}\n at")
    )
    assert isinstance(ours, KeyFileMissing)
    assert (ours.message, ours.advice) == ("None there.", "Do.")
    foreign = str(cluster._as_executor_error(ValueError("ann@example.org")))
    assert "ValueError" in foreign
    assert "ann" not in foreign
    assert type(cluster.meaning_of(RuntimeError(foreign))) is AssentError
    assert isinstance(
        cluster.meaning_of(RuntimeError(str(cluster._as_executor_error(SourceChanged("It moved."))))), SourceChanged
    )
    assert isinstance(cluster.meaning_of(RuntimeError("lost")), SparkUnavailable)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (
            "postgresql://ann:secret@db:5432/shop?sslmode=require&password=x",
            "postgresql://ann@db:5432/shop?sslmode=require",
        ),
        ("postgresql://db/shop", "postgresql://db/shop"),
    ],
)
def test_no_password_travels(url, told):
    """Executors get the store's place and user; the password is theirs to have."""

    class Named:
        path = None

    named = Named()
    named.url = url
    assert driver.without_password(named) == told


# -- opening a session -------------------------------------------------------------------------------------------


def test_without_pyspark_the_advice_is_to_install_it(engine: Engine, monkeypatch):
    """The extra is named, and nothing is changed."""
    monkeypatch.setattr(sessions, "_PACKAGES", ("pyspark_is_not_here",))
    with pytest.raises(SparkUnavailable, match=r"pip install 'assent\[spark\]'"):
        engine.train(spark="local[2]")
    assert head_if_any(engine) is None


@pytest.mark.parametrize("master", ["", "yarns", "http://host:7077", "local[two]", "spark://host", "spark://a:1,b"])
def test_a_master_of_no_kind_is_refused(master):
    """A URL that Spark would not accept is `InvalidInput` before Java starts."""
    require_spark()
    with pytest.raises(InvalidInput, match="master"), sessions.opened(master, {}):
        pass


def test_an_unreachable_master_is_told_at_once():
    """A port that nobody listens on is refused within seconds, and the error says how long was waited."""
    require_spark()
    port = free_port()
    with pytest.raises(SparkUnavailable, match="asked for 5 seconds"), sessions.opened(f"spark://127.0.0.1:{port}", {}):
        pass
    with pytest.raises(SparkUnavailable), sessions.opened("spark://127.0.0.1:99999999", {}):
        pass


def test_a_master_without_workers_is_not_waited_for_forever(monkeypatch):
    """When only the driver is there, the wait ends with advice; with an executor it ends at once."""
    monkeypatch.setattr(sessions, "limit", lambda _: 0)
    monkeypatch.setattr(sessions, "_POLL_SECONDS", 0.001)
    members = SimpleNamespace(size=lambda: 1)
    scala = SimpleNamespace(getExecutorMemoryStatus=lambda: members)
    alone = SimpleNamespace(sparkContext=SimpleNamespace(_jsc=SimpleNamespace(sc=lambda: scala)))
    with pytest.raises(SparkUnavailable, match="no executor within 0 seconds"):
        sessions._wait_for_executors(alone)
    members.size = lambda: 2
    sessions._wait_for_executors(alone)


def test_a_second_session_is_not_opened(spark):
    """A process has one session; it is to be handed over."""
    with pytest.raises(Conflict, match="has a Spark session"), sessions.opened("local[2]", {}):
        pass


class Shut:
    """Secrets that nobody may ask for anything."""

    def __getattr__(self, name: str):
        message = f"The key file was asked for {name}."
        raise KeyFileMissing(message)


def buffer(engine: Engine, spark):
    """Open Spark for the engine's store, with its secrets shut."""
    return driver.gatherer(
        spark, store=engine._rooms.store, vault=Shut(), ledger=engine._rooms.ledger, clock=engine._rooms.clock
    )


@SQLITE_ALONE
def test_a_missing_master_or_store_is_told_before_keys_are_asked_for(engine: Engine, clock: FixedClock):
    """Without a master, without a store, or without anybody to read, the key file makes no difference."""
    require_spark()
    port = free_port()
    with (
        pytest.raises(SparkUnavailable, match="No Spark master answers"),
        buffer(engine, f"spark://127.0.0.1:{port}"),
    ):
        pass
    idle = SimpleNamespace()
    with buffer(engine, idle) as gather:
        assert gather()[1].people == 0
        crowd(engine, clock, people=3)
        with pytest.raises(KeyFileMissing):
            gather()
        engine._rooms.store.close()
        with pytest.raises(StoreUnavailable):
            gather()


# -- on Spark ----------------------------------------------------------------------------------------------------


def test_training_on_spark_equals_training_here(spark, engine: Engine, clock: FixedClock):
    """Digest, people and counts are the local ones after joining, changing and leaving."""
    crowd(engine, clock, people=12)
    first = engine.train(spark=spark)
    assert (first.people, first.added, first.rebuilt) == (12, 12, True)
    assert engine.verify(rebuild=True).holds
    local = engine.train()
    assert (local.digest, local.added, local.removed) == (first.digest, 0, 0)
    clock.move(days=1)
    engine.take_in(acts("crowd-1", ["book-7"], clock))
    with engine._rooms.store.read() as reading:
        # Somebody held in the sum whose leave is gone, as when a consent ran out between two sweeps.
        active = people.find(reading, engine._rooms.vault.blinds(identifiers_named("crowd-1")))
        held = next(person for person, _ in sums.contributions(reading, MODEL) if person != active)
    engine._rooms.store.write(lambda job: people.set_state(job, held, "erasing"))
    second = engine.train(spark=spark)
    assert (second.people, second.added, second.removed) == (11, 1, 1)
    assert engine.verify(rebuild=True).holds
    assert engine.train(rebuild=True).digest == second.digest


@SQLITE_ALONE
def test_a_withdrawal_meanwhile_starts_the_training_again(spark, engine: Engine, clock: FixedClock, monkeypatch):
    """A person who withdraws between the driver's and the executors' reading is not in it; endless changes end it."""
    crowd(engine, clock, people=6)
    add_up, leavers = cluster.add_up, ["crowd-0"]

    def withdraw_first(*arguments):
        if leavers:
            engine.consent(leavers.pop(), withdraw=["learn"])
        return add_up(*arguments)

    monkeypatch.setattr(cluster, "add_up", withdraw_first)
    report = engine.train(spark=spark)
    assert report.people == 5
    assert engine.train(rebuild=True).digest == report.digest


@SQLITE_ALONE
def test_a_shop_that_never_rests_is_told_so(engine: Engine, clock: FixedClock, monkeypatch):
    """After three readings during which consent changed the training gives up, and the sum stays as it was."""
    require_spark()
    crowd(engine, clock, people=3)

    def moved(*_):
        message = "Consent changed while the training ran."
        raise SourceChanged(message)

    context = SimpleNamespace(defaultParallelism=2)
    idle = SimpleNamespace(sparkContext=context, range=lambda *_: None)
    monkeypatch.setattr(cluster, "add_up", moved)
    with pytest.raises(Busy, match="each of 3 trainings"):
        engine.train(spark=idle)
    assert head_if_any(engine) is None


@SQLITE_ALONE
def test_an_executor_without_key_changes_nothing(spark, engine: Engine, clock: FixedClock, key_path: Path):
    """The driver raises what the executor met, with its advice; the sum stays as it was."""
    crowd(engine, clock, people=3)
    key_path.unlink()
    with pytest.raises(KeyFileMissing, match="ASSENT_KEY_FILE"):
        engine.train(spark=spark)
    assert head_if_any(engine) is None


#: Added up by the driver, and by executors because the driver would not hold a byte.
BOTH_WAYS = pytest.mark.parametrize("driver_bytes", [cluster.DRIVER_BYTES, 0])


@SQLITE_ALONE
@BOTH_WAYS
def test_whoever_adds_up_the_sum_is_the_same(spark, engine: Engine, clock: FixedClock, monkeypatch, driver_bytes):
    """Few bytes are added up by the driver, some places at a time; many by executors first: one digest."""
    monkeypatch.setattr(cluster, "DRIVER_BYTES", driver_bytes)
    monkeypatch.setattr(cluster, "_FETCHED_BYTES", 400)
    crowd(engine, clock, people=12)
    report = engine.train(spark=spark)
    assert (report.people, report.added) == (12, 12)
    assert engine.verify(rebuild=True).holds
    assert engine.train(rebuild=True).digest == report.digest


@SQLITE_ALONE
@BOTH_WAYS
def test_nothing_readable_lies_on_sparks_disks(
    spark, engine: Engine, clock: FixedClock, tmp_path, monkeypatch, driver_bytes
):
    """Blocks lie there sealed; the plain file's blocks, which are found, prove that the search finds them."""
    monkeypatch.setattr(cluster, "DRIVER_BYTES", driver_bytes)
    let_executors_solve(monkeypatch)
    written: dict[str, bytes] = {}
    folder, running = Path(spark.conf.get("spark.local.dir")), ["sealed"]
    before = files_under(folder)
    unpersist = type(spark.range(1)).unpersist

    def look_first(frame, *arguments):
        # At each look what the run just wrote is still there.
        written[running[0]] = written.get(running[0], b"") + b"\0".join(map(bytes_of, files_under(folder) - before))
        return unpersist(frame, *arguments)

    monkeypatch.setattr(type(spark.range(1)), "unpersist", look_first)
    crowd(engine, clock, people=6)
    engine.train(spark=spark)
    write_actions(tmp_path / "plain.parquet", crowd_matrix(6, 9))
    running[0], before = "plain", files_under(folder)
    total = sum_of_parquet(spark, str(tmp_path / "plain.parquet"))
    running[0], before = "columns", files_under(folder)
    Recommender.of_sum(total, solver=solver_on(spark), form="sparse")
    assert written["sealed"]
    assert blocks.MARK not in written["sealed"]
    assert blocks.MARK in written["plain"]
    assert blocks.MARK in written["columns"]


def bytes_of(path: Path) -> bytes:
    """Read a file, unless it is of a run that is over and being swept away."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    return b""


def files_under(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@SQLITE_ALONE
def test_a_shop_that_nobody_agreed_in_needs_no_executor(spark, engine: Engine):
    """Without anybody to read, the sum is empty."""
    assert engine.train(spark=spark).people == 0


# -- columns of a sparse model ------------------------------------------------------------------------------------


def let_executors_solve(monkeypatch) -> None:
    """Have every model be a sparse one, and this machine have one core, fewer than the executors."""
    monkeypatch.setattr(solver, "_DENSE_ITEMS", 0)
    monkeypatch.setattr(driver, "os", SimpleNamespace(cpu_count=lambda: 1))


def test_executors_solve_what_would_be_solved_here(spark, monkeypatch):
    """Every array of the model is the same to the last bit, however the sum is cut for its way."""
    monkeypatch.setattr(columns, "_SHIPPED_BYTES", 5_000)
    monkeypatch.setattr(columns, "_TASKS_EACH", 3)
    total, heard = sum_of(crowd_matrix(150, 200)), []
    there = solver.solve(total.copy(), RecommenderSettings(form="sparse"), None, heard.append, solver_on(spark))
    here = SolvedModel.of_sum(total, form="sparse")._form
    assert heard == sorted(heard)
    assert (len(heard), heard[-1]) == (6, 1.0)
    for name, array in here.arrays().items():
        np.testing.assert_array_equal(array, there.arrays()[name], err_msg=name)


@pytest.mark.parametrize("items", [0, 1, 3])
def test_executors_solve_small_sums_too(spark, items):
    """Fewer columns than tasks; none at all."""
    total = sum_of(scipy.sparse.csr_matrix(np.ones((2, items)))) if items else PairSum(0)
    there = SolvedModel.of_sum(total.copy(), solver=solver_on(spark), form="sparse")
    here = SolvedModel.of_sum(total, form="sparse")
    np.testing.assert_array_equal(there._form.weights.near, here._form.weights.near)
    np.testing.assert_array_equal(there._form.left, here._form.left)


@SQLITE_ALONE
def test_a_shop_trains_the_same_sparse_model_on_executors(spark, engine: Engine, clock: FixedClock, monkeypatch):
    """Everybody's list is the one of a training here; nothing of the run's key is left in memory."""
    let_executors_solve(monkeypatch)
    asked, bring = [], cluster.bring
    monkeypatch.setattr(cluster, "bring", lambda *arguments: asked.append(arguments) or bring(*arguments))
    crowd(engine, clock, people=12)
    engine.train(spark=spark)
    there = [engine.decide(f"crowd-{number}") for number in range(12)]
    assert asked
    (_, work) = asked[0]
    assert work.boxes.__self__.run not in engine._rooms.vault._cached
    engine.train(rebuild=True)
    here = [engine.decide(f"crowd-{number}") for number in range(12)]
    assert any(answer.personal for answer in here)
    for one, other in zip(there, here, strict=True):
        assert [(each.item, each.text) for each in one.items] == [(each.item, each.text) for each in other.items]


class Sealing:
    """Boxes that turn every byte about, unless they are told the wrong place."""

    def __call__(self):
        return self.turn, self.turn

    @staticmethod
    def turn(place: int, data: bytes) -> bytes:
        return bytes((np.frombuffer(data, np.uint8) ^ (1 + place % 255)).tobytes())


def columns_work(total: PairSum, digest: str | None = None) -> columns._Columns:
    """Make what an executor is sent, of a sum in one shipment."""
    packed = [
        (place, Sealing.turn(place, blocks.pack(block)))
        for place, block in enumerate(blocks.blocks_of(total, blocks.cut(total.columns)))
    ]
    bounds = (0, 7, total.columns)
    return columns._Columns(
        digest or total.digest(), RecommenderSettings(), bounds, [SimpleNamespace(value=packed)], Sealing()
    )


def test_columns_leave_an_executor_sealed():
    """The result of a task can be read only with the run's boxes, under the place of its columns."""
    pa = pytest.importorskip("pyarrow")
    total = sum_of(crowd_matrix(20, 30))
    batch = pa.RecordBatch.from_pydict({"id": [1]})
    (piece,) = columns_work(total)(0, iter([batch]))
    whole = solver.solve_here(total, RecommenderSettings())
    packed = columns._packed([each[7:] for each in whole])
    assert piece.place == 1
    assert packed[:64] not in piece.data
    assert Sealing.turn(columns._PLACE + 1, piece.data) == packed
    read = columns._unpacked(packed, 23)
    for one, other in zip(read, whole, strict=True):
        np.testing.assert_array_equal(one, other[7:])
    for damaged in (packed[:-1], packed + b"\0", b""):
        with pytest.raises(Corrupt, match="does not belong"):
            columns._unpacked(damaged, 23)


def test_an_executor_solves_no_other_sum(monkeypatch):
    """One that arrives with another digest is refused, and not kept; nor is any once its tasks are done."""
    pa = pytest.importorskip("pyarrow")
    work = columns_work(sum_of(crowd_matrix(20, 30)), "0" * 64)
    with pytest.raises(Corrupt, match="does not belong"):
        list(work(0, iter([pa.RecordBatch.from_pydict({"id": [0]})])))
    assert columns._KEPT_SUM.kept is None
    monkeypatch.setattr(columns, "_KEPT_SECONDS", 0.0)
    total = sum_of(crowd_matrix(20, 30))
    asked = columns_work(total)(0, iter([pa.RecordBatch.from_pydict({"id": [0, 1]})]))
    next(asked)
    assert columns._KEPT_SUM.kept[0] == total.digest()
    assert len(list(asked)) == 1
    columns._KEPT_SUM.timer.join()
    assert columns._KEPT_SUM.kept is None


def test_tasks_that_follow_each_other_read_the_sum_once():
    """The second one finds it where the first one left it; another sum takes its place."""
    held, read = columns._KeptSum(), []
    for digest in ("one", "one", "other"):
        with held.reader(digest, lambda digest=digest: read.append(digest) or digest) as reader:
            assert reader == digest
    held.timer.cancel()
    assert read == ["one", "other"]


def test_a_sum_that_cannot_be_sent_is_told():
    """Spark's error about its own memory comes as our error."""

    def full(_value):
        raise MemoryError

    idle = SimpleNamespace(sparkContext=SimpleNamespace(defaultParallelism=2, broadcast=full))
    with pytest.raises(SparkUnavailable, match="MemoryError"):
        Recommender.of_sum(sum_of(crowd_matrix(20, 30)), solver=solver_on(idle), form="sparse")


def test_columns_that_did_not_come_are_missed(monkeypatch):
    """A task whose piece is not there leaves no model with columns of nothing."""
    idle = SimpleNamespace(
        sparkContext=SimpleNamespace(
            defaultParallelism=2, broadcast=lambda value: SimpleNamespace(value=value, destroy=lambda: None)
        ),
        range=lambda *_: None,
    )
    monkeypatch.setattr(cluster, "bring", lambda *_: [])
    with pytest.raises(Corrupt, match="does not belong"):
        Recommender.of_sum(sum_of(crowd_matrix(20, 30)), solver=solver_on(idle, plain_boxes), form="sparse")


def test_columns_are_cut_into_tasks_of_equal_work():
    """A heavy column stands alone; together the tasks are all columns; none is too large for the memory of a core."""
    lengths = np.array([1_000, 10, 10, 10, 10, 1_000, 10, 10], np.int64)
    bounds = columns._cut(lengths, 1)
    assert (bounds[0], bounds[-1]) == (0, 8)
    assert bounds == sorted(set(bounds))
    assert len(columns._cut(np.full(100, columns.BLOCK_ENTRIES), 1)) > 100
    assert columns._cut(np.empty(0, np.int64), 4) == [0, 0]


# -- a plain file ------------------------------------------------------------------------------------------------


def write_actions(path: Path, matrix, names=None) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    entries = matrix.tocoo()
    who = entries.row if names is None else [names[row] for row in entries.row]
    table = pa.table({"person": who, "item": entries.col.astype("int32"), "value": entries.data.astype("int16")})
    pyarrow.parquet.write_table(table, path)


def test_a_plain_file_adds_up_to_the_fitted_sum(spark, tmp_path, monkeypatch):
    """With values or without, people named by numbers or words: the digest is that of `Recommender.fit`."""
    matrix = crowd_matrix(40, 60)
    write_actions(tmp_path / "numbers.parquet", matrix)
    write_actions(tmp_path / "words.parquet", matrix, [f"person {row}" for row in range(40)])
    numbers = sum_of_parquet(spark, str(tmp_path / "numbers.parquet"), value="value")
    assert numbers.digest() == Recommender().fit(matrix).digest()
    assert Recommender.of_sum(numbers).recommend(matrix[:2], 3)[0].shape == (2, 3)
    wide = matrix.astype(bool).astype(float)
    wide.resize(40, 70)
    words = sum_of_parquet(spark, str(tmp_path / "words.parquet"), 70, weight_exponent=0.5)
    assert words.digest() == Recommender(weight_exponent=0.5).fit(wide).digest()


def test_bad_files_are_refused_with_advice(spark, tmp_path):
    """No file, no such column, items that are no numbers or out of range, gaps, nothing at all, impossible values."""
    import pyarrow as pa
    import pyarrow.parquet

    def written(**columns) -> str:
        path = str(tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet")
        pyarrow.parquet.write_table(pa.table(columns), path)
        return path

    good = written(person=[1, 1], item=[0, 1], value=[1, 64])
    empty = written(person=pa.array([], pa.int64()), item=pa.array([], pa.int64()))
    for call, words in [
        (lambda: sum_of_parquet(spark, str(tmp_path / "none.parquet")), "no Parquet file"),
        (lambda: sum_of_parquet(spark, good, item="items"), "no column 'items'"),
        (lambda: sum_of_parquet(spark, written(person=[1], item=["a"])), "whole numbers"),
        (lambda: sum_of_parquet(spark, good, 1), "from 0 to 1"),
        (lambda: sum_of_parquet(spark, written(person=[1], item=[-1])), "from -1"),
        (lambda: sum_of_parquet(spark, written(person=[1, None], item=[0, 1])), "without a person"),
        (lambda: sum_of_parquet(spark, written(person=[1, None], item=[0, 1]), 2), "without a person"),
        (lambda: sum_of_parquet(spark, written(person=[1, 1], item=[0, None]), 2), "without a person"),
        (lambda: sum_of_parquet(spark, written(person=[1, 2], item=[-3, 1]), 2), "from -3 to 1"),
        (lambda: sum_of_parquet(spark, good, 0), "from 0 to 1"),
        (lambda: sum_of_parquet(spark, empty), "no actions"),
        (lambda: sum_of_parquet(spark, good, weight_exponent=7), "weight_exponent"),
        (lambda: sum_of_parquet(spark, good, value="value"), "above 63"),
    ]:
        with pytest.raises(InvalidInput, match=words):
            call()


def test_a_file_that_keeps_changing_is_refused(spark, tmp_path, monkeypatch):
    """Pieces of two states are not taken, however often."""
    write_actions(tmp_path / "plain.parquet", crowd_matrix(6, 9))
    monkeypatch.setattr(cluster, "add_up", lambda *_: [])
    with pytest.raises(Busy, match="changed while it was read"):
        sum_of_parquet(spark, str(tmp_path / "plain.parquet"))
