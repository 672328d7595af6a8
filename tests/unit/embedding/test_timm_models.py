"""Models of timm: what is known of them without weights, where weights come from, and that they fit or are refused."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file, save_file

from console_core.embedding.cards import CARDS
from console_core.embedding.files import LOCAL
from console_core.embedding.loading import load
from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.registry import ModelCards, from_settings, parse
from console_core.embedding.timm_folder import configuration_of
from console_core.embedding.timm_names import PUBLISHED, shape
from console_core.embedding.types import Vectors
from console_core.errors import ModelNotLoadable, ModelUnknown, SettingsError
from console_core.settings import ModelSettings

Put = Callable[[str, dict[str, bytes]], Path]
TINY = "test_vit.r160_in1k"
PICTURE = Image.effect_mandelbrot((200, 150), (-2, -1, 1, 1), 30).convert("RGB")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as timm saves one, with a classifier of ten classes."""
    return saved(tmp_path / "tiny", "test_vit", num_classes=10)


def saved(folder: Path, architecture: str, **arguments: Any) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = timm.create_model(architecture, **arguments)
    timm.models.save_for_hf(model, folder, safe_serialization=True)
    return folder


def vector(text: str, **options: Any) -> Vectors:
    embedder = load(parse(text), "cpu", **options)
    return embedder.embed_images([embedder.preprocessing.exact(PICTURE)])


def by_hand(source: str) -> Any:
    model = timm.create_model(source, pretrained=True, num_classes=0).eval()
    config = timm.data.resolve_model_data_config(model)
    with torch.inference_mode():
        answer = model(timm.data.create_transform(**config, is_training=False)(PICTURE).unsqueeze(0))
    return torch.nn.functional.normalize(answer, dim=1).numpy()


def test_a_name_alone_is_the_model_with_the_weights_that_timm_itself_would_take() -> None:
    card = ModelCards().get("timm:test_vit")
    assert (card.key, card.weights, card.title, card.family) == (f"timm:{TINY}", "", "test_vit r160_in1k", "timm")
    assert (card.dimension, card.image_size, card.has_text, card.builtin) == (64, 160, False, False)
    assert ModelCards().get(card.key) == card
    assert (
        from_settings(ModelSettings("mine", "timm:test_vit", "r160_in1k", title="Mine")).architecture == f"timm:{TINY}"
    )


@pytest.mark.parametrize(
    ("name", "dimension", "size"),
    [
        ("swin_tiny_patch4_window7_224.ms_in1k", 768, 224),
        ("resnet50.a1_in1k", 2048, 224),
        ("mobilenetv3_small_050.lamb_in1k", 1024, 224),  # its features have 288 numbers
        ("vit_small_patch14_dinov2.lvd142m", 384, 518),
        ("test_convnext.r160_in1k", 64, 160),
    ],
)
def test_dimension_and_size_are_known_without_weights(name: str, dimension: int, size: int) -> None:
    card = parse(f"timm:{name}")
    assert (card.dimension, card.image_size) == (dimension, size)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("timm:swin_large_patch4_window12_383", "swin_large_patch4_window12_384"),
        ("timm:test_vit.nonsense", "r160_in1k"),
        ("timm:hf-hub:nobody", "<owner>/<name>"),
        ("timm:hf-hub:owner/name@revision", "local-dir:"),
        ("timm:tv_resnet50", "resnet50.tv_in1k"),
    ],
)
def test_a_name_that_timm_does_not_have_is_refused_with_one_that_it_has(text: str, remedy: str) -> None:
    with pytest.raises(ModelUnknown) as caught:
        ModelCards().get(text)
    assert remedy in caught.value.remedy


def test_a_model_that_makes_no_vector_of_a_colour_picture_is_refused() -> None:
    with pytest.raises(ModelNotLoadable, match="no single vector"):
        shape({"architecture": "test_vit", "pretrained_cfg": {}, "model_args": {"global_pool": ""}})
    with pytest.raises(ModelNotLoadable, match="1 channels"):
        shape({"architecture": "test_vit", "pretrained_cfg": {}, "model_args": {"in_chans": 1}})


def test_a_folder_of_timm_gives_what_timm_itself_gives(folder: Path) -> None:
    card = ModelCards().get(f"{LOCAL}{folder}")
    assert (card.dimension, card.image_size, card.title, card.has_text) == (64, 160, "tiny", False)
    np.testing.assert_allclose(vector(card.key), by_hand(f"{LOCAL}{folder}"), atol=1e-6)


