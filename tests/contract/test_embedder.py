"""What every embedder promises, held against plain open_clip used by hand."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image, ImageDraw
from torchvision.transforms import Compose

from console_core.embedding.device import Placement
from console_core.embedding.openclip import OpenClipEmbedder, load
from console_core.embedding.precision import Precision
from console_core.embedding.registry import parse
from console_core.embedding.types import Embedder, Vectors
from console_core.errors import ModelOutputInvalid, NoTextTower

DEMO = Path(__file__).parents[2] / "console_core" / "demo" / "models"
of_the_demo = pytest.mark.parametrize("case", ["demo-clip", "demo-siglip"], indirect=True)
of_every_kind = pytest.mark.parametrize("case", ["demo-clip", "demo-siglip", "ViT-B-32"], indirect=True)
TEXTS = ["a red car", "A fox, in the snow!", "", "a pie chart " * 40, "été · 雪 · 🦊"]


@dataclass
class Case:
    """An embedder, and the same model by hand."""

    embedder: OpenClipEmbedder
    model: Any
    preprocess: Any
    tokenizer: Any

    def images(self, pictures: list[Image.Image]) -> Vectors:
        with torch.inference_mode():
            batch = torch.stack([self.preprocess(picture) for picture in pictures])
            answer: Vectors = self.model.encode_image(batch, normalize=True).numpy()
        return answer

    def pixels(self, picture: Image.Image) -> Any:
        """What its preprocessing makes of a picture before it is normalised."""
        return np.asarray(Compose(self.preprocess.transforms[:-2])(picture))

    def texts(self, texts: list[str]) -> Vectors:
        with torch.inference_mode():
            answer: Vectors = self.model.encode_text(self.tokenizer(texts), normalize=True).numpy()
        return answer


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    """A demo model, or an architecture of open_clip with random weights."""
    threads, folder = torch.get_num_threads(), DEMO / request.param
    torch.set_num_threads(1)
    local = folder.is_dir()
    name = f"local-dir:{folder}" if local else request.param
    with torch.random.fork_rng():
        torch.manual_seed(11)
        embedder = load(parse(name), "cpu", random_weights=not local)
        torch.manual_seed(11)
        model, _, preprocess = open_clip.create_model_and_transforms(name)
    merges = folder / "bpe.txt.gz"
    tokenizer = open_clip.get_tokenizer(name, **({"bpe_path": str(merges)} if merges.exists() else {}))
    yield Case(embedder, model.eval(), preprocess, tokenizer)
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    """Wide, tall, tiny and square ones."""
    drawn = []
    for number, size in enumerate([(320, 200), (90, 260), (17, 9), (128, 128), (300, 301), (64, 64)]):
        picture = Image.effect_noise(size, 60).convert("RGB")
        width, height = size
        colour = (40 * number, 255 - 40 * number, 90)
        ImageDraw.Draw(picture).ellipse((width // 5, height // 5, width * 4 // 5, height * 4 // 5), fill=colour)
        drawn.append(picture)
    return drawn


def cosines(one: Vectors, other: Vectors) -> Any:
    return (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


@of_every_kind
def test_it_is_an_embedder(case: Case) -> None:
    embedder: Embedder = case.embedder
    assert embedder.device == "cpu, float32"
    assert embedder.card.dimension == embedder.embed_texts(["a car"]).shape[1]


@of_every_kind
def test_vectors_of_pictures_are_those_of_plain_open_clip(case: Case, pictures: list[Image.Image]) -> None:
    ours = case.embedder.embed_images([case.embedder.preprocessing.exact(picture) for picture in pictures])
    assert cosines(ours, case.images(pictures)).min() >= 0.99999


@of_every_kind
def test_vectors_of_texts_are_those_of_plain_open_clip(case: Case) -> None:
    assert cosines(case.embedder.embed_texts(TEXTS), case.texts(TEXTS)).min() >= 0.99999


@of_the_demo
def test_vectors_have_length_one_in_float32(case: Case, pictures: list[Image.Image]) -> None:
    for vectors in (
        case.embedder.embed_images([case.embedder.preprocessing.exact(picture) for picture in pictures]),
        case.embedder.embed_texts(TEXTS),
    ):
        assert vectors.dtype == np.float32
        assert vectors.shape[1] == case.embedder.card.dimension
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@of_every_kind
def test_nothing_gives_no_vectors_of_the_right_dimension(case: Case) -> None:
    for vectors in (case.embedder.embed_images([]), case.embedder.embed_texts([])):
        assert vectors.shape == (0, case.embedder.card.dimension)
        assert vectors.dtype == np.float32


@of_the_demo
def test_a_batch_gives_what_its_members_give_alone(case: Case, pictures: list[Image.Image]) -> None:
    prepared = [case.embedder.preprocessing.exact(picture) for picture in pictures]
    together = case.embedder.embed_images(prepared * 4)  # more than one batch on a CPU
    alone = np.concatenate([case.embedder.embed_images([one]) for one in prepared] * 4)
    np.testing.assert_allclose(together, alone, atol=2e-6)
    texts = np.concatenate([case.embedder.embed_texts([text]) for text in TEXTS])
    np.testing.assert_allclose(case.embedder.embed_texts(TEXTS), texts, atol=2e-6)


@of_every_kind
def test_preparing_is_deterministic_and_what_the_model_asks_for(case: Case, pictures: list[Image.Image]) -> None:
    size = case.embedder.card.image_size
    for picture in pictures:
        prepared = case.embedder.preprocessing.exact(picture)
        assert prepared.shape == (size, size, 3)
        assert prepared.dtype == np.uint8
        np.testing.assert_array_equal(prepared, case.embedder.preprocessing.exact(picture.copy()))
        np.testing.assert_array_equal(prepared, case.pixels(picture))


@of_the_demo
def test_pictures_that_are_not_rgb_are_converted(case: Case, pictures: list[Image.Image]) -> None:
    for mode in ("L", "RGBA", "P", "CMYK"):
        picture = pictures[0].convert(mode)
        np.testing.assert_array_equal(
            case.embedder.preprocessing.exact(picture), case.embedder.preprocessing.exact(picture.convert("RGB"))
        )


@of_every_kind
def test_a_picture_of_extreme_proportions_is_prepared_in_little_memory(case: Case) -> None:
    size = case.embedder.card.image_size
    for shape in ((60_000, 1), (1, 60_000)):
        assert case.embedder.preprocessing.exact(Image.new("RGB", shape, "teal")).shape == (size, size, 3)


@of_the_demo
def test_threads_do_not_disturb_each_other(case: Case, pictures: list[Image.Image]) -> None:
    embedder = case.embedder
    prepared = [embedder.preprocessing.exact(picture) for picture in pictures]
    images, texts = embedder.embed_images(prepared), embedder.embed_texts(TEXTS)

    def work(number: int) -> None:
        for _ in range(2):
            if number % 2:
                np.testing.assert_allclose(embedder.embed_texts(TEXTS), texts, atol=2e-6)
            else:
                again = [embedder.preprocessing.exact(picture) for picture in pictures]
                np.testing.assert_allclose(embedder.embed_images(again), images, atol=2e-6)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


@of_the_demo
def test_a_picture_that_the_model_cannot_answer_for_is_an_error_and_not_a_vector(
    case: Case, pictures: list[Image.Image]
) -> None:
    def second_is_not_finite(_module: Any, _given: Any, answer: torch.Tensor) -> torch.Tensor:
        answer = answer.clone()
        answer[1] = torch.nan
        return answer

    pixels = [case.embedder.preprocessing.exact(picture) for picture in pictures[:3]]
    hook = case.embedder._forward.model.visual.register_forward_hook(second_is_not_finite)
    with pytest.raises(ModelOutputInvalid, match="1 of 3"):
        case.embedder.embed_images(pixels)
    hook.remove()


@of_the_demo
def test_pictures_prepared_for_another_model_are_an_error(case: Case) -> None:
    with pytest.raises(ModelOutputInvalid):
        case.embedder.embed_images([np.zeros((37, 41, 3), dtype=np.uint8)])
    with pytest.raises(ModelOutputInvalid):
        case.embedder.embed_images([np.zeros((8, 8, 3), dtype=np.uint8), np.zeros((9, 9, 3), dtype=np.uint8)])


def demo(name: str, precision: Precision = "float32") -> OpenClipEmbedder:
    return load(parse(f"local-dir:{DEMO / name}"), Placement("cpu", precision, 16))


def test_texts_for_siglip_are_padded_to_its_context_length() -> None:
    seen: list[torch.Tensor] = []
    embedder = demo("demo-siglip")
    hook = embedder._forward.model.text.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    embedder.embed_texts(["a red car"])
    hook.remove()
    expected = open_clip.get_tokenizer(f"local-dir:{DEMO / 'demo-siglip'}")(["a red car"])
    assert expected.shape == (1, 24)
    assert torch.equal(seen[0], expected)


@pytest.mark.parametrize("name", ["demo-clip", "demo-siglip"])
def test_float16_weights_give_nearly_the_same_vectors(name: str, pictures: list[Image.Image]) -> None:
    full, half = demo(name), demo(name, "float16")
    prepared = [full.preprocessing.exact(picture) for picture in pictures]
    assert half.device == "cpu, float16"
    assert half.embed_images(prepared).dtype == np.float32
    assert cosines(full.embed_images(prepared), half.embed_images(prepared)).min() >= 0.9999
    assert cosines(full.embed_texts(TEXTS), half.embed_texts(TEXTS)).min() >= 0.9999


def test_what_float16_cannot_hold_is_computed_again_in_float32() -> None:
    full, half = demo("demo-clip"), demo("demo-clip", "float16")
    for embedder in (full, half):  # float16 ends at 65,504
        embedder._forward.model.visual.register_forward_pre_hook(lambda _, given: (given[0] * 100_000,))
    bright = [np.full((64, 64, 3), 250, dtype=np.uint8)]
    assert cosines(full.embed_images(bright), half.embed_images(bright)).min() >= 0.9999
    assert half._float32_model is not None


def test_a_device_that_runs_out_of_memory_answers_in_smaller_batches(pictures: list[Image.Image]) -> None:
    embedder, sizes = demo("demo-clip"), list[int]()

    def small_device(module: torch.nn.Module, given: tuple[torch.Tensor]) -> None:
        sizes.append(len(given[0]))
        if len(given[0]) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    prepared = [embedder.preprocessing.exact(picture) for picture in pictures * 2]
    expected = embedder.embed_images(prepared)
    embedder._forward.model.visual.register_forward_pre_hook(small_device)
    np.testing.assert_allclose(embedder.embed_images(prepared), expected, atol=2e-6)
    assert sizes == [12, 6, 3, 3, 3, 3]


def test_random_weights_without_their_tokenizer_embed_pictures_only(tmp_path: Path) -> None:

    shutil.copy(DEMO / "demo-siglip" / "open_clip_config.json", tmp_path)
    embedder = load(parse(f"local-dir:{tmp_path}"), "cpu", random_weights=True)
    assert embedder.embed_images([embedder.preprocessing.exact(Image.new("RGB", (30, 40), "red"))]).shape == (1, 192)
    with pytest.raises(NoTextTower):
        embedder.embed_texts(["a red car"])
