"""What an encoder check says of collections that are wrong in part, of another model, or hard to look at."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.types import Embedder, Vectors
from console_core.engine.again import Again
from console_core.querylab import encoder_check
from console_core.querylab.encoder_captions import ENOUGH, agreement, alternative
from console_core.querylab.encoder_check import EncoderCheck, EncoderPlan
from console_core.querylab.encoder_findings import of_lengths
from console_core.querylab.encoder_report import EncoderReport, Lengths, Level, stale
from console_core.querylab.encoder_vectors import structure, threshold
from console_core.runs.types import Counts
from console_core.vectorstore.provenance import Provenance
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, ModelStamp, Point
from tests.grid_model import Grid
from tests.unit.querylab.encoder_world import CLIP, PICTURES, SIGLIP, World, stamp_of

SQUASHED = {
    "size": 64,
    "mean": [0.5] * 3,
    "std": [0.5] * 3,
    "interpolation": "bicubic",
    "resize_mode": "squash",
}
"""What demo-clip does with pictures."""


def _reds(report: EncoderReport) -> list[str]:
    return [finding.code for finding in report.findings if finding.level is Level.RED]


def _unit(generator: np.random.Generator, rows: int, dimension: int) -> Vectors:
    drawn = generator.normal(size=(rows, dimension))
    unit: Vectors = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return unit


def test_a_fault_of_a_few_pictures_is_told_like_one_of_all(world: World) -> None:
    embedder = world.model(CLIP)
    vectors = world.right(CLIP).copy()
    swapped = world.embedded(embedder, lambda picture: embedder.preprocessing.exact(picture)[..., ::-1].copy())
    vectors[5:10] = swapped[5:10]

    report = world.checked(world.stored("partly-bgr", vectors, stamp_of(embedder)), embedder)

    assert _reds(report) == ["channels"]
    assert report.compared.disagreeing == 5


def test_of_too_few_wrong_vectors_without_a_known_cause_no_cause_is_made_up(world: World) -> None:
    embedder = world.model(CLIP)
    vectors = world.right(CLIP).copy()
    vectors[:3] = _unit(np.random.default_rng(1), 3, 128)

    report = world.checked(world.stored("three-wrong", vectors, stamp_of(embedder)), embedder)

    assert _reds(report) == ["vectors"]
    assert report.structure is None


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (Preprocessing.of({**SQUASHED, "interpolation": "bilinear"}), "resized with bilinear"),
        (Preprocessing.of({**SQUASHED, "resize_mode": "shortest"}), "resized by the shorter side and cropped"),
    ],
    ids=["filter", "shape"],
)
def test_pictures_that_were_resized_in_another_way_are_told_by_that_way(
    world: World, how: Preprocessing, told: str
) -> None:
    embedder = world.model(CLIP)
    vectors = world.embedded(embedder, how.exact)

    report = world.checked(world.stored(told.replace(" ", "-"), vectors, stamp_of(embedder)), embedder)

    assert _reds(report) == ["preprocessing"]
    assert report.tried[0].way == told
    assert report.tried[0].agreeing == report.tried[0].pictures


def test_photographs_that_were_embedded_lying_on_their_side_are_told(world: World) -> None:
    """An application that does not heed EXIF orientation: four pictures turned in two ways."""
    embedder = world.model(CLIP)
    vectors, turns = world.right(CLIP).copy(), (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180)
    for place in range(4):
        turned = world.pictures[place].transpose(turns[place % 2])
        vectors[place] = embedder.embed_images([embedder.preprocessing.exact(turned)])[0]

    report = world.checked(world.stored("on-their-side", vectors, stamp_of(embedder)), embedder)

    assert _reds(report) == ["preprocessing"]
    assert "EXIF" in report.findings[0].message
    assert report.tried[0].agreeing == 4


def test_lengths_are_only_a_warning_where_they_count_for_nothing() -> None:
    """By cosine answers are the same; a vector without a direction is red all the same."""
    walk = encoder_check._Walk(0, 0.999)
    walk.add([Point(1, np.array([3, 4], dtype=np.float32), {}), Point(2, np.array([0, 1], dtype=np.float32), {})])
    walk.add([Point(3, np.zeros(2, dtype=np.float32), {})])
    info = CollectionInfo("c", 2, "cosine", 3, "green", None, (), {}, {}, ())

    assert walk.lengths == Lengths(points=3, wrong=1, void=1, lowest=1.0, highest=5.0)
    assert [(one.code, one.level) for one in of_lengths(walk.lengths, info)] == [
        ("vectors", Level.RED),
        ("normalisation", Level.WARN),
    ]
    assert [one.level for one in of_lengths(walk.lengths, replace(info, distance="dot"))] == [Level.RED, Level.RED]


def test_a_collection_of_another_dimension_is_another_models(world: World) -> None:
    clip = world.model(CLIP)
    name = world.stored("siglip-as-clip", world.right(SIGLIP), stamp_of(clip))

    report = world.checked(name, clip)

    assert _reds(report) == ["collection"]
    assert "192" in report.findings[0].message


def test_a_collection_whose_keys_the_catalog_does_not_have_is_another_one(world: World) -> None:
    embedder = world.model(CLIP)
    ids = range(1000, 1000 + PICTURES)
    name = world.stored("foreign-keys", world.right(CLIP), stamp_of(embedder), ids=ids)

    report = world.checked(name, embedder)

    assert _reds(report) == ["collection", "too-few"]
    assert report.compared.unknown == PICTURES


def test_a_model_whose_fingerprint_is_not_the_stamped_one_has_other_weights(world: World) -> None:
    embedder = world.model(CLIP)
    name = world.stored("stamped-otherwise", world.right(CLIP), ModelStamp(CLIP, "0123456789ab"))

    assert _reds(world.checked(name, embedder)) == ["weights"]


def test_points_that_say_another_fingerprint_than_the_stamp_have_other_weights(world: World) -> None:
    embedder = world.model(CLIP)
    world.store.create("mixed", CollectionSpec(128, stamp=stamp_of(embedder)))
    made = [Provenance(str(key), "", "", "feedfeedfeed" if key < 4 else "", "", "") for key in range(1, PICTURES + 1)]
    vectors = world.right(CLIP)
    points = [Point(int(one.key), vector, one.as_payload()) for one, vector in zip(made, vectors, strict=True)]
    world.store.upsert("mixed", points)

    report = world.checked("mixed", embedder)

    assert _reds(report) == ["weights"]
    assert "3 of 3 points" in report.findings[0].message
    assert "feedfeedfeed" in report.findings[0].message


def test_pictures_whose_files_changed_are_not_held_against_the_encoder(world: World) -> None:
    embedder = world.model(CLIP)
    world.store.create("replaced", CollectionSpec(128, stamp=stamp_of(embedder)))
    points = []
    for key, vector in enumerate(world.right(CLIP), start=1):
        origin = Provenance(str(key), "", "another file" if key == 1 else "", "", "", "")
        points.append(Point(key, -vector if key == 1 else vector, origin.as_payload()))
    world.store.upsert("replaced", points)

    report = world.checked("replaced", embedder)

    assert report.is_green
    assert (report.compared.changed, report.compared.pictures) == (1, PICTURES - 1)


def test_a_collection_of_which_too_few_pictures_can_be_had_is_not_green(world: World) -> None:
    embedder = world.model(CLIP)
    ids = [*range(1, 46), *range(2001, 2001 + PICTURES - 45)]
    report = world.checked(world.stored("half", world.right(CLIP), stamp_of(embedder), ids=ids), embedder)

    assert _reds(report) == ["too-few"]
    assert report.compared.pictures == 45


def test_a_small_collection_is_green_and_nothing_is_concluded_from_its_few_captions(world: World) -> None:
    embedder = world.model(CLIP)
    report = world.checked(world.stored("small", world.right(CLIP)[:6], stamp_of(embedder)), embedder)

    assert report.is_green
    assert [finding.code for finding in report.findings] == ["captions-skipped"]
    assert report.captions is not None
    assert report.captions.texts == 6


def test_captions_of_other_pictures_are_no_better_than_chance_and_can_be_left_out(world: World) -> None:
    embedder = world.model(CLIP)
    name = world.stored("by-clip-again", world.right(CLIP), stamp_of(embedder))
    told = world.catalog.get([str(key) for key in range(1, PICTURES + 1)])
    texts = embedder.embed_texts([str(row.payload["caption"]) for row in told])

    junk = agreement("caption", np.roll(texts, 7, axis=0), world.right(CLIP), seed=0)

    assert junk.p > 0.05
    without = world.checked(name, embedder, captions="")
    assert without.captions is None
    assert without.is_green
    assert [finding.code for finding in without.findings] == ["captions-skipped"]


def test_the_p_value_of_captions_is_small_by_chance_as_often_as_it_says() -> None:
    """2,000 samples of 20 texts that have nothing to do with their pictures."""
    generator = np.random.default_rng(11)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("console_core.querylab.encoder_captions.PERMUTATIONS", 199)
        values = np.array(
            [
                agreement("c", _unit(generator, ENOUGH, 8), _unit(generator, ENOUGH, 8), seed=number).p
                for number in range(2000)
            ]
        )
    assert (values <= 0.01).mean() <= 0.018
    assert 0.03 <= (values <= 0.05).mean() <= 0.07
    assert values.min() > 0


def test_ranks_and_recall_are_those_of_the_own_picture_with_ties_against_it() -> None:
    pictures = np.eye(4, dtype=np.float32)
    texts = np.array([[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1]], dtype=np.float32)

    found = agreement("caption", texts, pictures, seed=0)

    assert found.median_rank == 1.5  # of ranks 1, 4, 2, 1: the second finds none, the third ties with another
    assert [(one.k, one.found, one.chance) for one in found.recall] == [(1, 2, 0.25)]


def test_the_structure_of_other_weights_is_told_from_that_of_other_pictures() -> None:
    generator = np.random.default_rng(3)
    ours = _unit(generator, 30, 64)
    turned = np.linalg.qr(generator.normal(size=(64, 64)))[0].astype(np.float32)

    def compared(stored: Vectors) -> list[Again]:
        return [
            Again(Point(place, theirs, {}), vector=vector)
            for place, (vector, theirs) in enumerate(zip(ours, stored, strict=True))
        ]

    same, other = structure(compared(ours @ turned), seed=0), structure(compared(_unit(generator, 30, 64)), seed=0)

    assert same is not None
    assert other is not None
    assert same.correlation == pytest.approx(1, abs=1e-4)
    assert same.p == 0.001
    assert abs(other.correlation) < 0.2
    assert other.p > 0.01
    assert structure(compared(ours)[:11], seed=0) is None


def test_another_activation_that_is_as_good_is_not_called_better() -> None:
    generator = np.random.default_rng(5)
    pictures = _unit(generator, 40, 32)
    texts, as_good, better = (
        (pictures + share * _unit(generator, 40, 32)).astype(np.float32) for share in (0.3, 0.3, 0.01)
    )

    assert alternative((texts, pictures), (as_good, pictures), seed=0).p > 0.01
    assert alternative((texts, pictures), (better, pictures), seed=0).p == 1 / 10_000


def test_a_model_without_a_text_tower_is_checked_without_texts_and_says_so(world: World) -> None:
    grid = Grid()
    vectors = world.embedded(grid)
    report = world.checked(world.stored("by-grid", vectors, stamp_of(grid)), grid)

    assert report.is_green
    assert report.captions is None
    assert {finding.code for finding in report.findings} == {"captions-skipped", "wiring-unknown"}
    assert "pictures only" in next(one.message for one in report.findings if one.code == "captions-skipped")


def test_vectors_that_are_stored_rounded_may_differ_by_more(world: World) -> None:
    info = world.store.describe(world.stored("rounded", world.right(CLIP), stamp_of(world.model(CLIP))))

    assert threshold(info) == 0.999
    assert threshold(replace(info, quantization={"scalar": {"type": "int8"}})) == 0.99


def test_the_right_vector_is_found_at_another_point_beyond_the_sample(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = world.model(CLIP)
    ids = [int(key) for key in np.roll(np.arange(1, PICTURES + 1), 1)]
    name = world.stored("shuffled-beyond", world.right(CLIP), stamp_of(embedder), ids=ids)
    monkeypatch.setattr(encoder_check, "SAMPLE", 6)
    monkeypatch.setattr(encoder_check, "ENOUGH", 6)

    report = world.checked(name, embedder, captions="")

    assert (report.compared.pictures, report.compared.sought, report.compared.elsewhere) == (6, 6, 6)
    assert _reds(report) == ["shuffled"]


def test_the_same_collection_gives_the_same_report(world: World) -> None:
    """An embedded Qdrant reads vectors back with other last bits each time; all that does not come of them is the same
    bit for bit, and so is every sentence."""
    embedder = world.model(CLIP)
    swapped = world.embedded(embedder, lambda picture: embedder.preprocessing.exact(picture)[..., ::-1].copy())
    name = world.stored("again", swapped, stamp_of(embedder))

    one, other = world.checked(name, embedder), world.checked(name, embedder)

    assert (one.findings, one.captions, one.other_activation) == (
        other.findings,
        other.captions,
        other.other_activation,
    )
    assert one.structure is not None
    assert other.structure is not None
    assert one.structure.p == other.structure.p
    assert one.compared.lowest == pytest.approx(other.compared.lowest, abs=1e-6)
    assert one.signature.same_as(other.signature)


def test_a_check_that_is_resumed_starts_over_and_its_books_balance(world: World) -> None:
    embedder = world.model(CLIP)
    name = world.stored("resumed", world.right(CLIP), stamp_of(embedder))
    check = EncoderCheck(
        EncoderPlan(name, CLIP, ""),
        catalog=world.catalog,
        images=world.images,
        store=world.store,
        embedder=lambda: embedder,
    )

    first, *_, last = check.steps("40", Counts(selected=60, done=40))

    assert first.note == encoder_check.STARTED_OVER
    assert (last.counts.done, last.counts.pending) == (PICTURES, 0)
    assert last.counts.skipped == {encoder_check.LEFT_MEANWHILE: 60 - PICTURES}


def test_a_report_goes_stale_with_the_stamp_the_model_and_any_write(world: World) -> None:
    embedder: Embedder = world.model(CLIP)
    name = world.stored("stales", world.right(CLIP), stamp_of(embedder))
    report = world.checked(name, embedder, captions="")
    info, signature = world.store.describe(name), signature_of(world.store, name)
    digest = embedder.fingerprint.digest

    assert stale(report, info, fingerprint=digest, signature=signature) == ()
    (by_model,) = stale(report, info, fingerprint="0123456789ab")
    assert "0123456789ab" in by_model
    (by_stamp,) = stale(report, replace(info, stamp=ModelStamp(CLIP, "0123456789ab")))
    assert "0123456789ab" in by_stamp
    world.store.upsert(name, [Point(3, -world.right(CLIP)[2], {})])
    assert stale(report, world.store.describe(name), fingerprint=digest) == ()  # nothing tells it at a glance
    (by_write,) = stale(report, info, signature=signature_of(world.store, name))
    assert "written to" in by_write
