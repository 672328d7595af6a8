"""A query set is asked by a run, and what was answered stays readable when store and models are gone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from console_core.commands import Actor, command
from console_core.console import Console
from console_core.errors import NotAllowed, Refused
from console_core.judging.asked_columns import AskedEncoder
from console_core.judging.query_sets import query
from console_core.judging.snapshots import Snapshot, as_trec
from console_core.querylab.question import Question
from console_core.querylab.search import ask
from console_core.runs.types import Run, RunState
from console_core.vectorstore.types import Hit, ModelStamp, Vector
from console_core.vectorstore.ways import Search
from tests.conftest import OPERATOR, fill, finish

JUDGE = Actor("judith", "judge")
TEXTS = [f"a {colour} square" for colour in ("red", "green", "blue")] + [f"question {n}" for n in range(40)]


@pytest.fixture
def both(console: Console) -> Console:
    """A console with a second collection, and a set of 44 questions, one of them a picture."""
    fill(console, "images__demo-siglip", "demo-siglip")
    asked = [*map(query, TEXTS), query(like="7", tags=("picture",))]
    command(console, JUDGE, "save_query_set", query_set="usual", queries=asked, origin="typed")
    return console


def begun(console: Console) -> Run:
    run: Run = command(
        console, JUDGE, "ask_query_set", query_set="usual", columns=("images", "images__demo-siglip"), depth=5
    )
    return run


def snapshot_of(console: Console, run: Run) -> Snapshot:
    return console.lab.snapshots.get((run.result or {})["snapshot"])


def test_a_run_asks_every_question_of_every_column_as_the_query_lab_does(both: Console) -> None:
    run = finish(both, begun(both))
    assert (run.state, run.counts.done, run.counts.selected) == (RunState.SUCCEEDED, 44, 44)
    snapshot = snapshot_of(both, run)
    assert [(one.asked, one.collection, one.model) for one in snapshot.columns] == [
        ("images", "images__demo-clip", "demo-clip"),
        ("images__demo-siglip", "images__demo-siglip", "demo-siglip"),
    ]
    rankings = both.lab.snapshots.rankings(snapshot)
    for text in TEXTS[:5]:
        by_hand = ask(both.store, both.models, ["images", "images__demo-siglip"], text, limit=5)
        assert [ranking[query(text).id] for ranking in rankings] == [column.keys for column in by_hand.columns]
    told = {(one.query, one.column): one for one in both.lab.snapshots.answers(snapshot.id)}
    beside = ask(both.store, both.models, ["images"], TEXTS[0], limit=5, samples=both.samples.of).columns[0]
    first = told[query(TEXTS[0]).id, 0]
    assert [each.percentile for each in first.ranked] == pytest.approx([hit.percentile for hit in beside.answers])
    assert first.margin == pytest.approx(beside.margin)
    asked_in_words = {query(text).id for text in TEXTS}
    assert [set(margins) for margins in both.lab.snapshots.margins(snapshot)] == [asked_in_words] * 2
    assert both.lab.asked(snapshot)[-1].label == "picture 7: square 7"
    assert both.lab.asked(snapshot)[:-1] == [query(text) for text in TEXTS]
    like = [ranking[query(like="7").id] for ranking in rankings]
    assert all(len(ranking) == 5 and "7" not in ranking for ranking in like)


def test_words_and_a_picture_are_asked_as_the_query_lab_mixes_them_and_not_as_the_picture_alone(
    both: Console,
) -> None:
    mixed = query("a blue square", like="7")
    command(both, JUDGE, "save_query_set", query_set="mixed", queries=[mixed, query(like="7"), query(mixed.text)])
    named = ["images", "images__demo-siglip"]
    run = finish(both, command(both, JUDGE, "ask_query_set", query_set="mixed", columns=named, depth=5))
    told = {(one.query, one.column): one for one in both.lab.snapshots.answers(snapshot_of(both, run).id)}
    by_hand = ask(both.store, both.models, named, Question(mixed.text, like="7"), limit=5).columns
    assert [(place, mixed.id) for place in range(2) if told[mixed.id, place].margin is not None] == []
    for place, column in enumerate(by_hand):
        found, *parts = (told[one.id, place].ranked for one in (mixed, query(like="7"), query(mixed.text)))
        assert [each.key for each in found] == list(column.keys)
        assert [each.score for each in found] == pytest.approx([hit.score for hit in column.answers], abs=1e-6)
        assert "7" not in column.keys
        assert all(
            [(each.key, each.score) for each in part] != [(each.key, each.score) for each in found] for part in parts
        )


def test_a_run_that_is_stopped_anywhere_and_goes_on_has_the_answers_of_one_that_was_not(both: Console) -> None:
    whole = snapshot_of(both, finish(both, begun(both)))
    run, stops = begun(both), 0
    for _ in range(9):
        before, number = run.checkpoint, run.id
        run = finish(both, run, lambda before=before, number=number: both.ledger.get(number).checkpoint != before)  # type: ignore[misc]
        if run.state is RunState.SUCCEEDED:
            break
        run, stops = command(both, OPERATOR, "resume", run=run.id), stops + 1
    assert stops > 1
    told, untouched = (both.lab.snapshots.answers(one.id) for one in (snapshot_of(both, run), whole))
    for one, other in zip(told, untouched, strict=True):
        assert (one.query, one.column, one.error) == (other.query, other.column, other.error)
        assert [each.key for each in one.ranked] == [each.key for each in other.ranked]
        assert [each.score for each in one.ranked] == pytest.approx([each.score for each in other.ranked], abs=1e-6)


def test_a_snapshot_is_complete_once_and_reads_the_same_without_store_and_models(both: Console) -> None:
    snapshot = snapshot_of(both, finish(both, begun(both)))
    before = both.lab.snapshots.answers(snapshot.id)
    both.store.drop("images__demo-siglip")
    both.catalog.close()
    assert both.lab.snapshots.answers(snapshot.id) == before
    assert both.lab.snapshots.is_intact(snapshot)
    shown = both.lab.snapshots.pictures(snapshot.id, [one.key for one in before[0].ranked])
    assert [row.payload["caption"] for row in shown.values()] == [f"square {key}" for key in shown]
    with pytest.raises(Refused, match="complete"):
        both.lab.snapshots.add(snapshot.id, before[:1], [])


def test_a_collection_that_became_another_models_meanwhile_ends_the_run_and_mixes_nothing(both: Console) -> None:
    run = begun(both)
    both.store.stamp("images__demo-siglip", ModelStamp("demo-siglip", "0123456789ab"))
    run = finish(both, run)
    assert run.state is RunState.FAILED
    assert "not what it was" in run.reason
    assert both.lab.snapshots.all() == []


def test_a_column_that_cannot_answer_a_question_says_why_and_the_other_one_answers(both: Console) -> None:
    command(both, JUDGE, "save_query_set", query_set="odd", queries=[query("a fox"), query(like="no such key")])
    run = finish(both, command(both, JUDGE, "ask_query_set", query_set="odd", columns=["images"]))
    found = {one.query: one for one in both.lab.snapshots.answers(snapshot_of(both, run).id)}
    assert len(found[query("a fox").id].ranked) == 20
    assert "no point of picture no such key" in found[query(like="no such key").id].error


def test_a_snapshot_is_a_run_file_of_trec_with_keys_of_one_word(both: Console) -> None:
    snapshot = snapshot_of(both, finish(both, begun(both)))
    found = both.lab.snapshots.answers(snapshot.id)
    lines = [line.split(" ") for line in as_trec(snapshot, 1, found)]
    assert {len(line) for line in lines} == {6}
    assert lines[0][1:4:2] + lines[0][5:] == ["Q0", "1", "images__demo-siglip"]
    assert [line[2] for line in lines if line[0] == query(TEXTS[0]).id] == list(
        both.lab.snapshots.rankings(snapshot)[1][query(TEXTS[0]).id]
    )


@pytest.mark.parametrize(
    ("columns", "depth", "said"),
    [
        ([], 5, "0 columns"),
        (["images"] * 5, 5, "5 columns"),
        (["images", "images__demo-clip"], 5, "the same collection in the same way"),
        (["images~exact", "images__demo-clip~exact"], 5, "the same collection in the same way"),
        (["images~0.31"], 5, "has a threshold"),
        (["images"], 0, "not a number of answers"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_a_run_begins(
    both: Console, columns: list[str], depth: int, said: str
) -> None:
    with pytest.raises(Refused, match=said):
        command(both, JUDGE, "ask_query_set", query_set="usual", columns=columns, depth=depth)
    assert both.ledger.runs(kinds=("ask",)) == []


def test_how_each_encoder_stood_is_kept_with_the_answers_and_one_that_was_found_faulty_is_asked_expressly_only(
    both: Console,
) -> None:
    def kept(columns: tuple[str, ...] = ("images", "images__demo-siglip"), **more: bool) -> list[AskedEncoder]:
        run = command(both, JUDGE, "ask_query_set", query_set="usual", columns=columns, **more)
        return [one.encoder for one in both.lab.snapshots.get(run.spec["snapshot"]).columns if one.encoder]

    assert [(one.state, one.run, one.text) for one in kept()] == [("unchecked", "", "encoder never checked")] * 2

    faulty = finish(both, command(both, OPERATOR, "check_encoder", collection="images"))
    with pytest.raises(Refused, match=r"images__demo-clip is red: Texts do not find their pictures") as refused:
        kept()
    assert "--unchecked" in refused.value.remedy
    assert len(kept(("images__demo-siglip",))) == 1
    red, other = kept(unchecked=True)
    assert (red.state, red.run, red.checked_at, red.faults) == ("red", faulty.id, faulty.finished_at, ("captions",))
    assert red.text == "encoder check red (Texts do not find their pictures), just before"
    assert other.state == "unchecked"

    (point,) = both.store.retrieve("images", [7], vectors=True)
    both.store.upsert("images", [replace(point, id=1_000)])
    with pytest.raises(Refused, match="is red"):
        kept()
    (still,) = kept(("images",), unchecked=True)
    assert (still.state, still.stale) == ("red", ("The collection was written to since.",))

    both.store.delete("images", [1_000])
    finish(both, command(both, OPERATOR, "check_encoder", collection="images", captions=""))
    assert [one.state for one in kept()] == ["green", "unchecked"]
    both.store.upsert("images", [replace(point, id=1_000)])
    (late,) = kept(("images~exact",))
    assert (late.state, late.stale) == ("stale", ("The collection was written to since.",))
    assert late.text == "encoder check green, just before, out of date by then: The collection was written to since."


def test_one_collection_is_asked_in_several_ways_and_each_column_says_which_is_its_own(
    both: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[tuple[str, Search]] = []
    search = both.store.search

    def noted(name: str, vector: Vector, *, way: Search = Search.USUAL, **more: Any) -> Sequence[Hit]:
        searched.append((name, way))
        return search(name, vector, way=way, **more)

    monkeypatch.setattr(both.store, "search", noted)
    columns = ["images", "images__demo-siglip", "images__demo-clip~exact", "images~without-rescoring"]
    run = finish(both, command(both, JUDGE, "ask_query_set", query_set="usual", columns=columns, depth=5))
    assert (run.state, Counter(searched)) == (
        RunState.SUCCEEDED,
        {
            ("images__demo-clip", Search.USUAL): len(TEXTS) + 1,
            ("images__demo-siglip", Search.USUAL): len(TEXTS) + 1,
            ("images__demo-clip", Search.EXACT): len(TEXTS) + 1,
            ("images__demo-clip", Search.WITHOUT_RESCORING): len(TEXTS) + 1,
        },
    )
    snapshot = snapshot_of(both, run)
    assert [one.name for one in snapshot.columns] == columns
    assert snapshot.label.endswith("images · images__demo-siglip · images__demo-clip~exact · images~without-rescoring")
    rankings = both.lab.snapshots.rankings(snapshot)
    assert rankings[0] == rankings[2] == rankings[3]
    (line, *_) = as_trec(snapshot, 2, both.lab.snapshots.answers(snapshot.id))
    assert line.split()[-1] == "images__demo-clip_exact"


def test_a_judge_may_ask_and_not_migrate_and_a_viewer_may_neither(both: Console) -> None:
    with pytest.raises(NotAllowed):
        command(both, JUDGE, "verify", collection="images")
    with pytest.raises(NotAllowed):
        command(both, Actor("vera", "viewer"), "ask_query_set", query_set="usual", columns=["images"])
