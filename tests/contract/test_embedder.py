"""What every embedder promises, held against plain open_clip used by hand."""

import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
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

from console_core.demo.gallery import select
from console_core.demo.painting.render import render
from console_core.demo.queries import ACCEPTANCE
from console_core.embedding import openclip
from console_core.embedding.batches import Batches
from console_core.embedding.device import Placement
from console_core.embedding.openclip import OpenClipEmbedder, load
from console_core.embedding.precision import Precision
from console_core.embedding.registry import parse
from console_core.embedding.turns import Turn, background
from console_core.embedding.types import Embedder, Vectors
from console_core.errors import DeviceLost, ModelOutputInvalid, NoTextTower

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
        embedder = load(parse(name), "cpu", precision="float32", random_weights=not local)
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


CLOSE: dict[Precision, float] = {"float32": 0.999999, "float16": 0.9999, "bfloat16": 0.999}


@pytest.mark.parametrize("precision", list(CLOSE))
@of_the_demo
def test_each_precision_gives_nearly_the_vectors_of_plain_open_clip(
    case: Case, precision: Precision, record_property: Callable[[str, object], None]
) -> None:
    """The agreement of the first ten answers is recorded, not demanded: small models move more than large ones."""
    embedder = demo(case.embedder.card.title, precision)
    scenes = select(60)
    pictures = [render(scene, 128) for scene in scenes]
    texts = [query.text for query in ACCEPTANCE]
    images, asked = case.images(pictures), case.texts(texts)
    ours = embedder.embed_images([embedder.preprocessing.exact(picture) for picture in pictures])
    questions = embedder.embed_texts(texts)
    assert embedder.device == f"cpu, {precision}"
    assert ours.dtype == questions.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-6)
    assert cosines(ours, images).min() >= CLOSE[precision]
    assert cosines(questions, asked).min() >= CLOSE[precision]
    best, ours_best = (np.argsort(-(a @ b.T), axis=1)[:, :10] for a, b in ((asked, images), (questions, ours)))
    shared = float(np.mean([len(set(a) & set(b)) / 10 for a, b in zip(best, ours_best, strict=True)]))
    record_property("first ten answers shared", round(shared, 4))
    assert shared > 0.9


def test_all_precisions_have_one_fingerprint_and_it_is_the_one_that_collections_bear() -> None:
    made = {demo("demo-clip", precision).fingerprint.digest for precision in CLOSE}
    assert made == {"e8b0f76303dc"}
    assert demo("demo-siglip", "bfloat16").fingerprint.digest == "24be7263a251"


