"""A generation brings a collection and the column of the application's table in step: store, column, ledger."""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from console_core.catalog.column_writer import ColumnWriter
from console_core.catalog.embedding_column import EmbeddingColumn, as_bytes
from console_core.catalog.types import EVERYTHING
from console_core.errors import CollectionNotFound, Refused
from console_core.migration.generate import Generate, GeneratePlan
from console_core.migration.generating import Forecast, forecast, plan_generation, submit_generation
from console_core.runs.accounting import check
from console_core.runs.ledger import Ledger
from console_core.runs.types import Operation, Run, RunState, Verb
from console_core.settings import CatalogSettings
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, Vector, VectorStore
from tests.lifecycle.failing import TARGET, Picky, Rig

MODEL = "grid"
OTHERS = CollectionSpec(48, stamp=ModelStamp("other", "f" * 16))


class Listing(Picky):
    """A store that keeps which points were written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[int] = []

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        self.written += [int(point.id) for point in points]
        return super().upsert(name, points, as_is=as_is)


class Table(Rig):
    """The rig of builds, whose table has a column of vectors too."""

    store: Listing

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        super().__init__(folder, ledger)
        self.store, self.file = Listing(), folder / "catalog.db"
        self._rows.executescript("ALTER TABLE pictures ADD embedding BLOB; ALTER TABLE pictures ADD made_by TEXT")
        settings = CatalogSettings(
            "sql",
            f"sqlite:///{self.file}",
            "pictures",
            paths=("path",),
            embedding="embedding",
            embedding_model="made_by",
        )
        self.column = EmbeddingColumn(settings, timeout=0.1)

    def put(self, key: int, vector: bytes | None, model: str | None = MODEL) -> None:
        self._rows.execute("UPDATE pictures SET embedding = ?, made_by = ? WHERE id = ?", (vector, model, key))

    def in_column(self) -> dict[int, tuple[bytes, str]]:
        """The vectors of the column and what the rows say made them, by key."""
        rows = self._rows.execute("SELECT id, embedding, made_by FROM pictures WHERE embedding IS NOT NULL")
        return {key: (vector, model) for key, vector, model in rows}

    def in_store(self) -> dict[int, tuple[bytes, str]]:
        """What the column must have: the vectors of the store, made by this model."""
        points = self.store.scroll(TARGET, vectors=True)
        return {int(one.id): (as_bytes(one.vector), MODEL) for one in points if one.vector is not None}

    def generation(self, *, batch_size: int = 64) -> GeneratePlan:
        store = cast(VectorStore, self.store)
        return plan_generation(
            store, self.ledger, lambda _: self.model, into=TARGET, model=MODEL, part=EVERYTHING, batch_size=batch_size
        )

    def generate(self, *, batch_size: int = 64) -> Run:
        """A run over the whole table, done until it ends."""
        return self.work(submit_generation(self.ledger, self.catalog, self.generation(batch_size=batch_size), "olga"))

    def forecast(self) -> Forecast:
        store = cast(VectorStore, self.store)
        return forecast(self.catalog, store, self.column, self.ledger.failed_among, self.generation())

    def operation(self, run: Run) -> Operation:
        if run.kind != "generate":
            return super().operation(run)
        return Generate(
            GeneratePlan.from_json(run.spec),
            run.id,
            catalog=self.catalog,
            column=self.column,
            images=self.images,
            store=cast(VectorStore, self.store),
            embedder=lambda: self.model,
            failed_among=self.ledger.failed_among,
            before=run.result,
        )

    def changes(self) -> int:
        """A number that is another one as soon as somebody else wrote to the table."""
        return int(self._rows.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        self.column.close()
        super().close()


@pytest.fixture
def table(tmp_path: Path, ledger: Ledger) -> Iterator[Table]:
    made = Table(tmp_path, ledger)
    yield made
    made.close()


def _books(run: Run) -> None:
    assert check(run.counts, finished=run.state is RunState.SUCCEEDED) == ""


def test_a_collection_is_made_and_every_row_gets_the_stores_vector_with_the_models_name(table: Table) -> None:
    table.add(30)
    run = table.generate(batch_size=7)
    assert (run.state, run.reason) == (RunState.SUCCEEDED, "30 of 30 pictures brought in step.")
    assert table.in_column() == table.in_store()
    assert len(table.in_column()) == 30
    assert run.result is not None
    assert (run.result["embedded"], run.result["column"]) == (30, {"no vector": 30})


def test_a_second_run_reads_no_picture_and_writes_nothing_anywhere(table: Table) -> None:
    table.add(30)
    table.generate()
    before = table.changes(), table.store.asked, len(table.images.asked), table.in_column()
    run = table.generate()
    assert (run.state, run.counts.done) == (RunState.SUCCEEDED, 30)
    assert run.result is not None
    assert (run.result["embedded"], run.result["column"]) == (0, {})
    assert (table.changes(), table.store.asked, len(table.images.asked), table.in_column()) == before


PLANTED = {
    2: "no vector",
    3: "not a vector",
    4: "another model's name",
    5: "another length",
    6: "another vector",
    7: "other numbers",
    8: "another model's name",
}


def _plant(table: Table) -> None:
    """One row for each way to be out of step; the others are as they should be."""
    vectors = {key: np.frombuffer(raw, "<f4") for key, (raw, _) in table.in_store().items()}
    table.put(2, None, None)
    table.put(3, vectors[3].tobytes() + b"\0")
    table.put(4, vectors[4].tobytes(), "old-model")
    table.put(5, vectors[5][:24].tobytes())
    table.put(6, np.random.default_rng(1).normal(size=48).astype("<f4").tobytes())  # claims the right name
    table.put(7, (vectors[7] * 3).astype("<f4").tobytes())
    table.put(8, np.ones(96, "<f4").tobytes(), "old-model")


def test_exactly_the_rows_that_differ_are_written_and_nothing_is_embedded_for_them(table: Table) -> None:
    table.add(30)
    table.generate()
    _plant(table)
    foreseen, embedded, untouched = table.forecast(), table.model.embedded, dict(table.in_column())
    run = table.generate()
    assert run.result is not None
    reasons = {reason: list(PLANTED.values()).count(reason) for reason in PLANTED.values()}
    assert run.result["column"] == reasons == dict(foreseen.column)
    assert (foreseen.embed, foreseen.undecided, foreseen.selected) == (0, 0, 30)
    assert table.model.embedded == embedded
    assert table.in_column() == table.in_store()
    assert {key for key, value in table.in_column().items() if untouched.get(key) != value} == set(PLANTED)


def test_a_wrong_models_vector_of_the_right_size_is_found_where_a_look_for_null_would_not_find_it(table: Table) -> None:
    keys = table.add(40)
    table.generate()
    strange = np.random.default_rng(5).normal(size=(len(keys), 48)).astype("<f4")
    for key, vector in zip(keys[::10], strange, strict=False):
        table.put(key, (vector / np.linalg.norm(vector)).astype("<f4").tobytes())
    assert dict(table.forecast().column) == {"another vector": 4}
    assert table.generate().counts.done == 40
    assert table.in_column() == table.in_store()


def test_broken_pictures_are_listed_by_class_and_keep_what_their_rows_have(table: Table) -> None:
    table.add(10)
    (missing, empty) = table.add(2, good=False)
    (table.root / f"{empty}.png").touch()
    table.put(missing, b"\0" * 8, "old-model")
    run = table.generate()
    assert (run.state, run.counts.done, run.counts.failed) == (RunState.SUCCEEDED, 10, {"empty": 1, "missing": 1})
    assert {one.key: one.kind for one in table.failed.all(TARGET)} == {str(missing): "missing", str(empty): "empty"}
    assert table.in_column() == {**table.in_store(), missing: (b"\0" * 8, "old-model")}
    table.mend(missing, empty)
    again = table.generate()
    assert (again.counts.done, again.counts.failed) == (12, {})
    assert list(table.failed.all(TARGET)) == []
    assert table.in_column() == table.in_store()


def test_where_all_pictures_fail_the_run_stops_and_goes_on_behind_them_when_it_is_resumed(table: Table) -> None:
    table.add(210, good=False)
    table.add(5)
    run = table.generate(batch_size=50)
    assert run.state is RunState.FAILED
    assert "200 of the last 200 pictures are missing" in run.reason
    ended = table.resume(run)
    assert (ended.state, ended.counts.done, ended.counts.failed) == (RunState.SUCCEEDED, 5, {"missing": 210})
    _books(ended)


def test_pictures_in_quarantine_are_passed_over_with_their_rows(table: Table) -> None:
    table.add(3)
    (bad,) = table.add(1, good=False)
    table.generate()
    table.failed.quarantine(TARGET, "olga", keys=[str(bad)])
    table.mend(bad)
    assert (table.forecast().quarantined, table.forecast().embed) == (1, 0)
    run = table.generate()
    assert (run.counts.done, run.counts.skipped) == (3, {"quarantined": 1})
    assert bad not in table.in_column()


def test_a_run_that_is_stopped_after_every_step_embeds_each_picture_once_and_counts_each_once(table: Table) -> None:
    table.add(60)
    run = submit_generation(table.ledger, table.catalog, table.generation(batch_size=8), "olga")
    while run.state is not RunState.SUCCEEDED:
        asked = iter((False, True))
        run = table.work(run, lambda looks=asked: next(looks))  # type: ignore[misc]
        _books(run)
        if run.state is RunState.INTERRUPTED:
            run = table.ledger.ask(run.id, Verb.RESUME, "olga")
    assert run.attempt > 5
    assert (run.counts.selected, run.counts.done) == (60, 60)
    assert run.result is not None
    assert (run.result["embedded"], run.result["column"]) == (60, {"no vector": 60})
    assert table.in_column() == table.in_store()


def test_a_run_can_be_paused_and_cancelled_and_the_next_one_goes_on_from_what_is_there(table: Table) -> None:
    table.add(40)
    run = submit_generation(table.ledger, table.catalog, table.generation(batch_size=8), "olga")

    def pause() -> bool:
        if table.ledger.get(run.id).counts.done >= 16:
            table.ledger.ask(run.id, Verb.PAUSE, "olga")
        return False

    paused = table.work(run, pause)
    assert (paused.state, paused.counts.done) == (RunState.PAUSED, 16)
    assert set(table.in_column()) >= set(range(1, 17))
    assert table.ledger.ask(run.id, Verb.CANCEL, "olga").state is RunState.CANCELLED
    ended = table.generate(batch_size=8)
    assert (ended.counts.done, table.in_column()) == (40, table.in_store())
    assert sorted(table.store.written) == list(range(1, 41)), "nothing was written twice"


def test_rows_and_points_that_leave_during_the_run_are_counted_as_that(table: Table) -> None:
    table.add(20)
    upsert = table.store.upsert

    def then_some_leave(name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        written = upsert(name, points, as_is=as_is)
        with contextlib.closing(sqlite3.connect(table.file)) as application, application:
            application.execute("DELETE FROM pictures WHERE id = 3")
        table.store.delete(TARGET, [5])
        return written

    table.store.upsert = then_some_leave  # type: ignore[method-assign]
    run = table.generate()
    assert (run.state, run.counts.done) == (RunState.SUCCEEDED, 18)
    assert run.counts.skipped == {"left the catalog": 1, "point deleted meanwhile": 1}
    assert set(table.in_column()) == set(range(1, 21)) - {3, 5}


def test_a_table_that_is_locked_stops_the_run_with_what_to_do_and_nothing_is_lost(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.add(30)
    with contextlib.closing(sqlite3.connect(table.file)) as application:
        application.isolation_level = None
        write = ColumnWriter.write

        def locked(self: ColumnWriter, vectors: Sequence[tuple[str, Vector]], model: str) -> int:
            application.execute("BEGIN IMMEDIATE")
            return write(self, vectors, model)

        with monkeypatch.context() as patched:
            patched.setattr(ColumnWriter, "write", locked)
            run = table.generate(batch_size=10)
        assert (run.state, run.counts.done) == (RunState.FAILED, 0)
        assert "is locked by another program" in run.reason
        assert "resume" in run.remedy
        assert table.in_column() == {}
    ended = table.resume(run)
    assert (ended.state, ended.counts.done) == (RunState.SUCCEEDED, 30)
    assert table.in_column() == table.in_store()
    assert sorted(table.store.written) == list(range(1, 31)), "what the store had already was not written again"


def test_an_unchanged_forecast_is_what_the_run_then_does_where_points_are_missing_too(table: Table) -> None:
    table.add(12)
    table.generate()
    _plant(table)
    table.store.delete(TARGET, [2, 4, 6, 9])
    table.put(10, None, None)
    found = table.forecast()
    assert (found.embed, found.undecided) == (4, 2), "6 and 9 look right until their pictures are embedded"
    run = table.generate()
    assert run.result is not None
    assert run.result["embedded"] == found.embed
    assert run.result["column"] == {**found.column, "another vector": 1}, "9 was right after all, and 6 was not"
    assert table.in_column() == table.in_store()


def test_another_models_collection_is_not_filled(table: Table) -> None:
    table.add(3)
    run = submit_generation(table.ledger, table.catalog, table.generation(), "olga")
    table.store.create(TARGET, OTHERS)
    ended = table.work(run)
    assert ended.state is RunState.FAILED
    assert "another model made it" in ended.reason
    assert (table.in_column(), table.in_target()) == ({}, set())


@pytest.mark.parametrize("lost", ["the collection", "its points"])
def test_a_run_whose_collection_lost_what_it_wrote_does_not_go_on_as_if_it_had_it(table: Table, lost: str) -> None:
    table.add(30)
    run = submit_generation(table.ledger, table.catalog, table.generation(batch_size=8), "olga")
    asked = iter((False, True))
    stopped = table.work(run, lambda: next(asked))
    assert (stopped.state, stopped.counts.done) == (RunState.INTERRUPTED, 8)
    if lost == "the collection":
        table.store.drop(TARGET)
    else:
        table.store.delete(TARGET, range(1, 31))
    ended = table.resume(run)
    assert ended.state is RunState.FAILED
    assert "deleted" in ended.reason
    assert "generate again" in ended.remedy
    table.ledger.ask(run.id, Verb.CANCEL, "olga")
    assert table.generate().counts.done == 30
    assert table.in_column() == table.in_store()
    assert len(table.in_store()) == 30


def test_what_is_meant_must_be_clear_before_anything_begins(table: Table) -> None:
    store, ledger = cast(VectorStore, table.store), table.ledger

    def planned(into: str = "", model: str = "") -> GeneratePlan:
        return plan_generation(store, ledger, lambda _: table.model, into=into, model=model, part=EVERYTHING)

    with pytest.raises(Refused, match="which collection is meant; the aliases are: none"):
        planned()
    with pytest.raises(CollectionNotFound) as missing:
        planned(into="nowhere")
    assert "name the model that shall make it" in missing.value.remedy
    table.store.create("other", OTHERS)
    with pytest.raises(Refused, match="was made by other, not by grid"):
        planned(into="other", model="grid")
    assert planned(into="other").model == "other"
