"""What every embedder promises, held against plain open_clip, and plain timm, used by hand."""

import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import timm
import torch
from PIL import Image, ImageDraw
from timm.data import create_transform, resolve_model_data_config
from torchvision.transforms import Compose

from console_core.demo.gallery import select
from console_core.demo.painting.render import render
from console_core.demo.queries import ACCEPTANCE
from console_core.embedding import embedder as embedders
from console_core.embedding.batches import Batches
from console_core.embedding.device import Placement
from console_core.embedding.embedder import TorchEmbedder
from console_core.embedding.loading import load
from console_core.embedding.precision import Precision
from console_core.embedding.registry import parse
from console_core.embedding.turns import Turn, background
from console_core.embedding.types import Embedder, Vectors
from console_core.errors import DeviceLost, ModelOutputInvalid, NoTextTower

DEMO = Path(__file__).parents[2] / "console_core" / "demo" / "models"
TIMM = "test_vit"
"""A tiny architecture of timm, which embeds pictures only. It is given random weights and a classifier, and saved."""
of_the_demo = pytest.mark.parametrize("case", ["demo-clip", "demo-siglip"], indirect=True)
with_a_text_tower = pytest.mark.parametrize("case", ["demo-clip", "demo-siglip", "ViT-B-32"], indirect=True)
of_the_small = pytest.mark.parametrize("case", ["demo-clip", "demo-siglip", TIMM], indirect=True)
of_every_kind = pytest.mark.parametrize("case", ["demo-clip", "demo-siglip", "ViT-B-32", TIMM], indirect=True)
of_each_library = pytest.mark.parametrize("small", ["demo-clip", TIMM], indirect=True)
TEXTS = ["a red car", "A fox, in the snow!", "", "a pie chart " * 40, "été · 雪 · 🦊"]


@dataclass
class Case:
    """An embedder, and the same model by hand."""

    embedder: TorchEmbedder
    model: Any
    preprocess: Any
    tokenizer: Any

    def images(self, pictures: list[Image.Image]) -> Vectors:
        with torch.inference_mode():
            batch = torch.stack([self.preprocess(picture) for picture in pictures])
            made = self.model.encode_image(batch) if hasattr(self.model, "encode_image") else self.model(batch)
            answer: Vectors = torch.nn.functional.normalize(made, dim=1).numpy()
        return answer

    def pixels(self, picture: Image.Image) -> Any:
        """What its preprocessing makes of a picture before it is normalised."""
        return np.asarray(Compose(self.preprocess.transforms[:-2])(picture))

    def texts(self, texts: list[str]) -> Vectors:
        with torch.inference_mode():
            answer: Vectors = self.model.encode_text(self.tokenizer(texts), normalize=True).numpy()
        return answer


