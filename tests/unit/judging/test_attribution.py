"""What judges find worse is blamed on the index where the index lost it, and on the model where the model did."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from console_core.database import Database
from console_core.judging.asked_columns import AskedColumn
from console_core.judging.asking import AskPlan, AskQueries, begin
from console_core.judging.attribution import Attributed, Pair, attributed
from console_core.judging.judgements import Evaluation, Given
from console_core.judging.metrics import scores
from console_core.judging.outcome import EvaluationOutcome, outcome_of
from console_core.judging.protocol import Protocol
from console_core.judging.query_sets import query
from console_core.judging.records import LabRecords
from console_core.judging.sampling import reweighted, sample_of
from console_core.judging.twins import twins
from console_core.querylab.effects import Effect
from console_core.querylab.losses import Attribution
from console_core.runs.types import Counts
from console_core.vectorstore.ways import Search
from tests.indexed import CLASSES, CRIPPLED, GOOD, QUERIES, EngineStore, K, Shards, embedded, engine_stores

TWINNED = ("old", "new", "old~exact", "new~exact")


class Stores:
    """Several collections, each in a shard of its own."""

    def __init__(self, **stores: EngineStore) -> None:
        self._stores = stores

    def describe(self, name: str) -> Any:
        return self._stores[name].describe(name)

    def retrieve(self, name: str, *asked: Any, **more: Any) -> Any:
        return self._stores[name].retrieve(name, *asked, **more)

    def search(self, name: str, *asked: Any, **more: Any) -> Any:
        return self._stores[name].search(name, *asked, **more)


@pytest.fixture
def shards(tmp_path: Path) -> Iterator[Shards]:
    with engine_stores(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRecords]:
    """The records of one workspace, in which each test has snapshots and evaluations of its own."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('attribution') / 'ledger.db'}")
    yield LabRecords(database)
    database.close()


def begun(lab: LabRecords, store: Any, columns: tuple[str, ...] = TWINNED) -> Evaluation:
    """Pictures of known classes asked of the columns, and an evaluation of all of them."""
    asked = lab.query_sets.save("pictures", [query(like=str(n)) for n in range(QUERIES)], origin="a test", by="olga")
    made = begin(store, lab.snapshots, asked, columns, depth=K, by="olga", standing=lambda _name: None)
    plan = AskPlan(asked.name, asked.version, made.id)
    never: Any = None  # the questions are pictures of the collections: no model is asked
    asking = AskQueries(
        plan, sets=lab.query_sets, snapshots=lab.snapshots, store=store, models=never, rows=lambda _: []
    )
    *_, last = asking.steps("", Counts())
    assert (last.counts.done, last.result) == (QUERIES, {**(last.result or {}), "columns": len(columns)})
    protocol = Protocol(k=K, scale="yes/no", margin=0.05)
    return lab.judgements.get(lab.judgements.begin(made.id, range(len(columns)), protocol, by="olga"))


def judge(lab: LabRecords, of: Evaluation, *, but: int = 0) -> None:
    """Every picture of a pool is right where it is of the class that is asked for; the last questions are left out."""
    desk = lab.desk(of)
    asked = list(desk.pools)[: len(desk.pools) - but]
    given = [
        Given(one, key, "olga", int(int(key) % CLASSES == int(desk.queries[one].like) % CLASSES))
        for one in asked
        for key in desk.pools[one]
    ]
    lab.judgements.judge_all(of, given)


def revealed(lab: LabRecords, of: Evaluation) -> EvaluationOutcome:
    return outcome_of(lab, lab.judgements.reveal(of.id, by="olga"))


def told(lab: LabRecords, old: EngineStore, new: EngineStore) -> Attributed:
    """Asked, judged and revealed: whose doing the change from the old to the new collection is."""
    of = begun(lab, Stores(old=old, new=new))
    judge(lab, of)
    (one,) = revealed(lab, of).comparisons
    assert one.attributed is not None
    found = one.attributed.found
    assert found is not None
    assert one.verdict.decision is not None
    assert found.total.mean == pytest.approx(one.verdict.decision.estimate.mean)
    assert found.total.mean == pytest.approx(found.model.mean + found.searching.mean)
    return one.attributed


