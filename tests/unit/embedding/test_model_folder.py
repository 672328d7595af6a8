import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from console_core.embedding.folder import assembled
from console_core.embedding.loading import load
from console_core.embedding.registry import ModelCards, parse
from console_core.errors import ModelNotLoadable

from .conftest import CONFIG, DEMO

Put = Callable[[str, dict[str, bytes]], Path]
OPENAI_MEAN = [0.48145466, 0.4578275, 0.40821073]
TOKENIZER = {name: (DEMO / "demo-siglip" / name).read_bytes() for name in ("tokenizer.json", "tokenizer_config.json")}


def configuration(key: str) -> dict[str, dict[str, object]]:
    with assembled(ModelCards().get(key)) as folder:
        found: dict[str, dict[str, object]] = json.loads((folder.path / "open_clip_config.json").read_text())
    return found


@pytest.mark.alone
def test_weights_that_cannot_be_had_are_refused_at_once_and_say_what_to_put_where() -> None:
    before = time.monotonic()
    with pytest.raises(ModelNotLoadable) as caught:
        load(ModelCards().get("clip-vit-b-32-laion2b"), "cpu")
    assert time.monotonic() - before < 4
    assert "laion/CLIP-ViT-B-32-laion2B-s34B-b79K" in caught.value.message
    assert "open_clip_model.safetensors" in caught.value.remedy
    assert "local-dir:" in caught.value.remedy


def test_weights_in_the_cache_need_no_network(downloaded: Put) -> None:
    snapshot = downloaded("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", {"open_clip_pytorch_model.bin": b"weights"})
    with assembled(ModelCards().get("clip-vit-b-32-laion2b")) as folder:
        assert folder.weights == snapshot / "open_clip_pytorch_model.bin"
        assert (folder.path / "open_clip_pytorch_model.bin").read_bytes() == b"weights"
    assert not folder.path.exists()
    assert folder.weights.exists()


def test_weights_are_downloaded_when_the_hub_can_be_reached(serving: dict[str, bytes]) -> None:
    repository = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
    serving[f"{repository}/README.md"] = b"read me"
    serving[f"{repository}/open_clip_pytorch_model.bin"] = b"pickle"
    serving[f"{repository}/open_clip_model.safetensors"] = b"safe"
    with assembled(ModelCards().get("clip-vit-b-32-laion2b")) as folder:
        assert folder.weights is not None
        assert folder.weights.read_bytes() == b"safe"
        assert sorted(file.name for file in folder.weights.parent.iterdir()) == ["open_clip_model.safetensors"]


def test_a_repository_that_the_hub_does_not_have_is_not_loadable(serving: dict[str, bytes]) -> None:
    with pytest.raises(ModelNotLoadable, match="downloading failed"):
        load(ModelCards().get("clip-vit-b-32-laion2b"), "cpu")


def test_looking_downloads_nothing(serving: dict[str, bytes], lonely: Path) -> None:
    serving["laion/CLIP-ViT-B-32-laion2B-s34B-b79K/open_clip_model.safetensors"] = b"safe"
    with (
        pytest.raises(ModelNotLoadable, match="nothing is downloaded now"),
        assembled(ModelCards().get("clip-vit-b-32-laion2b"), download=False),
    ):
        pass
    assert not lonely.exists()


def test_openai_weights_get_the_activation_that_they_were_trained_with(downloaded: Put) -> None:
    downloaded("timm/vit_base_patch32_clip_224.openai", {"open_clip_model.safetensors": b""})
    downloaded("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", {"open_clip_model.safetensors": b""})
    assert configuration("clip-vit-b-32-openai")["model_cfg"]["quick_gelu"] is True
    assert not configuration("clip-vit-b-32-laion2b")["model_cfg"].get("quick_gelu")


def test_each_tag_brings_its_own_preprocessing(downloaded: Put) -> None:
    downloaded("timm/vit_large_patch14_clip_224.openai", {"open_clip_model.safetensors": b""})
    downloaded("laion/CLIP-ViT-L-14-laion2B-s32B-b82K", {"open_clip_model.safetensors": b""})
    assert configuration("clip-vit-l-14-openai")["preprocess_cfg"]["mean"] == OPENAI_MEAN
    assert configuration("clip-vit-l-14-laion2b")["preprocess_cfg"]["mean"] == [0.5, 0.5, 0.5]


def test_a_siglip_checkpoint_is_fed_like_siglip_and_not_like_openai(tmp_path: Path, downloaded: Put) -> None:
    downloaded("timm/ViT-B-16-SigLIP", TOKENIZER)
    (tmp_path / "mine.safetensors").touch()
    found = configuration(f"ViT-B-16-SigLIP/{tmp_path}/mine.safetensors")["preprocess_cfg"]
    assert (found["mean"], found["resize_mode"]) == ([0.5, 0.5, 0.5], "squash")


def test_a_checkpoint_whose_preprocessing_is_anyones_guess_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.pt").touch()
    with pytest.raises(ModelNotLoadable, match="not all fed alike") as caught:
        load(parse(f"ViT-L-14/{tmp_path}/mine.pt"), "cpu")
    assert "preprocess_cfg" in caught.value.remedy


