"""What an index or rounding loses is never blamed on the model, and what a model loses never on the index."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from console_core.querylab.calibration import draw, read
from console_core.querylab.effects import Effect
from console_core.querylab.losses import Attribution, Losing, attribute
from console_core.querylab.losses_report import LossReport
from console_core.querylab.probes import Kind, Probe, pictures_of, probes_of
from console_core.querylab.rankings import Query, Rankings
from console_core.settings import StoreSettings
from console_core.vectorstore import pgvector
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.traffic import Traffic
from console_core.vectorstore.types import CollectionSpec, Point
from console_core.vectorstore.ways import Search
from tests.indexed import (
    CLASSES,
    CRIPPLED,
    DIMENSION,
    GOOD,
    POINTS,
    QUERIES,
    K,
    Shards,
    embedded,
    engine_stores,
)
from tests.unit.querylab.conftest import CLIP, Lab


@pytest.fixture
def shards(tmp_path: Path) -> Iterator[Shards]:
    with engine_stores(tmp_path) as made:
        yield made


def measured(store: Any, probes: Mapping[Kind, Sequence[Probe]], name: str = "images") -> Losing:
    losing = Losing(store, name, probes, k=K)
    assert [asked for asked, _ in losing.steps()] == list(range(1, 1 + sum(map(len, probes.values()))))
    return losing


def precisions(losing: Losing, kind: Kind) -> dict[Search, list[float]]:
    """How many of the first answers are of the class that a query asks for; all of them are judged."""
    return {way: _precision(losing.rankings(kind, way)) for way in Search}


def _precision(rankings: Rankings) -> list[float]:
    return [
        sum(int(key) % CLASSES == int(query) % CLASSES for key in ranking) / K for query, ranking in rankings.items()
    ]


@pytest.mark.parametrize("seed", range(20))
def test_a_crippled_index_is_blamed_on_the_index_and_a_worse_model_on_the_model(seed: int, shards: Shards) -> None:
    rows, probes = embedded(seed, noise=0.8)
    worse_rows, worse_probes = embedded(seed, noise=3.0)
    old = measured(shards(rows, index=GOOD), probes)
    crippled = measured(shards(rows, index=CRIPPLED), probes)
    worse = measured(shards(worse_rows, index=GOOD), worse_probes)
    blamed = {
        name: [loss.causes() for loss in losing.losses()]
        for name, losing in (("old", old), ("crippled", crippled), ("worse", worse))
    }
    assert blamed == {"old": [(), ()], "crippled": [("index",)] * 2, "worse": [(), ()]}
    for kind in probes:
        before = precisions(old, kind)
        of_index, of_model = (attribute(before, precisions(losing, kind)) for losing in (crippled, worse))
        assert (of_index.causes(), of_model.causes()) == (("index",), ("model",))
        assert of_index.model == Effect(0.0, 0.0, 0.0), "both search the same vectors exactly"


def test_a_measurement_that_goes_on_finds_what_an_undisturbed_one_finds_and_asks_nothing_twice(shards: Shards) -> None:
    rows, probes = embedded(2, noise=0.8)
    store = shards(rows, index=CRIPPLED, quantization={"type": "binary"})
    whole = measured(store, probes)
    half = Losing(store, "images", probes, k=K)
    for asked, _ in half.steps():
        if asked == QUERIES + 3:
            break
    kept = json.loads(json.dumps(half.numbers()))
    assert [len(rows) for rows in kept.values()] == [QUERIES, 3]
    rest = Losing(store, "images", probes, k=K, before=kept)
    assert [asked for asked, _ in rest.steps()] == list(range(QUERIES + 4, 2 * QUERIES + 1))
    assert rest.losses() == whole.losses()
    assert whole.losses()[0].total.mean < -0.1


def test_the_words_of_a_report_name_the_index_and_clear_the_model(shards: Shards) -> None:
    rows, probes = embedded(2, noise=0.8)
    losses = measured(shards(rows, index=CRIPPLED), probes).losses()
    report = LossReport("images", POINTS, "f", K, "captions", "", 0, False, CRIPPLED, {}, losses)
    text, pictures, whose = report.sentences()
    lost = -100 * losses[0].index.mean
    assert text == (
        f"Of 100 nearest pictures for texts the index loses {lost:.1f} and rounding 0.0. The cause is the index."
    )
    assert pictures.startswith("Of 100 nearest pictures for pictures the index loses ")
    assert whose.startswith("Nothing of that is the model's doing")
    assert LossReport.from_json(json.loads(json.dumps(report.as_json()))) == report


def test_rounding_is_told_from_the_index_and_what_rescoring_wins_back_is_said(shards: Shards) -> None:
    rows, probes = embedded(3, noise=0.8)
    for kind, loss in zip(
        probes, measured(shards(rows, index=GOOD, quantization={"type": "binary"}), probes).losses(), strict=True
    ):
        assert (loss.kind, loss.queries, loss.k) == (kind, QUERIES, K)
        assert loss.causes() == ("quantization",)
        assert loss.total.mean == pytest.approx(loss.index.mean + loss.quantization.mean)
        assert loss.without_rescoring.mean < loss.total.mean < -0.1
        assert loss.overlap == pytest.approx(1 + loss.total.mean)


def test_a_picture_that_is_as_near_as_the_last_one_is_as_good_an_answer(shards: Shards) -> None:
    rows, _ = embedded(4, noise=0.8)
    rows[100:130] = rows[100]
    losing = measured(shards(rows, index=GOOD), {"picture": [Probe("100", rows[100], 100)]})
    (loss,) = losing.losses()
    assert loss.total == Effect(0.0, 0.0, 0.0)


def test_an_index_of_postgresql_is_blamed_for_what_it_loses_and_a_sound_one_is_not(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pgvector, "EXACT_BELOW", 0)
    monkeypatch.setattr(pgvector, "CANDIDATES", 1)
    rows, probes = embedded(5, noise=0.8)
    points = [Point(place, row, {}) for place, row in enumerate(rows)]
    store = open_store(StoreSettings(url))
    for name, index in (("sound", GOOD), ("crippled", CRIPPLED)):
        store.create(name, CollectionSpec(DIMENSION, index=index))
        store.defer_index(name)
        store.upsert(name, points)
        store.restore_index(name)
    causes = {
        name: [loss.causes() for loss in measured(store, probes, name).losses()] for name in ("sound", "crippled")
    }
    store.close()
    assert causes == {"sound": [(), ()], "crippled": [("index",)] * 2}


def test_an_embedded_store_loses_nothing_and_its_probes_come_of_the_query_set(lab: Lab) -> None:
    info = lab.store.describe("by-clip")
    queries = [
        Query("t", "snow"),
        Query("p", like="5"),
        Query("b", "snow", like="5"),
        Query("again", "snow"),
        Query("lost", like="900"),
    ]
    probes = probes_of(lab.store, lab.models, info, queries)
    assert probes.left_out == ("lost",)
    asked = {kind: [probe.query for probe in some] for kind, some in probes.by_kind.items()}
    assert asked == {"text": ["t", "again"], "picture": ["p"], "text and picture": ["b"]}
    losing = measured(lab.store, probes.by_kind, info.name)
    for loss in losing.losses():
        assert (loss.total, loss.without_rescoring, loss.overlap) == (Effect(0, 0, 0), Effect(0, 0, 0), 1.0)
    (vector,) = lab.models.get(CLIP).embed_texts(["snow"])
    expected = [str(hit.id) for hit in lab.store.search("by-clip", vector, limit=K)]
    assert losing.rankings("text", Search.EXACT)["t"] == expected
    assert "5" not in losing.rankings("picture", Search.USUAL)["p"]
    sampled = pictures_of(read(lab.store, info, draw(lab.store, info)), 4)
    assert [probe.itself for probe in sampled] == list(draw(lab.store, info).ids[:4])
    assert [loss.queries for loss in measured(lab.store, {"picture": sampled}, info.name).losses()] == [4]


def test_a_query_that_finds_nothing_has_lost_nothing(lab: Lab) -> None:
    (vector,) = lab.models.get(CLIP).embed_texts(["snow"])
    losing = Losing(lab.store, "by-clip", {"text": [Probe("t", vector)]}, where={"seed": [999]})
    list(losing.steps())
    (loss,) = losing.losses()
    assert (loss.total, loss.overlap) == (Effect(0, 0, 0), 1.0)
    assert Losing(lab.store, "by-clip", {"text": []}).losses() == ()


def test_what_a_run_asks_for_a_measurement_is_no_search_of_a_person(tmp_path: Path) -> None:
    traffic = Traffic()
    store = open_store(StoreSettings(f"sqlite:///{tmp_path / 'app.db'}"), traffic)
    rows, probes = embedded(1, noise=0.8)
    store.create("images", CollectionSpec(DIMENSION))
    store.upsert("images", [Point(place, row, {}) for place, row in enumerate(rows[:20])])
    losing = Losing(store, "images", {"text": probes["text"][:2]}, uncounted=traffic.uncounted)
    list(losing.steps())
    assert not traffic.busy()
    list(Losing(store, "images", {"text": probes["text"][:1]}).steps())
    assert traffic.busy()
    store.close()


def test_the_parts_of_an_attribution_add_up_and_a_change_for_the_better_has_no_culprit() -> None:
    random = np.random.default_rng(6)
    columns: list[dict[Search, Any]] = [
        {way: random.random(30) + gain for way in (Search.USUAL, Search.EXACT)} for gain in (0.0, 0.3)
    ]
    found = attribute(*columns)
    assert isinstance(found, Attribution)
    assert found.total.mean == pytest.approx(found.model.mean + found.searching.mean)
    assert (found.queries, found.causes()) == (30, ())
    assert attribute(*columns) == found
    for wrong in (np.ones(29), np.full(30, np.nan)):
        with pytest.raises(ValueError, match="one finite number"):
            attribute(columns[0], {**columns[1], Search.EXACT: wrong})


def test_an_interval_has_the_mean_in_it_as_often_as_it_says() -> None:
    random = np.random.default_rng(7)
    found = [Effect.of(random.normal(0.2, 1.0, size=40), seed=seed) for seed in range(150)]
    assert 0.88 <= np.mean([effect.low <= 0.2 <= effect.high for effect in found]) <= 0.99
    assert Effect.of([]) == Effect(0.0, 0.0, 0.0)
    assert not any(effect.is_loss(0.0) for effect in found if effect.high >= 0)