@pytest.fixture(scope="session")
def of_timm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a genuine model of timm, as timm saves it: 64 numbers, 160 pixels, ten classes."""
    folder = tmp_path_factory.mktemp("timm") / TIMM
    with torch.random.fork_rng():
        torch.manual_seed(11)
        model = timm.create_model(TIMM, num_classes=10)
    timm.models.save_for_hf(model, folder, safe_serialization=True)
    return folder


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest, of_timm: Path) -> Iterator[Case]:
    """A demo model, an architecture of open_clip with random weights, or a folder of timm."""
    threads, folder = torch.get_num_threads(), DEMO / request.param
    torch.set_num_threads(1)
    if request.param == TIMM:
        yield by_hand_of_timm(of_timm)
    else:
        yield by_hand_of_open_clip(request.param, folder)
    torch.set_num_threads(threads)


def by_hand_of_timm(folder: Path) -> Case:
    model = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0)
    preprocess = create_transform(**resolve_model_data_config(model), is_training=False)
    embedder = load(parse(f"local-dir:{folder}"), "cpu", precision="float32")
    return Case(embedder, model.eval(), preprocess, None)


def by_hand_of_open_clip(name: str, folder: Path) -> Case:
    local = folder.is_dir()
    name = f"local-dir:{folder}" if local else name
    with torch.random.fork_rng():
        torch.manual_seed(11)
        embedder = load(parse(name), "cpu", precision="float32", random_weights=not local)
        torch.manual_seed(11)
        model, _, preprocess = open_clip.create_model_and_transforms(name)
    merges = folder / "bpe.txt.gz"
    tokenizer = open_clip.get_tokenizer(name, **({"bpe_path": str(merges)} if merges.exists() else {}))
    return Case(embedder, model.eval(), preprocess, tokenizer)


def tower(embedder: TorchEmbedder) -> torch.nn.Module:
    """The module that embeds pictures."""
    module: torch.nn.Module = getattr(embedder._forward.model, "visual", embedder._forward.model)
    return module


def bright(embedder: TorchEmbedder) -> list[Any]:
    size = embedder.preprocessing.height, embedder.preprocessing.width, 3
    return [np.full(size, 250, dtype=np.uint8)]


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
    assert embedder.card.dimension == embedder.embed_images(bright(case.embedder)).shape[1]
    assert embedder.card.has_text == (case.tokenizer is not None)
    if embedder.card.has_text:
        assert embedder.card.dimension == embedder.embed_texts(["a car"]).shape[1]


@of_every_kind
def test_vectors_of_pictures_are_those_of_the_plain_library(case: Case, pictures: list[Image.Image]) -> None:
    ours = case.embedder.embed_images([case.embedder.preprocessing.exact(picture) for picture in pictures])
    assert cosines(ours, case.images(pictures)).min() >= 0.99999


@with_a_text_tower
def test_vectors_of_texts_are_those_of_plain_open_clip(case: Case) -> None:
    assert cosines(case.embedder.embed_texts(TEXTS), case.texts(TEXTS)).min() >= 0.99999


@pytest.mark.parametrize("case", [TIMM], indirect=True)
def test_a_model_without_a_text_tower_refuses_every_text_and_says_what_to_do_instead(case: Case) -> None:
    for texts in (TEXTS, []):
        with pytest.raises(NoTextTower, match="Search by picture"):
            case.embedder.embed_texts(texts)


@of_the_demo
def test_a_text_template_is_what_texts_are_embedded_in_and_it_moves_no_picture(
    case: Case, pictures: list[Image.Image]
) -> None:
    plain, worded = case.embedder, load(replace(case.embedder.card, template="a photo of {}!"), PLAIN)
    asked = ["a red car", "{0} {}"]
    expected = plain.embed_texts(["a photo of a red car!", "a photo of {0} {}!"])
    np.testing.assert_allclose(worded.embed_texts(asked), expected, atol=2e-6)
    prepared = [plain.preprocessing.exact(picture) for picture in pictures]
    np.testing.assert_array_equal(worded.embed_images(prepared), plain.embed_images(prepared))
    parts = {name for name, part in worded.fingerprint.parts.items() if part != plain.fingerprint.parts[name]}
    assert parts == {"text template"}
    assert worded.fingerprint.digest != plain.fingerprint.digest


@of_the_small
def test_vectors_have_length_one_in_float32(case: Case, pictures: list[Image.Image]) -> None:
    made = [case.embedder.embed_images([case.embedder.preprocessing.exact(picture) for picture in pictures])]
    for vectors in [*made, *([case.embedder.embed_texts(TEXTS)] if case.tokenizer else [])]:
        assert vectors.dtype == np.float32
        assert vectors.shape[1] == case.embedder.card.dimension
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@of_every_kind
def test_nothing_gives_no_vectors_of_the_right_dimension(case: Case) -> None:
    texts = [case.embedder.embed_texts([])] if case.tokenizer else []
    for vectors in [case.embedder.embed_images([]), *texts]:
        assert vectors.shape == (0, case.embedder.card.dimension)
        assert vectors.dtype == np.float32


@of_the_small
def test_a_batch_gives_what_its_members_give_alone(case: Case, pictures: list[Image.Image]) -> None:
    prepared = [case.embedder.preprocessing.exact(picture) for picture in pictures]
    together = case.embedder.embed_images(prepared * 4)  # more than one batch on a CPU
    alone = np.concatenate([case.embedder.embed_images([one]) for one in prepared] * 4)
    np.testing.assert_allclose(together, alone, atol=2e-6)
    if case.tokenizer is None:
        return
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


@of_the_small
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


@of_the_small
def test_threads_do_not_disturb_each_other(case: Case, pictures: list[Image.Image]) -> None:
    embedder = case.embedder
    prepared = [embedder.preprocessing.exact(picture) for picture in pictures]
    images = embedder.embed_images(prepared)
    texts = embedder.embed_texts(TEXTS) if case.tokenizer else None

    def work(number: int) -> None:
        for _ in range(2):
            if number % 2 and texts is not None:
                np.testing.assert_allclose(embedder.embed_texts(TEXTS), texts, atol=2e-6)
            else:
                again = [embedder.preprocessing.exact(picture) for picture in pictures]
                np.testing.assert_allclose(embedder.embed_images(again), images, atol=2e-6)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


@of_the_small
def test_a_picture_that_the_model_cannot_answer_for_is_an_error_and_not_a_vector(
    case: Case, pictures: list[Image.Image]
) -> None:
    def second_is_not_finite(_module: Any, _given: Any, answer: torch.Tensor) -> torch.Tensor:
        answer = answer.clone()
        answer[1] = torch.nan
        return answer

    pixels = [case.embedder.preprocessing.exact(picture) for picture in pictures[:3]]
    hook = tower(case.embedder).register_forward_hook(second_is_not_finite)
    with pytest.raises(ModelOutputInvalid, match="1 of 3"):
        case.embedder.embed_images(pixels)
    hook.remove()


@of_the_small
def test_pictures_prepared_for_another_model_are_an_error(case: Case) -> None:
    with pytest.raises(ModelOutputInvalid):
        case.embedder.embed_images([np.zeros((37, 41, 3), dtype=np.uint8)])
    with pytest.raises(ModelOutputInvalid):
        case.embedder.embed_images([np.zeros((8, 8, 3), dtype=np.uint8), np.zeros((9, 9, 3), dtype=np.uint8)])


def demo(name: str, precision: Precision = "float32") -> TorchEmbedder:
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


PLAIN = Placement("cpu", "float32", 16)
CLOSE: dict[Precision, float] = {"float32": 0.999999, "float16": 0.9999, "bfloat16": 0.999}


def again(embedder: TorchEmbedder, precision: Precision = "float32") -> TorchEmbedder:
    """The same model, loaded once more."""
    return load(embedder.card, Placement("cpu", precision, 16))


@pytest.mark.parametrize("precision", list(CLOSE))
@of_the_small
def test_each_precision_gives_nearly_the_vectors_of_the_plain_library(
    case: Case, precision: Precision, record_property: Callable[[str, object], None]
) -> None:
    """The agreement of the first ten answers is recorded, not demanded: small models move more than large ones."""
    embedder = again(case.embedder, precision)
    scenes = select(60)
    pictures = [render(scene, 128) for scene in scenes]
    texts = [query.text for query in ACCEPTANCE]
    images = case.images(pictures)
    ours = embedder.embed_images([embedder.preprocessing.exact(picture) for picture in pictures])
    asked, questions = (case.texts(texts), embedder.embed_texts(texts)) if case.tokenizer else (images, ours)
    assert embedder.device == f"cpu, {precision}"
    assert ours.dtype == questions.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-6)
    assert cosines(ours, images).min() >= CLOSE[precision]
    assert cosines(questions, asked).min() >= CLOSE[precision]
    best, ours_best = (np.argsort(-(a @ b.T), axis=1)[:, :10] for a, b in ((asked, images), (questions, ours)))
    shared = float(np.mean([len(set(a) & set(b)) / 10 for a, b in zip(best, ours_best, strict=True)]))
    record_property("first ten answers shared", round(shared, 4))
    assert shared > 0.9


@of_the_small
def test_all_precisions_have_one_fingerprint(case: Case) -> None:
    made = {again(case.embedder, precision).fingerprint.digest for precision in CLOSE}
    assert made == {case.embedder.fingerprint.digest}


def test_all_precisions_have_one_fingerprint_and_it_is_the_one_that_collections_bear() -> None:
    made = {demo("demo-clip", precision).fingerprint.digest for precision in CLOSE}
    assert made == {"e8b0f76303dc"}
    assert demo("demo-siglip", "bfloat16").fingerprint.digest == "24be7263a251"


@pytest.fixture
def small(request: pytest.FixtureRequest, of_timm: Path) -> TorchEmbedder:
    """A fresh model of a library."""
    return load(parse(f"local-dir:{of_timm if request.param == TIMM else DEMO / request.param}"), PLAIN)


@of_each_library
def test_what_float16_cannot_hold_is_computed_again_in_bfloat16(small: TorchEmbedder) -> None:
    full, half = small, again(small, "float16")
    for embedder in (full, half):  # float16 ends at 65,504
        tower(embedder).register_forward_pre_hook(lambda _, given: (given[0] * 100_000,))
    before = half.memory
    for _ in range(2):
        assert cosines(full.embed_images(bright(full)), half.embed_images(bright(half))).min() >= 0.999
    assert half.notes == ("float16 overflowed; 2 batches were computed again in bfloat16.",)
    assert full.notes == ()
    assert half.memory == 2 * before


@of_each_library
@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_what_no_half_precision_can_hold_is_computed_again_in_float32(
    small: TorchEmbedder, precision: Precision
) -> None:
    full, half = small, again(small, precision)

    def overflow(_: Any, given: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        return (given[0] if given[0].dtype == torch.float32 else given[0] * torch.inf,)

    tower(half).register_forward_pre_hook(overflow)
    assert cosines(full.embed_images(bright(full)), half.embed_images(bright(half))).min() >= 0.999
    assert half.notes == (f"{precision} overflowed; 1 batch was computed again in float32.",)


@of_each_library
def test_a_device_that_runs_out_of_memory_answers_in_smaller_batches_and_says_so(
    small: TorchEmbedder, pictures: list[Image.Image]
) -> None:
    embedder, sizes = small, list[int]()

    def small_device(module: torch.nn.Module, given: tuple[torch.Tensor]) -> None:
        sizes.append(len(given[0]))
        if len(given[0]) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    prepared = [embedder.preprocessing.exact(picture) for picture in pictures * 2]
    expected = embedder.embed_images(prepared)
    assert (embedder.batch, embedder.notes) == (16, ())
    tower(embedder).register_forward_pre_hook(small_device)
    np.testing.assert_allclose(embedder.embed_images(prepared), expected, atol=2e-6)
    assert sizes == [12, 6, 3, 3, 3, 3]
    assert (embedder.batch, embedder.notes) == (3, ("Batch halved to 3: the device ran out of memory.",))


@of_the_small
def test_pictures_in_a_slab_give_the_same_vectors(case: Case, pictures: list[Image.Image]) -> None:
    prepared = [case.embedder.preprocessing.exact(picture) for picture in pictures]
    slab = case.embedder.slab(len(pictures) + 2)
    for picture, place in zip(prepared, slab, strict=False):
        place[:] = picture
    np.testing.assert_array_equal(
        case.embedder.embed_images(slab[: len(pictures)]), case.embedder.embed_images(prepared)
    )


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor of two cores, wherever the test runs."""
    two = Turn(2, queries_wait=False)
    monkeypatch.setattr(embedders, "turn", lambda _: two)