def test_a_registered_siglip_gets_its_tokenizer_from_the_cache_with_its_own_length(downloaded: Put) -> None:
    downloaded("timm/ViT-B-16-SigLIP", TOKENIZER)
    with assembled(ModelCards().get("siglip-vit-so400m-14-webli"), random_weights=True) as folder:
        tokens = open_clip.get_tokenizer(f"local-dir:{folder.path}")(["A red car!"])
    assert tokens.shape == (1, 16)


def test_a_tokenizer_whose_kind_only_the_models_configuration_says_is_found(downloaded: Put) -> None:
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "car"]
    files = {"vocab.txt": "\n".join(vocabulary), "config.json": '{"model_type": "bert"}'}
    files["tokenizer_config.json"] = '{"do_lower_case": true}'
    downloaded("bert-base-uncased", {name: text.encode() for name, text in files.items()})
    with assembled(parse("ViT-L-14-CLIPA"), random_weights=True) as folder:
        tokens = open_clip.get_tokenizer(f"local-dir:{folder.path}")(["A red car"])
    assert tokens.shape == (1, 32)
    assert {vocabulary.index(word) for word in ("red", "car")} <= set(tokens[0].tolist())


def test_a_siglip_without_its_tokenizer_is_not_loadable(downloaded: Put) -> None:
    downloaded("timm/ViT-B-16-SigLIP", {"open_clip_model.safetensors": b""})
    with pytest.raises(ModelNotLoadable, match=r"tokenizer\.json"):
        load(ModelCards().get("siglip-vit-b-16-webli"), "cpu")


def test_an_architecture_without_weights_is_refused() -> None:
    with pytest.raises(ModelNotLoadable, match="names no weights"):
        load(parse("ViT-B-32"), "cpu")


def test_a_folder_without_weights_is_refused_and_not_random(tiny: Path) -> None:
    (tiny / "open_clip_model.safetensors").unlink()
    with pytest.raises(ModelNotLoadable, match="no weights"):
        load(parse(f"local-dir:{tiny}"), "cpu")


def test_a_folder_with_several_unknown_checkpoints_is_refused(tiny: Path) -> None:
    (tiny / "open_clip_model.safetensors").rename(tiny / "epoch_1.safetensors")
    assert load(parse(f"local-dir:{tiny}"), "cpu").card.dimension == 24
    (tiny / "epoch_2.safetensors").touch()
    with pytest.raises(ModelNotLoadable, match=r"epoch_1\.safetensors, epoch_2\.safetensors"):
        load(parse(f"local-dir:{tiny}"), "cpu")


def test_a_folder_that_names_a_tokenizer_and_has_none_is_refused(tiny: Path) -> None:
    text = {**CONFIG["model_cfg"]["text_cfg"], "hf_tokenizer_name": "someone/something"}
    (tiny / "open_clip_config.json").write_text(json.dumps({"model_cfg": {**CONFIG["model_cfg"], "text_cfg": text}}))
    with pytest.raises(ModelNotLoadable, match="has no tokenizer") as caught:
        load(parse(f"local-dir:{tiny}"), "cpu")
    assert "someone/something" in caught.value.remedy


def test_a_damaged_checkpoint_is_not_loadable(tiny: Path) -> None:
    weights = tiny / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(ModelNotLoadable, match=r"open_clip_model\.safetensors"):
        load(parse(f"local-dir:{tiny}"), "cpu")


def test_a_checkpoint_of_another_architecture_is_not_loadable(tiny: Path) -> None:
    with pytest.raises(ModelNotLoadable, match="cannot be loaded"):
        load(parse(f"RN50/{tiny}/open_clip_model.safetensors"), "cpu")


def test_a_state_dict_saved_by_torch_gives_the_same_vectors(tiny: Path) -> None:
    from safetensors.torch import load_file

    picture = Image.effect_mandelbrot((64, 48), (-2, -1, 1, 1), 30).convert("RGB")
    safe = load(parse(f"local-dir:{tiny}"), "cpu")
    torch.save(load_file(tiny / "open_clip_model.safetensors"), tiny.parent / "mine.pt")
    (tiny / "open_clip_model.safetensors").unlink()
    (tiny.parent / "mine.pt").rename(tiny / "mine.pt")
    pickled = load(parse(f"local-dir:{tiny}"), "cpu")
    np.testing.assert_array_equal(
        safe.embed_images([safe.preprocessing.exact(picture)]),
        pickled.embed_images([pickled.preprocessing.exact(picture)]),
    )


def test_a_text_tower_of_transformers_needs_no_network_for_its_configuration(tmp_path: Path, downloaded: Put) -> None:
    tower = {"model_type": "roberta", "vocab_size": 1480, "hidden_size": 16, "num_hidden_layers": 1}
    tower |= {"num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 40, "pad_token_id": 0}
    downloaded("someone/roberta", {"config.json": json.dumps(tower).encode()})
    text = {"hf_model_name": "someone/roberta", "hf_tokenizer_name": "someone/roberta", "hf_proj_type": "mlp"}
    text |= {"hf_pooler_type": "mean_pooler"}
    config = {"model_cfg": {**CONFIG["model_cfg"], "text_cfg": {**text, "context_length": 16}}}
    for name, content in {**TOKENIZER, "open_clip_config.json": json.dumps(config).encode()}.items():
        (tmp_path / name).write_bytes(content)
    embedder = load(parse(f"local-dir:{tmp_path}"), "cpu", random_weights=True)
    assert embedder.embed_texts(["a red car"]).shape == (1, 24)