@pytest.mark.parametrize("seed", range(20))
def test_what_a_crippled_index_loses_is_never_blamed_on_the_model_from_asking_to_the_outcome(
    seed: int, shards: Shards, lab: LabRecords
) -> None:
    rows, _ = embedded(seed, noise=0.8)
    found = told(lab, shards(rows, index=GOOD), shards(rows, index=CRIPPLED))
    assert found.causes == ("index",)
    assert found.found is not None
    assert found.found.model == Effect(0.0, 0.0, 0.0), "both search the same vectors exactly"
    lost = -found.found.total.mean
    assert found.text.startswith(f"Of B's loss of {lost:.3f} in nDCG@10, {lost:.3f} (")
    assert "are the index's and 0.000 (0.000 to 0.000) the model's. It is the index that loses" in found.text


@pytest.mark.parametrize("seed", range(3))
def test_what_a_worse_model_loses_is_not_excused_by_the_index(seed: int, shards: Shards, lab: LabRecords) -> None:
    rows, _ = embedded(seed, noise=0.8)
    worse, _ = embedded(seed, noise=3.0)
    found = told(lab, shards(rows, index=GOOD), shards(worse, index=GOOD))
    assert found.causes == ("model",)
    assert "It is the model that loses for certain" in found.text


def test_twins_are_judged_and_neither_compared_nor_counted_and_whose_a_loss_is_is_told_with_the_models(
    shards: Shards, lab: LabRecords
) -> None:
    rows, _ = embedded(1, noise=0.8)
    store = Stores(old=shards(rows, index=GOOD), new=shards(rows, index=CRIPPLED))
    alone, of = begun(lab, store, ("old", "new")), begun(lab, store)
    for each in (alone, of):
        judge(lab, each)
    blind = outcome_of(lab, of)
    (one,) = blind.comparisons
    assert (one.letter, one.attributed, blind.twins) == ("B", None, 2)
    assert one.verdict.decision is not None
    assert (one.verdict.among, one.verdict.decision.estimate.confidence) == (1, 0.95)
    assert [column.label for column in blind.columns] == ["A", "B", "C", "D"]
    (untwinned,) = outcome_of(lab, alone).comparisons
    assert untwinned.verdict.decision is not None
    assert one.verdict.decision.estimate.n == untwinned.verdict.decision.estimate.n == QUERIES
    named = revealed(lab, of)
    assert [(column.label, column.twin_of) for column in named.columns] == [
        ("old (A)", ""),
        ("new (B)", ""),
        ("old~exact (C)", "A"),
        ("new~exact (D)", "B"),
    ]
    assert [len(row.differences) for row in named.queries] == [1] * QUERIES
    assert [len(row.cells) for row in named.queries] == [4] * QUERIES
    assert [one.attributed for one in revealed(lab, alone).comparisons] == [None]


def test_nothing_is_blamed_while_a_verdict_is_withheld_and_ways_alone_are_compared_as_they_are(
    shards: Shards, lab: LabRecords
) -> None:
    rows, _ = embedded(2, noise=0.8)
    store = Stores(old=shards(rows, index=GOOD), new=shards(rows, index=CRIPPLED))
    of, ways = begun(lab, store), begun(lab, store, ("new~exact", "new"))
    judge(lab, of, but=1)
    (one,) = revealed(lab, of).comparisons
    assert (one.verdict.outcome, one.attributed) == ("withheld", None)
    judge(lab, ways)
    outcome = revealed(lab, ways)
    assert outcome.twins == 0
    assert outcome.comparisons[0].verdict.decision is not None
    assert outcome.comparisons[0].verdict.decision.estimate.mean < -0.1


def _column(name: str, way: Search) -> AskedColumn:
    return AskedColumn(name, name, name, name, 8, 40, way=way)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("", {}),
        ("a b", {}),
        ("a b a~exact b~exact", {2: 0, 3: 1}),
        ("a b b~exact", {2: 1}),
        ("a a~exact", {}),
        ("a a~exact b~exact", {1: 0}),
        ("a~exact b~exact a b", {2: 0, 3: 1}),
        ("a~exact b~exact", {}),
        ("a b a~rounded b~rounded", {}),
        ("a~rounded a a~exact b", {}),
    ],
)
def test_a_twin_is_one_collection_once_more_in_the_other_way_than_the_reference(
    columns: str, expected: Mapping[int, int]
) -> None:
    ways = {"": Search.USUAL, "exact": Search.EXACT, "rounded": Search.WITHOUT_RESCORING}
    asked = [_column(name, ways[way]) for name, _, way in (each.partition("~") for each in columns.split())]
    assert twins(asked) == expected