@pytest.fixture
def roomy(two_cores: None) -> TorchEmbedder:
    return demo("demo-clip")


def in_a_run(embedder: Embedder, pixels: Any) -> Vectors:
    with background():
        return embedder.embed_images(pixels)


def test_as_many_passes_as_it_says_run_at_once_and_a_query_beside_them(
    roomy: TorchEmbedder, pictures: list[Image.Image]
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


def test_two_queries_at_once_do_not_meet_in_the_tokenizer(roomy: TorchEmbedder) -> None:
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


@of_each_library
def test_a_pass_that_is_padded_to_the_shape_of_all_gives_the_same_vectors(
    small: TorchEmbedder, pictures: list[Image.Image]
) -> None:
    roomy = small
    prepared = [roomy.preprocessing.exact(picture) for picture in pictures]
    expected, shapes = roomy.embed_images(prepared), list[int]()
    roomy._images = Batches(4, Turn(), fixed=True)
    tower(roomy).register_forward_pre_hook(lambda _, given: shapes.append(len(given[0])))
    with ThreadPoolExecutor(1) as pool:
        np.testing.assert_allclose(pool.submit(in_a_run, roomy, prepared).result(60), expected, atol=2e-6)
    roomy.embed_images(prepared[:1])
    assert shapes == [4, 4, 1]


@of_each_library
def test_a_model_that_cannot_be_compiled_runs_as_it_is_and_says_so(
    small: TorchEmbedder, pictures: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    roomy = small

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


def test_however_many_pictures_are_to_come_a_cpu_has_nothing_to_prepare(roomy: TorchEmbedder) -> None:
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
    forward, level = embedder._forward, bright(embedder)
    too_narrow = {torch.float16}

    def overflow(_: Any, given: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        return (given[0] * torch.inf if given[0].dtype in too_narrow else given[0],)

    forward.model.visual.register_forward_pre_hook(overflow)
    embedder.embed_images(level)

    class OverflowsMeanwhile(Counter[Precision]):
        """Between two of its entries, another thread embeds what bfloat16 cannot hold either."""

        def items(self) -> Any:
            for item in super().items():
                thread.start()
                thread.join(1)
                yield item

    thread = threading.Thread(target=embedder.embed_images, args=(level,))
    too_narrow.add(torch.bfloat16)
    forward._again = OverflowsMeanwhile(forward._again)
    assert embedder.notes == ("float16 overflowed; 1 batch was computed again in bfloat16.",)
    thread.join(20)
    assert forward._again == {"bfloat16": 1, "float32": 1}


LOST = "CUDA error: device-side assert triggered"


def lost(*_: Any, **__: Any) -> Any:
    raise torch.AcceleratorError(f"{LOST}\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1")


@of_each_library
def test_a_device_that_is_lost_while_a_model_is_loaded_is_no_fault_of_its_file(
    small: TorchEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.nn.Module, "to", lost)
    with pytest.raises(DeviceLost, match=f"^cpu stopped working: {LOST} Resume") as caught:
        again(small)
    assert isinstance(caught.value.__cause__, torch.AcceleratorError)


def test_a_device_that_is_lost_in_a_pass_is_told_for_pictures_and_texts() -> None:
    embedder = demo("demo-clip")
    for tower in (embedder._forward.model.visual, embedder._forward.model.transformer):
        tower.register_forward_pre_hook(lost)
    with pytest.raises(DeviceLost, match=LOST):
        embedder.embed_images([np.zeros((64, 64, 3), dtype=np.uint8)])
    with pytest.raises(DeviceLost, match=LOST):
        embedder.embed_texts(["a red car"])
