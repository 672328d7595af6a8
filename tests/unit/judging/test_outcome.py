"""Everything that is shown of an evaluation is computed once, from the ledger alone."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import update

from console_core.database import Database
from console_core.judging.asked_columns import AskedColumn
from console_core.judging.judgements import TIE, combined
from console_core.judging.outcome import outcome_of
from console_core.judging.protocol import Protocol
from console_core.judging.sampling import sample_of
from console_core.judging.several import adjusted, together
from console_core.judging.snapshot_tables import answers
from console_core.judging.verdict import decide
from console_core.vectorstore.ways import Search
from tests.unit.judging.judged import DEPTH, MODELS, Judged, column_of, judged, twinned


def best_of(place: int, made: Judged, *, worst: int = 0) -> None:
    """Grade what one column found with 3, and all else with the worst."""
    mine = made.lab.desk(made.evaluation).columns[place]
    made.grade(lambda query, key: 3 if key in mine[query][:DEPTH] else worst)


def test_the_verdict_of_each_column_is_that_on_it_and_the_reference_with_all_others_beside_them(
    database: Database, tmp_path: Path
) -> None:
    made = judged(database, tmp_path, columns=3)
    best_of(2, made)
    outcome = outcome_of(made.lab, made.evaluation)
    a, b, c = made.lab.desk(made.evaluation).columns
    grades = combined(made.lab.judgements.of(made.evaluation.id))
    protocol = made.evaluation.protocol
    to_b, to_c = (one.verdict for one in outcome.comparisons)
    sample = sample_of(protocol, (a, b, c))
    alone = [decide(protocol, protocol.digest, a, column, grades, sample) for column in (b, c)]
    assert to_b.differences == alone[0].differences
    assert (to_b.decision, to_c.decision) == tuple(one.decision for one in together(alone))
    assert to_c.decision is not None
    assert to_c.decision.estimate.confidence == pytest.approx(0.975)
    assert "It is one of 2 comparisons" in to_c.text
    assert (to_c.outcome, to_c.text[:20]) == ("non-inferior", "C is non-inferior: i")
    assert [one.letter for one in outcome.comparisons] == ["B", "C"]
    assert outcome.pictures.unjudged == 0


def test_before_the_models_are_told_nothing_in_the_document_names_them_or_says_what_a_query_gave(
    database: Database, tmp_path: Path
) -> None:
    made = judged(database, tmp_path)
    best_of(1, made)
    blind = json.dumps(outcome_of(made.lab, made.evaluation).to_json(), allow_nan=False)
    assert [name for name in (*MODELS, "images__", "fp0") if name in blind] == []
    assert json.loads(blind)["queries"] == []
    assert json.loads(blind)["comparisons"][0]["verdict"]["outcome"] == "non-inferior"
    told = outcome_of(made.lab, made.reveal().evaluation)
    assert [column.label for column in told.columns] == ["images__demo-clip (A)", "images__demo-siglip (B)"]
    assert len(told.queries) == 24
    losses = [row.loss for row in told.queries]
    assert losses == sorted(losses)
    assert [row.differences for row in told.queries if row.chance is None] == [(0.0,)]


@pytest.mark.parametrize(
    ("asked_of", "said"),
    [
        ([column_of(0), column_of(1)], "is not told apart: ask again"),
        ([column_of(0), column_of(1, way=Search.EXACT)], ""),
        (twinned(None, None), ""),
    ],
    ids=["as usual", "exact", "twins"],
)
def test_a_loss_of_which_model_and_index_are_not_told_apart_says_so_once_the_models_are_told(
    database: Database, tmp_path: Path, asked_of: list[AskedColumn], said: str
) -> None:
    made = judged(database, tmp_path, asked_of=asked_of)
    best_of(0, made)
    for told, expected in ((made, ""), (made.reveal(), said)):
        outcome = outcome_of(told.lab, told.evaluation)
        (one,) = outcome.comparisons
        assert one.verdict.outcome == "inferior"
        assert expected in outcome.advice(one)
        assert bool(outcome.advice(one)) == bool(expected)


def test_the_same_ledger_gives_the_same_outcome_in_any_thread(database: Database, tmp_path: Path) -> None:
    made = judged(database, tmp_path)
    best_of(0, made)
    with ThreadPoolExecutor(4) as threads:
        said = set(threads.map(lambda _: json.dumps(outcome_of(made.lab, made.evaluation).to_json()), range(4)))
    assert len(said) == 1


def test_a_verdict_is_withheld_with_a_remedy_while_pictures_are_unjudged(database: Database, tmp_path: Path) -> None:
    made = judged(database, tmp_path)
    mine = made.lab.desk(made.evaluation).columns[0]
    made.grade(lambda query, key: 3 if key in mine[query][:DEPTH] else None)
    outcome = outcome_of(made.lab, made.reveal().evaluation)
    (one,) = outcome.comparisons
    assert one.verdict.outcome == "withheld"
    assert "in A and" in one.text
    assert "Judge the pictures that are left." in one.text
    assert outcome.decides is None
    assert 0 < outcome.pictures.share < 1
    assert {row.differences for row in outcome.queries} == {(None,)}
    assert [side.scores for side in (one.verdict.a, one.verdict.b)] == [None, None]
    assert one.verdict.a.judged.at_k == one.verdict.b.judged.at_k == 0
    assert {tile.grade for row in outcome.queries for cell in row.cells for tile in cell.tiles} == {None}
    assert {cell.scores for row in outcome.queries for cell in row.cells} == {None}


def test_a_column_that_was_down_for_a_query_does_not_keep_the_others_from_a_verdict(
    database: Database, tmp_path: Path
) -> None:
    made = judged(database, tmp_path, columns=3, failing=True)
    best_of(1, made)
    to_b, to_c = outcome_of(made.lab, made.evaluation).comparisons
    assert (to_b.verdict.outcome, to_b.verdict.unanswered) == ("non-inferior", ())
    assert to_c.verdict.decision is not None
    first = made.lab.desk(made.evaluation).queries[to_c.verdict.unanswered[0]]
    assert (first.label, len(to_c.verdict.unanswered), to_c.verdict.queries) == ("question 0", 1, 23)
    rows = outcome_of(made.lab, made.reveal().evaluation).queries
    (row,) = (each for each in rows if each.query == first)
    assert row.differences[0] is not None
    assert row.differences[1] is None


def test_answers_that_were_changed_after_they_were_sealed_give_no_verdict(database: Database, tmp_path: Path) -> None:
    made = judged(database, tmp_path)
    best_of(1, made)
    assert outcome_of(made.lab, made.evaluation).decides
    with database.transaction() as connection:
        connection.execute(update(answers).where(answers.c.column == 1).values(error="changed"))
    outcome = outcome_of(made.lab, made.evaluation)
    assert (outcome.answered.intact, outcome.decides) == (False, None)
    assert "not those that were sealed" in outcome.comparisons[0].text
    assert (outcome.comparisons[0].verdict.worst, outcome.comparisons[0].verdict.best) == (None, None)


def test_two_judges_count_once_together_and_their_agreement_is_said(database: Database, tmp_path: Path) -> None:
    made = judged(database, tmp_path)
    made.grade(lambda query, key: len(key) % 4, "olga")
    made.grade(lambda query, key: len(key) % 4, "pete")
    outcome = outcome_of(made.lab, made.evaluation)
    assert outcome.agreement is not None
    assert outcome.agreement.alpha == pytest.approx(1)
    assert outcome.judges == {"olga": outcome.pictures.all, "pete": outcome.pictures.all}
    assert outcome.counting == outcome.judges
    assert outcome.words == 2 * outcome.pictures.all


def test_a_second_judge_of_one_columns_own_pictures_changes_no_number(database: Database, tmp_path: Path) -> None:
    made = judged(database, tmp_path)
    best_of(1, made)
    before = outcome_of(made.lab, made.evaluation)
    a, b = made.lab.desk(made.evaluation).columns
    made.grade(lambda query, key: 0 if key in b[query][:DEPTH] and key not in a[query][:DEPTH] else None, "pete")
    after = outcome_of(made.lab, made.evaluation)
    assert after.comparisons == before.comparisons
    assert after.words > before.words
    assert set(after.judges) == {"olga", "pete"}
    assert after.decides


def vote_all(made: Judged, winner: dict[tuple[int, int], int], judge: str = "olga", *, but: int = 0) -> None:
    columns = made.lab.desk(made.evaluation).sample.queue
    for (x, y), won in winner.items():
        for query in columns[but:]:
            made.lab.judgements.vote(made.evaluation, query, x, y, won, by=judge)


def test_votes_say_who_is_preferred_only_when_every_query_that_was_drawn_has_one(
    database: Database, tmp_path: Path
) -> None:
    made = judged(database, tmp_path, way="votes", protocol=Protocol(k=DEPTH, seed=2))
    vote_all(made, {(1, 0): 1}, but=1)
    (pair,) = (found := outcome_of(made.lab, made.evaluation)).ballots.pairs  # type: ignore[union-attr]
    assert (pair.missing, pair.preference, found.decides) == (1, None, None)
    assert "1 question without a vote between A and B" in pair.text
    vote_all(made, {(0, 1): 1})
    (pair,) = (found := outcome_of(made.lab, made.evaluation)).ballots.pairs  # type: ignore[union-attr]
    assert pair.text.startswith("B is preferred to A: A on 0, B on 23 questions, neither on 0")
    assert (pair.weighed, pair.among, "drawn" in pair.text) == (None, 1, False)
    assert (found.decides, found.comparisons, found.agreement) == (True, (), None)


def test_votes_on_three_columns_put_them_in_one_order(database: Database, tmp_path: Path) -> None:
    made = judged(database, tmp_path, way="votes", columns=3, size=12, protocol=Protocol(k=DEPTH))
    queue = made.lab.desk(made.evaluation).sample.queue
    for place, query in enumerate(queue):
        for x, y, won in ((0, 1, 1), (1, 2, 2), (0, 2, 2)):
            usual = place % 4 != 0
            made.lab.judgements.vote(made.evaluation, query, x, y, won if usual else TIE if place % 8 else x, by="olga")
    ballots = outcome_of(made.lab, made.evaluation).ballots
    assert ballots is not None
    chances = [pair.preference.p for pair in ballots.pairs if pair.preference]
    assert [pair.preference.adjusted for pair in ballots.pairs if pair.preference] == adjusted(chances)
    assert all("corrected for 3 pairs" in pair.text for pair in ballots.pairs)
    assert ballots.leaderboard is not None
    assert [one.name for one in ballots.leaderboard.standings] == ["C", "B", "A"]


DRAWN = Protocol(k=DEPTH, queries=30, prefers="disagreement", seed=2)


def test_votes_on_a_drawn_queue_say_so_and_are_weighed_for_the_questions_that_they_stand_for(
    database: Database, tmp_path: Path
) -> None:
    made = judged(database, tmp_path, way="votes", size=60, protocol=DRAWN)
    sample = made.lab.desk(made.evaluation).sample
    often = {query for stratum in sample.strata[2:] for query in stratum.drawn}
    for query in sample.queue:
        made.lab.judgements.vote(made.evaluation, query, 0, 1, 1 if query in often else 0, by="olga")
    ballots = outcome_of(made.lab, made.evaluation).ballots
    assert ballots is not None
    (pair,) = ballots.pairs
    assert pair.preference is not None
    assert (pair.asked, pair.population, pair.preference.b) == (30, 59, len(often))
    truth = sum(stratum.size for stratum in sample.strata[2:]) / 59
    assert pair.preference.share != pytest.approx(truth, abs=0.01)
    assert pair.weighed == pytest.approx(truth)
    assert "of the 30 questions that were drawn" in pair.text
    assert f"B has about {truth:.1%}" in pair.text


def test_grades_of_questions_that_a_judge_did_not_finish_are_told_apart_from_those_that_count(
    database: Database, tmp_path: Path
) -> None:
    made = judged(database, tmp_path)
    desk = made.lab.desk(made.evaluation)
    first, *_ = desk.pools
    made.grade(lambda query, key: 1, "olga")
    made.grade(lambda query, key: None if (query, key) == (first, desk.pools[first][0]) else 1, "ann")
    outcome = outcome_of(made.lab, made.evaluation)
    everything = sum(map(len, desk.pools.values()))
    assert outcome.judges == {"ann": everything - 1, "olga": everything}
    assert outcome.counting == {"ann": everything - len(desk.pools[first]), "olga": everything}