def test_what_float16_cannot_hold_is_computed_again_in_bfloat16() -> None:
    full, half = demo("demo-clip"), demo("demo-clip", "float16")
    for embedder in (full, half):  # float16 ends at 65,504
        embedder._forward.model.visual.register_forward_pre_hook(lambda _, given: (given[0] * 100_000,))
    bright = [np.full((64, 64, 3), 250, dtype=np.uint8)]
    before = half.memory
    for _ in range(2):
        assert cosines(full.embed_images(bright), half.embed_images(bright)).min() >= 0.999
    assert half.notes == ("float16 overflowed; 2 batches were computed again in bfloat16.",)
    assert full.notes == ()
    assert half.memory == 2 * before


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_what_no_half_precision_can_hold_is_computed_again_in_float32(precision: Precision) -> None:
    full, half = demo("demo-clip"), demo("demo-clip", precision)

    def overflow(_: Any, given: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        return (given[0] if given[0].dtype == torch.float32 else given[0] * torch.inf,)

    half._forward.model.visual.register_forward_pre_hook(overflow)
    bright = [np.full((64, 64, 3), 250, dtype=np.uint8)]
    assert cosines(full.embed_images(bright), half.embed_images(bright)).min() >= 0.999
    assert half.notes == (f"{precision} overflowed; 1 batch was computed again in float32.",)


def test_a_device_that_runs_out_of_memory_answers_in_smaller_batches_and_says_so(pictures: list[Image.Image]) -> None:
    embedder, sizes = demo("demo-clip"), list[int]()

    def small_device(module: torch.nn.Module, given: tuple[torch.Tensor]) -> None:
        sizes.append(len(given[0]))
        if len(given[0]) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    prepared = [embedder.preprocessing.exact(picture) for picture in pictures * 2]
    expected = embedder.embed_images(prepared)
    assert (embedder.batch, embedder.notes) == (16, ())
    embedder._forward.model.visual.register_forward_pre_hook(small_device)
    np.testing.assert_allclose(embedder.embed_images(prepared), expected, atol=2e-6)
    assert sizes == [12, 6, 3, 3, 3, 3]
    assert (embedder.batch, embedder.notes) == (3, ("Batch halved to 3: the device ran out of memory.",))


@of_the_demo
def test_pictures_in_a_slab_give_the_same_vectors(case: Case, pictures: list[Image.Image]) -> None:
    prepared = [case.embedder.preprocessing.exact(picture) for picture in pictures]
    slab = case.embedder.slab(len(pictures) + 2)
    for picture, place in zip(prepared, slab, strict=False):
        place[:] = picture
    np.testing.assert_array_equal(
        case.embedder.embed_images(slab[: len(pictures)]), case.embedder.embed_images(prepared)
    )


@pytest.fixture
def roomy(monkeypatch: pytest.MonkeyPatch) -> OpenClipEmbedder:
    """A model on a processor of two cores, wherever the test runs."""
    two = Turn(2, queries_wait=False)
    monkeypatch.setattr(openclip, "turn", lambda _: two)
    return demo("demo-clip")


def in_a_run(embedder: Embedder, pixels: Any) -> Vectors:
    with background():
        return embedder.embed_images(pixels)


def test_as_many_passes_as_it_says_run_at_once_and_a_query_beside_them(
    roomy: OpenClipEmbedder, pictures: list[Image.Image]
) -> None:
    prepared = [roomy.preprocessing.exact(picture) for picture in pictures]
    expected, text = roomy.embed_images(prepared), roomy.embed_texts(TEXTS)
    together, asked = threading.Barrier(roomy.passes + 1), threading.Event()

    def meet(*_: Any) -> None:
        together.wait(20)
        assert asked.wait(20)

    hook = roomy._forward.model.visual.register_forward_pre_hook(meet)
    with ThreadPoolExecutor(roomy.passes) as pool:
        passes = [pool.submit(in_a_run, roomy, prepared) for _ in range(roomy.passes)]
        together.wait(20)
        np.testing.assert_allclose(roomy.embed_texts(TEXTS), text, atol=2e-6)
        asked.set()
        for one in passes:
            np.testing.assert_allclose(one.result(20), expected, atol=2e-6)
    hook.remove()


def test_two_queries_at_once_do_not_meet_in_the_tokenizer(roomy: OpenClipEmbedder) -> None:
    tokenize, inside = roomy._tokenizer, threading.Lock()
    assert tokenize is not None

    def refuses_a_second_thread(texts: list[str]) -> Any:
        if not inside.acquire(blocking=False):
            raise RuntimeError("Already borrowed")
        try:
            threading.Event().wait(0.01)
            return tokenize(texts)
        finally:
            inside.release()

    expected = roomy.embed_texts(TEXTS)
    roomy._tokenizer = refuses_a_second_thread
    with ThreadPoolExecutor(4) as pool:
        for answer in pool.map(roomy.embed_texts, [TEXTS] * 8):
            np.testing.assert_allclose(answer, expected, atol=2e-6)


def test_a_pass_that_is_padded_to_the_shape_of_all_gives_the_same_vectors(
    roomy: OpenClipEmbedder, pictures: list[Image.Image]
) -> None:
    prepared = [roomy.preprocessing.exact(picture) for picture in pictures]
    expected, shapes = roomy.embed_images(prepared), list[int]()
    roomy._images = Batches(4, Turn(), fixed=True)
    roomy._forward.model.visual.register_forward_pre_hook(lambda _, given: shapes.append(len(given[0])))
    with ThreadPoolExecutor(1) as pool:
        np.testing.assert_allclose(pool.submit(in_a_run, roomy, prepared).result(60), expected, atol=2e-6)
    roomy.embed_images(prepared[:1])
    assert shapes == [4, 4, 1]


def test_a_model_that_cannot_be_compiled_runs_as_it_is_and_says_so(
    roomy: OpenClipEmbedder, pictures: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    def compile(_: object, *, dynamic: bool) -> Callable[[Any], Any]:
        def fail(_: Any) -> Any:
            raise RuntimeError("no C compiler was found")

        return fail

    monkeypatch.setattr(torch, "compile", compile)
    prepared = [roomy.preprocessing.exact(picture) for picture in pictures]
    expected = roomy.embed_images(prepared)
    roomy._images = Batches(4, Turn(), fixed=True)
    roomy._forward.compile()
    with ThreadPoolExecutor(1) as pool:
        np.testing.assert_allclose(pool.submit(in_a_run, roomy, prepared).result(60), expected, atol=2e-6)
    assert roomy.notes == ("It could not be compiled, and runs as it is: no C compiler was found",)


def test_however_many_pictures_are_to_come_a_cpu_has_nothing_to_prepare(roomy: OpenClipEmbedder) -> None:
    roomy.expect(10**6)
    assert (roomy.batch, roomy.notes) == (16, ())


def test_random_weights_without_their_tokenizer_embed_pictures_only(tmp_path: Path) -> None:

    shutil.copy(DEMO / "demo-siglip" / "open_clip_config.json", tmp_path)
    embedder = load(parse(f"local-dir:{tmp_path}"), "cpu", random_weights=True)
    assert embedder.embed_images([embedder.preprocessing.exact(Image.new("RGB", (30, 40), "red"))]).shape == (1, 192)
    with pytest.raises(NoTextTower):
        embedder.embed_texts(["a red car"])


def test_what_is_told_meanwhile_does_not_mind_the_first_overflow() -> None:
    embedder = demo("demo-clip", "float16")
    forward, bright = embedder._forward, [np.full((64, 64, 3), 250, dtype=np.uint8)]
    too_narrow = {torch.float16}

    def overflow(_: Any, given: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        return (given[0] * torch.inf if given[0].dtype in too_narrow else given[0],)

    forward.model.visual.register_forward_pre_hook(overflow)
    embedder.embed_images(bright)

    class OverflowsMeanwhile(Counter[Precision]):
        """Between two of its entries, another thread embeds what bfloat16 cannot hold either."""

        def items(self) -> Any:
            for item in super().items():
                thread.start()
                thread.join(1)
                yield item

    thread = threading.Thread(target=embedder.embed_images, args=(bright,))
    too_narrow.add(torch.bfloat16)
    forward._again = OverflowsMeanwhile(forward._again)
    assert embedder.notes == ("float16 overflowed; 1 batch was computed again in bfloat16.",)
    thread.join(20)
    assert forward._again == {"bfloat16": 1, "float32": 1}


LOST = "CUDA error: device-side assert triggered"


def lost(*_: Any, **__: Any) -> Any:
    raise torch.AcceleratorError(f"{LOST}\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1")


def test_a_device_that_is_lost_while_a_model_is_loaded_is_no_fault_of_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.nn.Module, "to", lost)
    with pytest.raises(DeviceLost, match=f"^cpu stopped working: {LOST} Resume") as caught:
        demo("demo-clip")
    assert isinstance(caught.value.__cause__, torch.AcceleratorError)


def test_a_device_that_is_lost_in_a_pass_is_told_for_pictures_and_texts() -> None:
    embedder = demo("demo-clip")
    for tower in (embedder._forward.model.visual, embedder._forward.model.transformer):
        tower.register_forward_pre_hook(lost)
    with pytest.raises(DeviceLost, match=LOST):
        embedder.embed_images([np.zeros((64, 64, 3), dtype=np.uint8)])
    with pytest.raises(DeviceLost, match=LOST):
        embedder.embed_texts(["a red car"])