def test_a_folder_in_the_settings_is_relative_to_the_workspace(folder: Path) -> None:
    card = from_settings(ModelSettings("mine", "local-dir:tiny", title="My model"), folder.parent)
    assert (card.key, card.title, card.dimension, card.library) == ("mine", "My model", 64, "timm")
    with pytest.raises(SettingsError, match="dimension = 512"):
        from_settings(ModelSettings("mine", "local-dir:tiny", dimension=512), folder.parent)
    with pytest.raises(SettingsError, match="embeds no texts"):
        from_settings(ModelSettings("mine", "local-dir:tiny", template="a {}"), folder.parent)
    with pytest.raises(ModelUnknown, match="no weights tags"):
        from_settings(ModelSettings("mine", "local-dir:tiny", "r160_in1k"), folder.parent)


@pytest.mark.parametrize(
    "architecture", ["test_resnet", "test_convnext", "test_efficientnet", "test_mambaout", "mobilenetv3_small_050"]
)
def test_whichever_network_it_is_the_vectors_are_those_of_timm(tmp_path: Path, architecture: str) -> None:
    source = f"{LOCAL}{saved(tmp_path / 'model', architecture)}"
    np.testing.assert_allclose(vector(source), by_hand(source), atol=1e-6)
    assert vector(source).shape == (1, parse(source).dimension)


def test_weights_without_a_classifier_and_with_another_one_give_the_same_vectors(folder: Path) -> None:
    before, file = vector(f"{LOCAL}{folder}"), folder / "model.safetensors"
    state = load_file(file)
    save_file({name: tensor for name, tensor in state.items() if not name.startswith("head.")}, file)
    np.testing.assert_array_equal(vector(f"{LOCAL}{folder}"), before)
    save_file({**state, "head.weight": torch.zeros(3, 64), "head.bias": torch.zeros(3)}, file)
    np.testing.assert_array_equal(vector(f"{LOCAL}{folder}"), before)


@pytest.mark.parametrize("name", ["blocks.0.mlp.fc1.weight", "norm.bias"])
def test_weights_that_lack_something_are_refused_and_not_filled_with_random_numbers(folder: Path, name: str) -> None:
    state = load_file(folder / "model.safetensors")
    del state[name]
    save_file(state, folder / "model.safetensors")
    with pytest.raises(ModelNotLoadable, match="cannot be loaded") as caught:
        load(parse(f"{LOCAL}{folder}"), "cpu")
    assert "as timm has it" in caught.value.remedy


def test_a_checkpoint_of_timms_training_is_loaded_with_its_averaged_weights(folder: Path) -> None:
    state = load_file(folder / "model.safetensors")
    expected = vector(f"{LOCAL}{folder}")
    (folder / "model.safetensors").unlink()
    noise = {name: tensor + 1 for name, tensor in state.items()}
    torch.save({"state_dict": noise, "state_dict_ema": state, "epoch": 3}, folder / "last.pth")
    np.testing.assert_array_equal(vector(f"{LOCAL}{folder}"), expected)


def test_a_checkpoint_under_a_name_of_timm_is_fed_like_that_name(folder: Path) -> None:
    file = folder / "model.safetensors"
    card = ModelCards().get(f"timm:test_vit/{file}")
    assert (card.architecture, card.weights, card.title) == ("timm:test_vit", str(file), "test_vit (model.safetensors)")
    assert ModelCards().get(card.key) == card
    np.testing.assert_array_equal(vector(card.key), vector(f"{LOCAL}{folder}"))
    assert from_settings(
        ModelSettings("mine", "timm:test_vit", "tiny/model.safetensors"), folder.parent
    ).weights == str(file)
    with pytest.raises(ModelNotLoadable, match="no checkpoint"):
        parse("timm:test_vit//nowhere/mine.pt")


def test_a_checkpoint_whose_preprocessing_is_anyones_guess_wants_a_tag(folder: Path) -> None:
    file = folder / "model.safetensors"
    with pytest.raises(ModelNotLoadable, match="not all fed alike") as caught:
        parse(f"timm:resnet18/{file}")
    assert "timm:resnet18.a1_in1k//<path>" in caught.value.remedy
    assert parse(f"timm:resnet18.tv_in1k/{file}").architecture == "timm:resnet18.tv_in1k"


