"""What is promised of a graphics card, on a real one: `make test-cuda`. Where there is none, all of it is skipped."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from console_core import settings
from console_core.console import open_console
from console_core.embedding import batch_size
from console_core.embedding.batch_size import BatchSizes
from console_core.embedding.device import CUDA_PASSES, release_memory
from console_core.embedding.embedder import TorchEmbedder
from console_core.embedding.loading import load
from console_core.embedding.precision import Wanted
from console_core.embedding.registry import parse
from console_core.embedding.turns import background
from console_core.embedding.types import Vectors
from console_core.errors import DeviceOutOfMemory
from console_core.runs.types import RunState
from tests.conftest import PICTURES, fill, make_workspace, migrate

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]
DEMO = Path(__file__).parents[2] / "console_core" / "demo" / "models"
NEAR = 0.999
"""The cosine of a vector in float16 to the one in float32, at least."""
LARGE = ("ViT-B-32", "ViT-L-14", "ViT-B-16-SigLIP", "timm:hf-hub:BVRA/MegaDescriptor-L-384")
TEXTS = ["a red car", "a fox in the snow", "été · 雪"]


def loaded(name: str, device: str = "cuda", precision: Wanted = "auto") -> TorchEmbedder:
    """A demo model, or an architecture with the same random weights each time."""
    if (DEMO / name).is_dir():
        return load(parse(f"local-dir:{DEMO / name}"), device, precision=precision)
    with torch.random.fork_rng():
        torch.manual_seed(11)
        return load(parse(name), device, precision=precision, random_weights=True)


def pixels(embedder: TorchEmbedder, number: int, seed: int = 5) -> NDArray[np.uint8]:
    """Pictures of coarse coloured fields, which differ from each other more than noise would."""
    height, width = embedder.preprocessing.height, embedder.preprocessing.width
    coarse = np.random.default_rng(seed).integers(0, 256, size=(number, 8, 8, 3), dtype=np.uint8)
    rows, columns = np.arange(height) * 8 // height, np.arange(width) * 8 // width
    return np.ascontiguousarray(coarse[:, rows][:, :, columns])


def cosines(one: Vectors, other: Vectors) -> NDArray[np.float32]:
    found: NDArray[np.float32] = (one * other).sum(axis=1)
    return found


@pytest.fixture(autouse=True)
def _memory_is_given_back() -> Iterator[None]:
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)
    release_memory()


@pytest.mark.parametrize("name", ["demo-clip", "demo-siglip", *LARGE])
def test_float16_on_the_card_answers_as_float32_on_the_processor_does(name: str) -> None:
    card, processor = loaded(name), loaded(name, "cpu", "float32")
    assert card.device == "cuda:0, float16"
    shown = pixels(card, 6)
    assert cosines(card.embed_images(shown), processor.embed_images(shown)).min() >= NEAR
    if name.startswith("demo"):
        assert card.fingerprint.digest == processor.fingerprint.digest
        assert cosines(card.embed_texts(TEXTS), processor.embed_texts(TEXTS)).min() >= NEAR


@pytest.mark.parametrize("precision", ["float16", "bfloat16", "float32"])
def test_a_picture_has_the_same_vector_in_a_batch_of_any_size(precision: Wanted) -> None:
    card = loaded("ViT-B-32", precision=precision)
    shown = pixels(card, 300)
    whole = card.embed_images(shown)
    alone = np.concatenate([card.embed_images(shown[place : place + 1]) for place in range(0, 300, 60)])
    assert cosines(whole[::60], alone).min() >= (0.9999 if precision != "bfloat16" else NEAR)


def test_pictures_that_do_not_fit_are_embedded_in_smaller_batches_and_none_is_lost() -> None:
    card = loaded("ViT-B-32")
    shown = pixels(card, 1024)
    whole = card.embed_images(shown)
    card._images.limit = 1024
    leave_free(60_000_000)
    after = card.embed_images(shown)
    assert card.batch < 1024
    assert f"Batch halved to {card.batch}: the device ran out of memory." in card.notes
    assert cosines(whole, after).min() >= 0.9999


def test_where_not_even_one_picture_fits_that_is_said_and_the_model_works_again_once_there_is_memory() -> None:
    card = loaded("ViT-B-32")
    shown = pixels(card, 8)
    whole = card.embed_images(shown)
    release_memory()
    leave_free(0)
    with pytest.raises(DeviceOutOfMemory, match="Not even one"):
        card.embed_images(shown)
    torch.cuda.set_per_process_memory_fraction(1.0)
    assert cosines(whole, card.embed_images(shown)).min() >= 0.9999


def test_weights_that_do_not_fit_are_refused_by_name() -> None:
    leave_free(20_000_000)
    with pytest.raises(DeviceOutOfMemory, match="ViT-B-32"):
        loaded("ViT-B-32")


def test_the_best_batch_is_probed_once_and_remembered_for_this_card(tmp_path: Path) -> None:
    sizes = BatchSizes(tmp_path / "batches.json")
    with torch.random.fork_rng():
        first = load(parse("ViT-B-32"), "cuda", sizes=sizes, random_weights=True)
    started = first.batch
    assert first.largest_batch == batch_size.largest(started)
    first.expect(batch_size.PROBED_FROM)
    assert first.batch in {started // 2, started, 2 * started}
    assert first.largest_batch == first.batch
    assert torch.cuda.get_device_name() in (tmp_path / "batches.json").read_text()
    again = load(parse("ViT-B-32"), "cuda", sizes=BatchSizes(tmp_path / "batches.json"), random_weights=True)
    assert again.batch == first.batch == again.largest_batch


def test_a_card_with_little_memory_is_probed_down_to_a_batch_that_fits() -> None:
    card = loaded("ViT-L-14")
    started = card.batch
    leave_free(250_000_000)
    card.expect(batch_size.PROBED_FROM)
    assert card.batch < started
    assert np.isfinite(card.embed_images(pixels(card, 3))).all()


def test_compiled_passes_answer_as_plain_ones_do() -> None:
    card = loaded("ViT-B-16-SigLIP")
    shown = pixels(card, card.batch + 3)
    plain = card.embed_images(shown)
    card._forward.compile()
    with background():
        compiled = card.embed_images(shown)
    assert cosines(plain, compiled).min() >= NEAR
    assert not [note for note in card.notes if "compiled" in note and "as it is" in note]


def test_pixels_wait_in_memory_that_the_card_copies_by_itself() -> None:
    assert torch.from_numpy(loaded("demo-clip").slab(4)).is_pinned()


def test_threads_that_embed_at_once_get_what_one_gets_alone_and_queries_are_answered_between_them() -> None:
    card = loaded("demo-clip")
    parts = [pixels(card, 200, seed) for seed in range(2 * CUDA_PASSES)]
    alone, told = [card.embed_images(part) for part in parts], card.embed_texts(TEXTS)
    ended, answers = threading.Event(), []

    def embed(part: NDArray[np.uint8]) -> Vectors:
        with background():
            return [card.embed_images(part) for _ in range(10)][-1]

    def ask() -> None:
        while not ended.is_set():
            answers.append(card.embed_texts(TEXTS))

    asking = threading.Thread(target=ask)
    asking.start()
    with ThreadPoolExecutor(len(parts)) as threads:
        together = list(threads.map(embed, parts))
    ended.set()
    asking.join()
    for one, other in zip(alone, together, strict=True):
        assert cosines(one, other).min() >= 0.9999
    assert len(answers) > 10
    assert min(cosines(told, answer).min() for answer in answers) >= 0.9999


@pytest.mark.parametrize("engine", ["threads", "process"])
def test_a_migration_on_the_card_has_the_points_of_one_on_the_processor(tmp_path: Path, engine: str) -> None:
    found = {}
    for device in ("cpu", "cuda"):
        workspace = make_workspace(tmp_path / device)
        file = workspace / settings.FILE
        kept = [line for line in file.read_text().splitlines() if not line.startswith("engine")]
        file.write_text("\n".join([f'engine = "{engine}"', f'device = "{device}"', *kept]))
        console = open_console(settings.read(workspace, {}), owner_name="a test")
        try:
            fill(console, "images__demo-clip", "demo-clip", alias="images")
            run = migrate(console)
            assert run.state is RunState.SUCCEEDED, run.reason
            found[device] = np.array([point.vector for point in console.store.scroll(run.target, vectors=True)])
        finally:
            console.close()
    assert len(found["cpu"]) == len(found["cuda"]) == PICTURES
    assert cosines(found["cpu"], found["cuda"]).min() >= NEAR


def leave_free(bytes_more: int) -> None:
    """This process gets so many bytes of the card more than it holds now."""
    release_memory()
    total = torch.cuda.mem_get_info()[1]
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + bytes_more) / total)
