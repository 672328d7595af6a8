"""A trigger that changes the updated-at column at every UPDATE: what a generation writes is no edit of the row."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console_core.catalog.column_writer import ColumnWriter
from console_core.catalog.embedding_column import EmbeddingColumn
from console_core.catalog.sql import SqlCatalog
from console_core.errors import StoreUnavailable
from console_core.migration.current import current_keys
from console_core.runs.ledger import Ledger
from console_core.runs.types import RunState
from tests.lifecycle.failing import TARGET
from tests.lifecycle.test_generate import Table

TOUCHES = (
    "CREATE TRIGGER touched AFTER UPDATE ON pictures WHEN NEW.changed_at = OLD.changed_at "
    "BEGIN UPDATE pictures SET changed_at = changed_at + 1 WHERE id = NEW.id; END"
)


@pytest.fixture
def table(tmp_path: Path, ledger: Ledger) -> Iterator[Table]:
    made = Table(tmp_path, ledger)
    made._rows.executescript(f"ALTER TABLE pictures ADD changed_at INTEGER NOT NULL DEFAULT 1; {TOUCHES}")
    settings = replace(made.column.settings, updated_at="changed_at")
    made.column.close()
    made.catalog.close()
    made.column, made.catalog = EmbeddingColumn(settings, timeout=0.1), SqlCatalog(settings)
    yield made
    made.close()


def current(table: Table) -> set[str]:
    rows = list(table.catalog.rows())
    return current_keys(table.store, TARGET, table.model.fingerprint.digest, rows)  # type: ignore[arg-type]


def times(table: Table) -> set[int]:
    return {changed for (changed,) in table._rows.execute("SELECT changed_at FROM pictures")}


def test_rows_that_a_generation_wrote_are_current_and_the_next_one_embeds_and_writes_nothing(table: Table) -> None:
    table.add(20)
    run = table.generate(batch_size=7)
    assert (run.state, times(table)) == (RunState.SUCCEEDED, {2})
    assert current(table) == {str(key) for key in range(1, 21)}
    assert run.result is not None
    assert (run.result["embedded"], run.result["touched"]) == (20, 20)
    before = table.changes(), table.store.asked, len(table.images.asked)
    assert table.forecast().nothing_to_do
    again = table.generate()
    assert again.result is not None
    assert (again.result["embedded"], again.result["column"]) == (0, {})
    assert (table.changes(), table.store.asked, len(table.images.asked)) == before
    assert table.in_column() == table.in_store()


def test_a_row_that_somebody_edited_meanwhile_stays_stale(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    table.add(5)
    write = ColumnWriter.write

    def edited(writer: ColumnWriter, *arguments: object) -> int:
        table._rows.execute("UPDATE pictures SET path = path WHERE id = 3")
        return write(writer, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ColumnWriter, "write", edited)
    table.generate()
    assert current(table) == {"1", "2", "4", "5"}


def test_a_row_of_which_the_trigger_changes_more_than_the_time_stays_stale(table: Table) -> None:
    table.add(3)
    table._rows.execute(
        "CREATE TRIGGER renames AFTER UPDATE OF embedding ON pictures WHEN NEW.id = 2 "
        "BEGIN UPDATE pictures SET path = './2.png' WHERE id = 2; END"
    )
    table.generate()
    assert current(table) == {"1", "3"}
    table.generate()
    assert current(table) == {"1", "2", "3"}


def test_a_store_that_fails_between_the_column_and_what_its_points_are_told_has_them_embedded_once_more(
    table: Table,
) -> None:
    table.add(4)
    told = {"calls": 0}

    def refuses(_point: object) -> StoreUnavailable | None:
        told["calls"] += 1
        return StoreUnavailable("The store is away.", "Wait.") if told["calls"] == 5 else None

    table.store.refuses = refuses
    run = table.generate()
    assert run.state is RunState.FAILED
    assert current(table) == set()
    assert table.resume(run).state is RunState.SUCCEEDED
    assert current(table) == {"1", "2", "3", "4"}
    assert table.in_column() == table.in_store()