def test_weights_of_a_tag_come_from_the_cache(downloaded: Put, folder: Path) -> None:
    files = {"model.safetensors": (folder / "model.safetensors").read_bytes()}
    snapshot = downloaded(f"timm/{TINY}", {**files, "pytorch_model.bin": b"another form of the same"})
    np.testing.assert_array_equal(vector("timm:test_vit"), vector(f"timm:test_vit/{folder}/model.safetensors"))
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(ModelNotLoadable, match=r"pytorch_model\.bin"):
        load(parse("timm:test_vit"), "cpu")


def test_a_repository_of_somebody_is_loaded_from_the_cache_and_says_what_it_is(downloaded: Put, folder: Path) -> None:
    with pytest.raises(ModelNotLoadable, match=r"config\.json"):
        ModelCards().get("timm:hf-hub:someone/animals")
    downloaded("someone/animals", {name: (folder / name).read_bytes() for name in ("config.json", "model.safetensors")})
    card = ModelCards().get("timm:hf-hub:someone/animals")
    assert (card.key, card.title, card.dimension) == ("timm:hf-hub:someone/animals", "animals", 64)
    np.testing.assert_array_equal(vector(card.key), vector(f"{LOCAL}{folder}"))


def test_what_a_repository_lacks_is_downloaded_when_the_hub_can_be_reached(
    serving: dict[str, bytes], folder: Path
) -> None:
    for name in ("config.json", "model.safetensors"):
        serving[f"someone/animals/{name}"] = (folder / name).read_bytes()
    np.testing.assert_array_equal(vector("timm:hf-hub:someone/animals"), vector(f"{LOCAL}{folder}"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("megadescriptor-l-384", ("BVRA/MegaDescriptor-L-384", "model.safetensors or pytorch_model.bin", "weights = ")),
        (f"timm:{TINY}", (f"timm/{TINY}", "model.safetensors or pytorch_model.bin", f'architecture = "timm:{TINY}"')),
        (
            "clip-vit-b-32-openai",
            ("timm/vit_base_patch32_clip_224.openai", "open_clip_model.safetensors", "local-dir:"),
        ),
        (
            "siglip-vit-b-16-webli",
            ("timm/ViT-B-16-SigLIP", "open_clip_model.safetensors", "tokenizer.json", "'tokenizer*'"),
        ),
        ("siglip-vit-l-16-256-webli", ("timm/ViT-L-16-SigLIP-256", "hf download timm/ViT-B-16-SigLIP --include 'tok")),
    ],
)
def test_weights_that_are_not_here_say_which_files_to_put_where(lonely: Path, text: str, said: tuple[str, ...]) -> None:
    with pytest.raises(ModelNotLoadable) as caught:
        load(ModelCards().get(text), "cpu")
    repository, *others = said
    folder = f"models--{repository.replace('/', '--')}"
    for word in (f"hf download {repository} --include ", f"copy {folder}", f"into {lonely}.", *others):
        assert word in caught.value.remedy
    assert "cannot be reached" in caught.value.message


def test_weights_that_timm_has_elsewhere_are_to_be_brought_by_hand() -> None:
    elsewhere = next(
        name
        for name in timm.list_pretrained()
        if (known := timm.get_pretrained_cfg(name)).url and not known.hf_hub_id and not known.custom_load
    )
    with pytest.raises(ModelNotLoadable, match="not loaded from here") as caught:
        load(parse(f"timm:{elsewhere}"), "cpu")
    assert f"timm:{elsewhere}//<path>" in caught.value.remedy


def test_an_architecture_that_timm_has_no_weights_of_loads_for_benchmarks_only() -> None:
    card = parse("timm:test_vit_relpos")
    with pytest.raises(ModelNotLoadable, match="no weights for"):
        load(card, "cpu")
    embedder = load(card, "cpu", random_weights=True)
    assert embedder.fingerprint.parts["weights"].startswith("random ")
    assert embedder.embed_images([embedder.preprocessing.exact(PICTURE)]).shape == (1, card.dimension)