def drawn(queries: int) -> tuple[Protocol, list[dict[str, tuple[str, ...]]], dict[str, dict[str, int]]]:
    """Four columns of 200 questions, and every picture's grade; the exact ones find more that is right."""
    chance = np.random.default_rng(4)
    protocol = Protocol(k=5, queries=queries, seed=3, margin=0.01)
    keys = [str(number) for number in range(12)]
    columns: list[dict[str, tuple[str, ...]]] = [{} for _ in range(4)]
    grades = {}
    for number in range(200):
        name = f"q{number:03}"
        grades[name] = {key: int(chance.integers(4)) for key in keys}
        best = sorted(keys, key=lambda key: -grades[name][key])
        for column, found in enumerate(columns):
            mixed = chance.permutation(keys).tolist()
            found[name] = tuple(dict.fromkeys([*best[: (0, 0, 2, 1)[column]], *mixed]))[:5]
            if number % 4 == 0:
                found[name] = columns[0][name]
    return protocol, columns, grades


def test_drawn_questions_weigh_what_they_stand_for_and_missing_grades_blame_nobody() -> None:
    protocol, columns, grades = drawn(60)
    old, new, exact_old, exact_new = columns
    sample = sample_of(protocol, columns)
    assert not sample.everything
    asked = Pair(old, exact_old), Pair(new, exact_new)
    names = ("A", "B")
    found = attributed(protocol, sample, *asked, grades, names=names).found
    assert found is not None
    values = [scores(one, grades, protocol) for one in columns]
    apart = {one: values[3][one].ndcg - values[2][one].ndcg for one in sample.queue}
    by_hand = reweighted(sample, apart, 0.975, beyond=True)
    assert (found.model.mean, found.model.low, found.model.high) == pytest.approx(
        (by_hand.mean, by_hand.lower, by_hand.upper)
    )
    assert found.total.mean == pytest.approx(found.model.mean + found.searching.mean)
    everything = replace(protocol, queries=0)
    whole = attributed(everything, sample_of(everything, columns), *asked, grades, names=names)
    assert whole.found is not None
    assert whole.found.model.mean == pytest.approx(np.mean([values[3][q].ndcg - values[2][q].ndcg for q in old]))
    assert found.model.low < whole.found.model.mean < found.model.high

    only_exact = next(key for one in sample.queue for key in exact_new[one] if key not in old[one] + new[one])
    holes = {one: {key: grade for key, grade in given.items() if key != only_exact} for one, given in grades.items()}
    said = attributed(protocol, sample, *asked, holes, names=names)
    assert (said.found, said.causes) == (None, ())
    assert "of the questions not all pictures have a grade that counts" in said.text
    few = {one: keys for one, keys in exact_new.items() if one in sample.queue[:5]}
    assert "too few" in attributed(protocol, sample, asked[0], Pair(new, few), grades, names=names).text


@pytest.mark.parametrize(
    ("total", "model", "causes", "said"),
    [
        (-0.08, -0.01, ("index",), "Of B's loss of 0.080 in P@5, 0.070 (0.060 to 0.080) are the index's"),
        (-0.08, -0.05, ("model", "index"), "Both lose for certain."),
        (-0.02, -0.01, (), "neither is shown to lose 0.01 or more"),
        (0.03, 0.05, (), "B loses nothing in P@5: +0.030, of which -0.020 (-0.030 to -0.010) by the index and +0.050"),
        (0.01, 0.05, ("index",), "and +0.050 (+0.040 to +0.060) by the model. It is the index that loses for certain"),
        (-0.0001, 0.0, (), "B loses nothing in P@5"),
    ],
)
def test_whose_it_is_is_one_plain_sentence_with_its_numbers(
    total: float, model: float, causes: tuple[str, ...], said: str
) -> None:
    def effect(mean: float) -> Effect:
        return Effect(mean, mean - 0.01, mean + 0.01)

    found = Attribution(40, effect(total), effect(model), effect(total - model))
    assert said in Attributed(("A", "B"), "P@5", found, causes, 0.01).text
