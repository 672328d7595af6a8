"""Duplicates by clicks: a threshold, a run that looks through the collection, groups side by side, and the export."""

import csv
import io
import json
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from console_core.commands import command
from console_core.console import Console
from console_core.errors import Refused
from console_core.querylab.duplicate_records import DuplicateRecords
from console_core.querylab.duplicates import groups_csv, groups_told
from console_core.querylab.finding_duplicates import PAGE
from console_core.querylab.grouping import Groups
from console_core.runs.types import Run, RunState
from console_core.vectorstore.provenance import Provenance, point_id
from console_core.vectorstore.types import CollectionSpec, Payload, Point
from tests.conftest import OPERATOR

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
TWICE = "twice"


def by_key(key: str) -> Payload:
    """What a point says that the console wrote, and no path."""
    return Provenance(key, "", "", "0123456789abcdef", "run", "").as_payload()


@pytest.fixture(name="twice")
def _twice(console: Console) -> Console:
    """Six pictures: the first two are the same, the next two nearly (a cosine of 0.99), the last two are alone."""
    angles = [0.0, 0.0, np.pi / 2, np.pi / 2 + np.arccos(0.99), np.pi, 3 * np.pi / 2]
    rows = list(console.catalog.rows())
    points = [
        Point(
            point_id(row.key),
            np.array([np.cos(angle), np.sin(angle)], dtype=np.float32),
            {"path": row.key, "namespace": "one"} if number < 3 else {"namespace": "two", **by_key(row.key)},
        )
        for number, (row, angle) in enumerate(zip(rows, angles, strict=True))
    ]
    console.store.create(TWICE, CollectionSpec(dimension=2))
    console.store.upsert(TWICE, points)
    return console


def ended(console: Console, run: Run) -> Run:
    until = time.monotonic() + 20
    while (now := console.ledger.get(run.id)).state in ("queued", "running"):
        assert time.monotonic() < until
        time.sleep(0.01)
    return now


def searched(console: Console) -> Run:
    return ended(console, console.ledger.runs(kinds=("duplicates",))[0])


def shown(page: AppTest) -> list[list[dict[str, Any]]]:
    """The tiles of each group."""
    drawn = [json.loads(one.proto.json) for one in page.get("bidi_component")]
    return [one["columns"][0]["tiles"] for one in drawn]


