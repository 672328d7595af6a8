"""Vectors of each mode beside plain open_clip, with trained models on pictures of real sizes."""

import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from console_core.catalog.jpeg import decode_plain, plain_frame
from console_core.catalog.local_files import LocalFiles
from console_core.catalog.types import ImageRow
from console_core.demo.captions import caption
from console_core.demo.cards import DEMO_CARDS
from console_core.demo.gallery import select
from console_core.demo.queries import ACCEPTANCE, SHOWCASE
from console_core.demo.scene import Scene
from console_core.embedding.embedder import TorchEmbedder
from console_core.embedding.loading import load
from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import ModelCard, Vectors
from console_core.engine.opening import open_pipeline
from console_core.engine.ordered import in_order
from console_core.engine.types import Embedded
from tests.contract.painted import SIZES, paint

PICTURES, QUERIES, DEPTH = 600, 200, 10


@dataclass
class Gallery:
    """Files of painted scenes, and what people may ask of them."""

    files: list[Path]
    queries: list[str]


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    scenes: list[Scene] = select()
    dice = random.Random(5)
    asked = [query.text for query in (*ACCEPTANCE, *SHOWCASE)]
    asked += [caption(scene, dice) for scene in scenes[PICTURES : PICTURES + QUERIES - len(asked)]]
    return Gallery(paint(tmp_path_factory.mktemp("gallery"), scenes[:PICTURES]), asked)


@dataclass
class Measured:
    """One model's vectors of the gallery, by hand and by mode, and its embedder."""

    embedder: TorchEmbedder
    by_hand: Vectors
    by_mode: dict[Mode, Vectors]

    def cosines(self, mode: Mode) -> Any:
        return np.sum(self.by_hand.astype(np.float64) * self.by_mode[mode], axis=1)


@pytest.fixture(scope="module", params=DEMO_CARDS, ids=lambda card: card.key)
def measured(request: pytest.FixtureRequest, gallery: Gallery) -> Iterator[Measured]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    card: ModelCard = request.param
    embedder = load(card, "cpu", precision="float32")
    by_mode = {mode: _through_the_pipeline(embedder, gallery.files, mode) for mode in Mode}
    yield Measured(embedder, _by_hand(card, gallery.files), by_mode)
    torch.set_num_threads(threads)


def _by_hand(card: ModelCard, files: list[Path]) -> Vectors:
    """As open_clip's documentation does it."""
    model, _, preprocess = open_clip.create_model_and_transforms(card.architecture)
    model.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(files), 50):
            batch = torch.stack([preprocess(Image.open(file)) for file in files[start : start + 50]])
            parts.append(model.encode_image(batch, normalize=True).numpy())
    return np.concatenate(parts)


def _through_the_pipeline(embedder: TorchEmbedder, files: list[Path], mode: Mode) -> Vectors:
    rows = [(ImageRow(file.name, (file.name,), {}, "r"), None) for file in files]
    with closing(open_pipeline(LocalFiles((files[0].parent,)), [embedder], mode)) as pipeline:
        found = [outcome for _, outcome in in_order(pipeline, rows, lambda: pipeline.capacity)]
    answers = [one.answers[0] for one in found if isinstance(one, Embedded)]
    return np.stack([answer for answer in answers if isinstance(answer, np.ndarray)])


def test_in_turbo_mode_every_picture_is_decoded_smaller(measured: Measured, gallery: Gallery) -> None:
    for file in gallery.files[: len(SIZES)]:
        data = file.read_bytes()
        frame = plain_frame(data)
        assert frame is not None
        size = frame.width, frame.height
        pixels = decode_plain(data, size, measured.embedder.preprocessing.least(*size))
        assert pixels.shape[0] * pixels.shape[1] * 4 <= size[0] * size[1]


@pytest.mark.parametrize(("mode", "least"), [(Mode.EXACT, 0.999999), (Mode.FAST, 0.9999), (Mode.TURBO, 0.999)])
def test_vectors_are_those_of_plain_open_clip(measured: Measured, mode: Mode, least: float) -> None:
    cosines = measured.cosines(mode)
    assert len(cosines) == PICTURES
    told = f"lowest {cosines.min():.7f}, median {np.median(cosines):.7f}"
    print(f"{measured.embedder.card.key} {mode}: cosine with open_clip {told}, {PICTURES} pictures")  # noqa: T201
    assert cosines.min() >= least


@pytest.mark.parametrize(("mode", "places", "answers"), [(Mode.FAST, 0.99, 0.995), (Mode.TURBO, 0.8, 0.97)])
def test_the_first_ten_answers_stay(
    measured: Measured, gallery: Gallery, mode: Mode, places: float, answers: float
) -> None:
    texts = measured.embedder.embed_texts(gallery.queries)
    assert len(set(gallery.queries)) >= QUERIES * 0.95
    exact, other = (
        np.argsort(-(texts @ vectors.T), axis=1, kind="stable")[:, :DEPTH]
        for vectors in (measured.by_mode[Mode.EXACT], measured.by_mode[mode])
    )
    assert exact.shape == (QUERIES, DEPTH)
    same = float((exact == other).mean())
    kept = float(np.mean([len(set(one) & set(two)) / DEPTH for one, two in zip(exact, other, strict=True)]))
    told = f"{same:.2%} of {QUERIES * DEPTH:,} places unchanged, {kept:.2%} of answers still among the first {DEPTH}"
    print(f"{measured.embedder.card.key} {mode}: {told}")  # noqa: T201
    assert same >= places
    assert kept >= answers
