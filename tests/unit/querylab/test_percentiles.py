"""How a score stands among those of a fixed sample: numbers that two models share, whatever their scores are like."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console_core.errors import StoreUnavailable
from console_core.querylab import samples as keeping
from console_core.querylab.calibration import Drawing, Sample, draw, mid_ranks, read
from console_core.querylab.image_search import ask_like
from console_core.querylab.samples import Samples
from console_core.querylab.search import ask
from console_core.settings import StoreSettings
from console_core.vectorstore.distances import scores
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.provenance import point_id
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, ModelStamp, Point, VectorStore
from tests.unit.querylab.conftest import PICTURES, Lab

STAMP = ModelStamp("model", "f00d")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[VectorStore]:
    opened = open_store(StoreSettings(f"sqlite:///{tmp_path / 'app.db'}"))
    yield opened
    opened.close()


def filled(store: VectorStore, name: str, keys: range, *, dimension: int = 3, distance: str = "cosine") -> None:
    if name not in {info.name for info in store.collections()}:
        store.create(name, CollectionSpec(dimension, distance, STAMP))
    rows = np.random.default_rng(keys.start).normal(size=(len(keys), dimension)).astype(np.float32)
    store.upsert(name, [Point(key, row, {}) for key, row in zip(keys, rows, strict=True)])


def counted(store: VectorStore, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often the store is asked for a page, and for points."""
    calls = {"page": 0, "retrieve": 0}

    def counting(name: str) -> Any:
        real = getattr(store, name)

        def ask(*arguments: Any, **options: Any) -> Any:
            calls[name] += 1
            return real(*arguments, **options)

        return ask

    for name in calls:
        monkeypatch.setattr(store, name, counting(name))
    return calls


def test_a_percentile_counts_what_is_below_and_half_of_what_is_equal() -> None:
    from scipy.stats import percentileofscore

    random = np.random.default_rng(3)
    sample, found = random.integers(0, 40, 500) / 40, random.integers(-5, 45, 60) / 40
    np.testing.assert_allclose(mid_ranks(sample, found), percentileofscore(sample, found, kind="mean"), rtol=1e-12)
    assert mid_ranks(np.zeros(0), found).tolist() == [50.0] * 60


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=60),
    st.lists(st.integers(0, 30), min_size=1, max_size=20),
    st.lists(st.floats(1e-6, 1e6), min_size=31, max_size=31),
)
def test_no_strictly_monotone_rescaling_of_a_models_scores_changes_a_percentile(
    sample: list[int], found: list[int], steps: list[float]
) -> None:
    before = (np.array(sample) / 31, np.array(found) / 31)
    rescaled = np.cumsum(steps) - 1e3  # any strictly increasing table from the former scores to the new ones
    after = (rescaled[sample], rescaled[found])
    assert mid_ranks(*before).tolist() == mid_ranks(*after).tolist()