def test_from_its_collection_the_groups_are_found_and_shown_side_by_side_with_paths_and_cosines(
    twice: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("collections", collection=TWICE)
    page.button(key="link-collections-twice-duplicates").click().run()
    assert not page.exception
    assert "Not looked for yet" in said(page)
    assert page.number_input(key="duplicates-threshold").value == 0.98
    page.button(key="find-duplicates").click().run()
    run = searched(twice)
    assert (run.state, run.counts.done, run.result) == (RunState.SUCCEEDED, 6, {"groups": 2, "surplus": 2})
    page = open_page("collections", collection=TWICE, show="duplicates")
    assert not page.exception
    assert "2 pictures are there more than once, 2 times too often" in said(page)
    assert "6 points were looked at" in said(page)
    first, second = shown(page)
    rows = list(twice.catalog.rows())
    paths = [row.key for row in rows[:3]] + [row.candidates[0] for row in rows[3:]]
    assert [tile["note"] for tile in first] == [f"1.0000 · one: {path}" for path in paths[:2]]
    assert [tile["note"] for tile in second] == [
        f"0.9900 · {path}" for path in (f"one: {paths[2]}", f"two: {paths[3]}")
    ]
    assert all(tile["src"].startswith("/thumb/small/") for tile in first)
    assert list(page.dataframe[0].value["Path"]) == paths[:4]
    assert twice.store.count(TWICE) == 6


def test_the_threshold_and_a_filter_choose_what_is_found_and_stand_in_the_address(
    twice: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("collections", collection=TWICE, show="duplicates", **{"only.namespace": "two"})
    page.number_input(key="duplicates-threshold").set_value(0.995).run()
    assert page.query_params["threshold"] == "0.995"
    page.button(key="find-duplicates").click().run()
    assert searched(twice).result == {"groups": 0, "surplus": 0}
    assert "No picture twice" in said(open_page("collections", collection=TWICE, show="duplicates"))
    page = open_page("collections", collection=TWICE, show="duplicates", threshold="0.995")
    page.button(key="find-duplicates").click().run()
    assert searched(twice).result == {"groups": 1, "surplus": 1}


def test_all_groups_are_exported_as_csv(twice: Console, open_page: OpenPage) -> None:
    run = command(twice, OPERATOR, "find_duplicates", collection=TWICE)
    ended(twice, run)
    page = open_page("collections", collection=TWICE, show="duplicates")
    (button,) = page.get("download_button")
    assert button.proto.label == "Export CSV", "the file itself is made when a browser asks for it"
    groups = Groups(DuplicateRecords(twice.database).of(run.id)).all()
    lines = list(csv.reader(io.StringIO("".join(groups_csv(groups_told(twice.store, TWICE, groups))))))
    assert lines[0] == ["group", "id", "path", "cosine", "namespace", "key", "same file"]
    assert [(line[0], line[3]) for line in lines[1:]] == [("1", "1.000000")] * 2 + [("2", "0.990000")] * 2


def test_one_file_in_two_namespaces_is_told_from_two_files(console: Console, open_page: OpenPage) -> None:
    console.store.create(TWICE, CollectionSpec(dimension=2))
    vector = np.array([1, 0], dtype=np.float32)
    signed = [f"https://example.com/a.jpg?version={number}" for number in range(2)]
    held = [("a", "1.jpg"), ("b", "1.jpg"), ("b", "2.jpg"), ("b", signed[0]), ("b", signed[1])]
    console.store.upsert(
        TWICE,
        [
            Point(number, vector, {"path": path, "namespace": space, **by_key(f"ingest:{space}:{path}")})
            for number, (space, path) in enumerate(held)
        ],
    )
    run = ended(console, command(console, OPERATOR, "find_duplicates", collection=TWICE))
    page = open_page("collections", collection=TWICE, show="duplicates")
    (tiles,) = shown(page)
    address = "https://example.com/a.jpg?…"
    told = ["same file · a: 1.jpg", "same file · b: 1.jpg", "b: 2.jpg", f"b: {address}", f"b: {address}"]
    assert [tile["note"] for tile in tiles] == [f"1.0000 · {one}" for one in told]
    table = page.dataframe[0].value
    assert list(table["Same file"]) == [True, True, False, False, False]
    assert list(table["Key"])[1:4:2] == ["ingest:b:1.jpg", f"ingest:b:{address}"]
    groups = groups_told(console.store, TWICE, Groups(DuplicateRecords(console.database).of(run.id)).all())
    lines = list(csv.DictReader(io.StringIO("".join(groups_csv(groups)))))
    assert [(line["namespace"], line["key"], line["same file"]) for line in lines[:3]] == [
        ("a", "ingest:a:1.jpg", "yes"),
        ("b", "ingest:b:1.jpg", "yes"),
        ("b", "ingest:b:2.jpg", "no"),
    ]


def test_what_was_found_in_a_collection_is_not_told_of_another_that_bears_its_name_later(
    twice: Console, open_page: OpenPage, said: Said
) -> None:
    ended(twice, command(twice, OPERATOR, "find_duplicates", collection=TWICE))
    twice.store.drop(TWICE)
    twice.store.create(TWICE, CollectionSpec(dimension=2))
    twice.ledger.note("olga", "create_collection", TWICE)
    text = said(open_page("collections", collection=TWICE, show="duplicates"))
    assert "was made or filled since the last look" in text
    assert "there more than once" not in text


def test_what_was_found_is_read_while_the_ledger_is_being_written(twice: Console) -> None:
    run = ended(twice, command(twice, OPERATOR, "find_duplicates", collection=TWICE))
    with twice.database.transaction():
        assert DuplicateRecords(twice.database).of(run.id)


def test_what_was_found_until_it_was_paused_is_shown_and_it_goes_on_from_there(
    console: Console, open_page: OpenPage, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    console.store.create(TWICE, CollectionSpec(dimension=2))
    vectors = np.array([[1, 0], [0, 1]], dtype=np.float32)
    console.store.upsert(TWICE, [Point(number, vectors[number // (PAGE + 1)], {}) for number in range(PAGE + 11)])
    worker, console.worker = console.worker, None
    assert worker is not None
    worker.close()
    run = command(console, OPERATOR, "find_duplicates", collection=TWICE)
    claimed = console.ledger.claim(run.lane, "this test", only=run.id)
    assert claimed is not None
    steps = console.operation(claimed).steps("", claimed.counts)
    assert isinstance(steps, Generator)
    first = next(steps)
    console.ledger.record(run.id, first, attempt=claimed.attempt)
    steps.close()
    console.ledger.finish(run.id, RunState.INTERRUPTED, reason="Stopped.", attempt=claimed.attempt)
    page = open_page("collections", collection=TWICE, show="duplicates")
    assert "1 picture is there more than once, 64 times too often" in said(page)
    assert f"{PAGE} of {PAGE + 11} points were looked at" in said(page)
    assert [len(group) for group in shown(page)] == [24]
    again = console.operation(console.ledger.get(run.id))
    *_, last = again.steps(first.checkpoint, first.counts)
    assert (last.counts.done, last.result) == (PAGE + 11, {"groups": 2, "surplus": PAGE + 9})


def test_one_search_at_a_time_and_only_by_cosine(twice: Console, open_page: OpenPage, said: Said) -> None:
    worker, twice.worker = twice.worker, None
    assert worker is not None
    worker.close()
    run = command(twice, OPERATOR, "find_duplicates", collection=TWICE)
    assert command(twice, OPERATOR, "find_duplicates", collection=TWICE).id == run.id
    with pytest.raises(Refused, match="being looked through already"):
        command(twice, OPERATOR, "find_duplicates", collection=TWICE, threshold=0.9)
    command(twice, OPERATOR, "pause", run=run.id)
    other = command(twice, OPERATOR, "find_duplicates", collection=TWICE, threshold=0.9)
    assert twice.ledger.get(run.id).state is RunState.CANCELLED
    page = open_page("collections", collection=TWICE, show="duplicates")
    assert page.button(key="find-duplicates").disabled
    command(twice, OPERATOR, "cancel", run=other.id)
    with pytest.raises(Refused, match="no threshold"):
        command(twice, OPERATOR, "find_duplicates", collection=TWICE, threshold=0.1)
    twice.store.create("far", CollectionSpec(dimension=2, distance="euclid"))
    page = open_page("collections", collection="far", show="duplicates")
    assert "told by cosine" in str(page.warning[0].proto.title)


def test_somebody_who_may_only_look_sees_the_groups_and_cannot_look_anew(
    twice: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(twice, command(twice, OPERATOR, "find_duplicates", collection=TWICE))
    monkeypatch.setattr(twice, "settings", replace(twice.settings, role="viewer"))
    page = open_page("collections", collection=TWICE, show="duplicates")
    assert page.button(key="find-duplicates").disabled
    assert len(shown(page)) == 2


def test_its_own_searches_hold_nobody_up(twice: Console) -> None:
    ended(twice, command(twice, OPERATOR, "find_duplicates", collection=TWICE))
    assert not twice.traffic.busy()
    twice.store.search(TWICE, np.array([1, 0], dtype=np.float32), limit=1)
    assert twice.traffic.busy()
