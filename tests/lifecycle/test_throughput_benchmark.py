"""What the benchmarks of re-embedding measure: the console's own pipeline, and peers that see what the model sees."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks import queries
from benchmarks.throughput import limits, peers
from benchmarks.throughput.clip_retrieval import ClipRetrieval, NotMeasured
from benchmarks.throughput.devices import Simulated
from benchmarks.throughput.images import Pictures, pictures
from benchmarks.throughput.report import Case, text
from benchmarks.throughput.sinks import sink
from benchmarks.throughput.together import at_once
from console_core.embedding.preprocessing import Mode
from console_core.embedding.turns import in_background
from console_core.embedding.types import Pixels, Vectors

LARGE = "ViT-B-16-SigLIP-384"


class Noting(Simulated):
    """Notes whether it is asked in the background, and how large pictures are."""

    def __init__(self, model: str, rate: float) -> None:
        super().__init__(model, rate)
        self.background: set[bool] = set()
        self.shapes: set[tuple[int, ...]] = set()

    def embed_images(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> Vectors:
        self.background.add(in_background())
        self.shapes.add(pixels[0].shape)
        return super().embed_images(pixels)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(3):
        Image.linear_gradient("L").rotate(90 * number).convert("RGB").save(folder / f"{number}.jpg")
    return pictures(str(folder), folder)


@pytest.mark.parametrize(("around", "yields"), [(queries.running, True), (queries.unyielding, False)])
def test_queries_are_asked_beside_a_run_that_reads_decodes_embeds_and_writes(
    around: Callable[[queries.Work], AbstractContextManager[Callable[[], int]]], yields: bool, files: Pictures
) -> None:
    model = Noting("ViT-B-32", 2000)
    work = queries.Work(model, files, sink("none"), searches=False)
    work.begin()
    with around(work) as embedded:
        before = embedded()
        assert before > 0
        while embedded() == before:
            pass
    assert model.background == {yields}
    assert model.shapes == {(224, 224, 3)}


def test_a_peer_sees_pictures_as_the_model_does_and_writes_vectors_of_its_dimension(files: Pictures) -> None:
    model = Noting(LARGE, 10_000)
    theirs = peers.theirs(model, "float32")
    paths = [str(files.folder / file) for file in files.files]
    pixels = theirs.pixels(paths[0])
    assert pixels.shape == (3, 384, 384)
    assert pixels.min() >= -1
    assert pixels.max() <= 1  # SigLIP's mean and deviation are a half
    store = sink(f"local:{files.folder / 'store'}")
    try:
        assert peers.measured(peers.data_loader, paths, model=theirs, store=store, workers=1) > 0
    finally:
        store.close()
    assert limits.forward(model, 0.01) > 0
    assert model.background == {True}
    assert model.shapes == {(384, 384, 3)}


def test_the_report_says_how_often_a_picture_was_decoded_for_all_models(files: Pictures) -> None:
    found = at_once([Simulated("ViT-B-32", 10_000), Simulated(LARGE, 10_000)], files, 80, Mode.FAST, sink("none"))
    assert found.decoded == 80
    case = Case("", "", "fast", "none", "", models=2, at_once=[80.0], as_long=[1.0], decoded=[found.decoded / 80])
    case.stages, case.ours, case.limits = {"read": [1.0]}, [1.0], [1.0]
    assert "2 models at once" in text([case], "")
    assert "each picture decoded 1.00 times" in text([case], "")


def test_where_clip_retrieval_does_not_install_the_reason_is_told(
    files: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho 'no such package' >&2\nexit 1\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    peer = ClipRetrieval(tmp_path / "environment", Simulated("ViT-B-32", 100), 1)
    with pytest.raises(NotMeasured, match="does not install: no such package"):
        peer.measured([], store=sink("none"))