def test_the_fingerprint_is_of_contents_and_says_what_counts(folder: Path, tmp_path: Path) -> None:
    before = load(parse(f"{LOCAL}{folder}"), "cpu").fingerprint
    assert before.parts["tokenizer"] == "none"
    assert json.loads(before.parts["preprocessing"])["crop_pct"] == 0.95
    moved = Path(shutil.copytree(folder, tmp_path / "elsewhere"))
    assert load(parse(f"{LOCAL}{moved}"), "cpu").fingerprint == before
    config = json.loads((moved / "config.json").read_text())
    config["pretrained_cfg"] |= {"crop_pct": 1, "label_names": ["does", "not", "count"]}
    (moved / "config.json").write_text(json.dumps(config))
    other = load(parse(f"{LOCAL}{moved}"), "cpu").fingerprint
    assert {name for name, part in before.parts.items() if part != other.parts[name]} == {"preprocessing"}
    config["pretrained_cfg"]["crop_pct"] = 1.0
    (moved / "config.json").write_text(json.dumps(config))
    assert load(parse(f"{LOCAL}{moved}"), "cpu").fingerprint == other


def test_the_same_weights_under_a_name_and_in_a_folder_as_the_hub_has_it_have_one_fingerprint(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    del config["model_args"]
    config["pretrained_cfg"]["fixed_input_size"] = True
    (folder / "config.json").write_text(json.dumps(config))
    named = load(parse(f"timm:test_vit/{folder}/model.safetensors"), "cpu").fingerprint
    assert load(parse(f"{LOCAL}{folder}"), "cpu").fingerprint == named


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"architecture": 7}', '{"architecture": "nothing_of_timm"}'])
def test_a_folder_with_a_broken_configuration_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises((ModelNotLoadable, ModelUnknown)):
        parse(f"{LOCAL}{tmp_path}")


def test_a_configuration_of_an_old_release_is_read_too(folder: Path) -> None:
    before = vector(f"{LOCAL}{folder}")
    config = json.loads((folder / "config.json").read_text())
    flat = {**config["pretrained_cfg"], "architecture": "test_vit", "global_pool": "token", "num_features": 64}
    flat["fixed_input_size"] = True
    (folder / "config.json").write_text(json.dumps(flat))
    np.testing.assert_array_equal(vector(f"{LOCAL}{folder}"), before)


def test_megadescriptor_is_what_its_card_and_its_authors_say() -> None:
    card = next(one for one in CARDS if one.key == "megadescriptor-l-384")
    assert (card.dimension, card.image_size, card.has_text, card.licence) == (1536, 384, False, "CC-BY-NC-4.0")
    published = configuration_of(card.architecture, checkpoint=False, download=False)
    assert published == PUBLISHED["BVRA/MegaDescriptor-L-384"]
    built = {name: value for name, value in published.items() if name != "num_features"}
    assert shape(built) == shape(published) == (1536, 384)
    fed = timm.data.resolve_data_config(pretrained_cfg=published["pretrained_cfg"])
    expected = Preprocessing(384, 384, "squash", "bilinear", 0, (0.5,) * 3, (0.5,) * 3)
    assert Preprocessing.of_timm(fed) == expected
    as_its_authors_do = torchvision.transforms.Resize((384, 384))(PICTURE)
    np.testing.assert_array_equal(expected.exact(PICTURE), np.asarray(as_its_authors_do))


def test_what_timm_said_of_a_model_is_remembered_so_that_the_next_start_need_not_ask(
    folder: Path, tmp_path: Path
) -> None:
    wanted = [ModelSettings("a", "timm:test_vit"), ModelSettings("b", f"{LOCAL}{folder}")]
    wanted.append(ModelSettings("c", "timm:test_vit", str(folder / "model.safetensors")))
    cache = tmp_path / "cache"
    first = [from_settings(model, tmp_path, cache) for model in wanted]
    program = (
        "import sys; from pathlib import Path; from console_core.settings import ModelSettings; "
        "from console_core.embedding.registry import from_settings; "
        "from console_core.embedding.types import ModelCard; "
        f"assert [from_settings(one, Path({str(tmp_path)!r}), Path({str(cache)!r})) for one in {wanted}] == {first}; "
        "assert not {'torch', 'timm', 'open_clip'} & set(sys.modules), 'timm was imported'"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    (cache / "timm_models.json").write_text('{"timm": ["a", "b", 1, 2], "c": 7}')
    assert [from_settings(model, tmp_path, cache) for model in wanted] == first
    config = json.loads((folder / "config.json").read_text())
    config["model_args"]["embed_dim"] = 32
    (folder / "config.json").write_text(json.dumps(config))
    assert from_settings(wanted[1], tmp_path, cache).dimension == 32