def test_no_monotone_rescaling_of_a_models_scores_changes_a_percentile_on_its_way_through_a_store(
    store: VectorStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same vectors under distances whose scores are strictly increasing in one another: the cosine, three times the
    cosine, and -sqrt(2 - 2 cosine). Both columns and the sample are asked as the page asks them."""
    rows = np.random.default_rng(6).normal(size=(600, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    names = {"cosine": ("cosine", 1), "scaled": ("dot", 3), "distance": ("euclid", 1)}
    for name, (distance, scale) in names.items():
        store.create(name, CollectionSpec(8, distance, STAMP))
        store.upsert(name, [Point(point_id(str(key)), scale * row, {}) for key, row in enumerate(rows)])
    monkeypatch.setattr(keeping, "draw", partial(draw, size=250))  # a part of the collection, as of a large one
    kept = Samples(store, tmp_path / "samples")
    raw: set[tuple[float, ...]] = set()
    for key in ("5", "77", "311"):
        asked = ask_like(store, list(names), key, limit=40, samples=kept.of)
        plain, *rescaled = asked.columns
        assert [column.error for column in asked.columns] == [None] * 3
        assert (plain.sampled, len(plain.answers)) == (250, 40)
        assert len({hit.percentile for hit in plain.answers}) > 10
        for column in rescaled:
            assert column.keys == plain.keys
            assert [hit.percentile for hit in column.answers] == [hit.percentile for hit in plain.answers]
        raw |= {tuple(hit.score for hit in column.answers) for column in asked.columns}
    assert len(raw) == 9


@pytest.mark.parametrize("distance", ["cosine", "dot", "euclid", "manhattan"])
def test_a_percentile_is_among_the_samples_scores_in_the_collections_own_distance(
    store: VectorStore, distance: str
) -> None:
    filled(store, "images", range(400), distance=distance)
    info = store.describe("images")
    sample = read(store, info, draw(store, info, size=100))
    query = np.array([0.6, 0.0, 0.8], dtype=np.float32)
    hits = [(hit.id, hit.score) for hit in store.search("images", query, limit=400)]
    told = dict(zip((key for key, _ in hits), sample.percentiles(query, hits), strict=True))
    own = scores(sample.vectors, query, distance)
    for place, key in enumerate(sample.ids):
        assert told[key] == pytest.approx(np.sum(own < own[place]) + 0.5)
    in_order = [told[key] for key, _ in hits]
    assert in_order == sorted(in_order, reverse=True)
    assert (in_order[0] > 95, in_order[-1] < 5) == (True, True)


def test_no_rounding_of_the_store_puts_a_hit_below_one_that_scored_less() -> None:
    random = np.random.default_rng(8)
    rows = random.normal(size=(200, 6)).astype(np.float32)
    sample, query = Sample(tuple(range(200)), rows, "cosine"), np.eye(6, dtype=np.float32)[0]
    rounded = np.round(scores(rows, query, "cosine"), 1) + random.normal(size=200) * 1e-3
    hits = sorted(((key, float(score)) for key, score in enumerate(rounded)), key=lambda hit: -hit[1])[:50]
    told = sample.percentiles(query, hits)
    assert list(told) == sorted(told, reverse=True)
    assert told[0] == 99.75


def test_answers_have_percentiles_among_the_same_pictures_in_every_column(lab: Lab, tmp_path: Path) -> None:
    kept = Samples(lab.store, tmp_path)
    columns = ["by-clip", "by-siglip"]
    for comparison in (
        ask(lab.store, lab.models, columns, "snow", limit=5, samples=kept.of),
        ask_like(lab.store, columns, "5", limit=5, samples=kept.of),
    ):
        for column in comparison.columns:
            assert column.sampled == PICTURES
            own = [100 * (PICTURES - rank + 0.5) / PICTURES for rank in range(1, 7)]
            expected = own[1:] if comparison.query == "5" else own[:5]
            assert [hit.percentile for hit in column.answers] == pytest.approx(expected)
    first, second = (kept.of(lab.store.describe(name)) for name in columns)
    assert first is not None
    assert second is not None
    assert first.ids == second.ids
    (plain,) = ask(lab.store, lab.models, ["by-clip"], "snow").columns
    assert {hit.percentile for hit in plain.answers} == {None}


def test_answers_stand_without_percentiles_where_the_sample_cannot_be_read(lab: Lab) -> None:
    def broken(info: CollectionInfo) -> Sample | None:
        raise StoreUnavailable(f"{info.name} does not answer.")

    (column,) = ask(lab.store, lab.models, ["by-clip"], "snow", limit=5, samples=broken).columns
    assert [hit.percentile for hit in column.answers] == [None] * 5
    assert "There are no percentiles: by-clip does not answer." in column.note


def test_a_sample_is_random_and_changes_by_the_points_that_come_and_go_alone(store: VectorStore) -> None:
    filled(store, "images", range(3000))
    before = draw(store, store.describe("images"), size=500)
    assert (len(set(before.ids)), before.points, before.fingerprint) == (500, 3000, "f00d")
    keys = np.array([int(key) for key in before.ids])
    assert abs(keys.mean() - 1499.5) < 4 * 866 / 500**0.5
    assert abs(np.sum(keys % 10 == 0) - 50) < 4 * 45**0.5
    store.delete("images", [key for key in before.ids if int(key) % 2])
    filled(store, "images", range(3000, 3100))
    after = draw(store, store.describe("images"), size=500)
    kept = [key for key in before.ids if int(key) % 2 == 0]
    assert [key for key in after.ids if key in set(before.ids)] == kept
    assert (len(after.ids), len(set(after.ids))) == (500, 500)
    filled(store, "others", range(3100))
    store.delete("others", [key for key in before.ids if int(key) % 2])
    assert draw(store, store.describe("others"), size=500).ids == after.ids


def test_a_sample_is_drawn_once_and_found_again_after_a_restart(
    store: VectorStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store, "images", range(300))
    calls = counted(store, monkeypatch)
    kept, info = Samples(store, tmp_path / "samples"), store.describe("images")
    first = kept.of(info)
    drawn = dict(calls)
    assert drawn["page"] == 2
    assert kept.of(info) is first
    assert calls == drawn
    again = Samples(store, tmp_path / "samples").of(info)
    assert calls["page"] == drawn["page"]
    assert first is not None
    assert again is not None
    assert first.ids == again.ids


def test_a_sample_is_drawn_again_when_the_collection_changed_much_and_not_when_it_changed_little(
    store: VectorStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store, "images", range(300))
    calls = counted(store, monkeypatch)
    kept = Samples(store, tmp_path)
    first = kept.of(store.describe("images"))
    filled(store, "images", range(300, 320))
    assert kept.of(store.describe("images")) is first
    filled(store, "images", range(320, 340))
    second = kept.of(store.describe("images"))
    assert second is not None
    assert (len(second.ids), calls["page"]) == (340, 4)
    store.stamp("images", ModelStamp("model", "other"))
    kept.of(store.describe("images"))
    assert calls["page"] == 6


def test_a_large_collection_is_not_read_by_a_query_and_has_its_sample_once_somebody_drew_it(
    store: VectorStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "AT_ONCE", 200)
    filled(store, "images", range(600))
    calls = counted(store, monkeypatch)
    kept, info = Samples(store, tmp_path), store.describe("images")
    assert kept.of(info) is None
    assert (kept.needs_drawing(info), calls) == (True, {"page": 0, "retrieve": 0})
    drawing = Drawing(store, info, size=50)
    assert list(drawing.steps()) == [(256, 600), (512, 600), (600, 600)]
    kept.keep("images", drawing.drawn())
    sample = kept.of(info)
    assert sample is not None
    assert (len(sample.ids), kept.needs_drawing(info), calls) == (50, False, {"page": 3, "retrieve": 1})
    store.delete("images", sample.ids[:10])
    monkeypatch.setattr(keeping, "FRESH", 0.0)
    info = store.describe("images")
    assert (kept.of(info), kept.needs_drawing(info)) == (None, True)


def test_several_queries_at_once_read_a_sample_once(
    store: VectorStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store, "images", range(300))
    calls = counted(store, monkeypatch)
    kept, info = Samples(store, tmp_path), store.describe("images")
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: kept.of(info), range(16)))
    assert len({id(sample) for sample in found}) == 1
    assert calls == {"page": 2, "retrieve": 2}


def test_a_folder_that_cannot_be_written_costs_a_query_nothing(store: VectorStore, tmp_path: Path) -> None:
    filled(store, "images", range(30))
    (tmp_path / "samples").write_text("no folder")
    sample = Samples(store, tmp_path / "samples").of(store.describe("images"))
    assert sample is not None
    assert len(sample.ids) == 30


def test_a_file_that_was_cut_off_is_drawn_again(store: VectorStore, tmp_path: Path) -> None:
    filled(store, "images", range(30))
    info = store.describe("images")
    first = Samples(store, tmp_path / "samples").of(info)
    (file,) = (tmp_path / "samples").iterdir()
    whole = file.read_text()
    file.write_text(whole[: len(whole) // 2])
    again = Samples(store, tmp_path / "samples").of(info)
    assert first is not None
    assert again is not None
    assert again.ids == first.ids
    assert file.read_text() == whole
