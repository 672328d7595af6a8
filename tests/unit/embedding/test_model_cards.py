import subprocess
import sys
from pathlib import Path

import open_clip
import pytest

from console_core.embedding.cards import CARDS
from console_core.embedding.registry import ModelCards, from_settings, parse
from console_core.embedding.types import ModelCard
from console_core.errors import ModelNotLoadable, ModelUnknown, SettingsError
from console_core.settings import ModelSettings

by_key = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.key)
of_open_clip = pytest.mark.parametrize(
    "card", [card for card in CARDS if card.library == "open_clip"], ids=lambda card: card.key
)


@of_open_clip
def test_a_card_says_what_open_clip_itself_says(card: ModelCard) -> None:
    configuration = open_clip.get_model_config(card.architecture)
    assert card.dimension == configuration["embed_dim"]
    assert card.image_size == configuration["vision_cfg"]["image_size"]
    assert card.weights in open_clip.list_pretrained_tags_by_model(card.architecture)


@by_key
def test_a_key_can_stand_in_a_url_as_it_is(card: ModelCard) -> None:
    assert card.key == card.key.lower()
    assert card.key.replace("-", "").isalnum()


def test_the_models_of_the_field_are_there() -> None:
    known = {(card.architecture, card.weights): card.dimension for card in CARDS}
    assert known["ViT-B-32", "openai"] == 512
    assert known["ViT-B-16", "laion2b_s34b_b88k"] == 512
    assert known["ViT-L-14", "laion2b_s32b_b82k"] == 768
    assert known["ViT-B-16-SigLIP", "webli"] == 768
    assert known["ViT-L-16-SigLIP-384", "webli"] == 1024
    assert known["timm:hf-hub:BVRA/MegaDescriptor-L-384", ""] == 1536
    assert {"clip-vit-b-32-openai", "siglip-vit-b-16-webli", "megadescriptor-l-384"} <= {card.key for card in CARDS}


def test_reading_cards_and_folders_never_imports_torch(tiny: Path) -> None:
    program = (
        "import sys; from console_core.embedding.registry import ModelCards; "
        f"cards = ModelCards(); cards.get('clip-vit-b-32-openai'), cards.get('local-dir:{tiny}'); "
        "cards.get('timm:hf-hub:BVRA/MegaDescriptor-L-384'); "
        "assert not {'torch', 'open_clip', 'timm'} & set(sys.modules), 'torch was imported'"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_unknown_key_names_the_similar_ones() -> None:
    with pytest.raises(ModelUnknown) as caught:
        ModelCards().get("clip-vit-b-32-opnai")
    assert "clip-vit-b-32-openai" in caught.value.remedy


def test_two_cards_cannot_share_a_key() -> None:
    with pytest.raises(SettingsError, match="clip-vit-b-32-openai"):
        ModelCards((*CARDS, CARDS[0]))


def test_a_pair_of_open_clip_is_a_model_without_being_a_card() -> None:
    card = ModelCards().get("ViT-B-32/laion400m_e32")
    assert (card.architecture, card.weights, card.dimension, card.builtin) == ("ViT-B-32", "laion400m_e32", 512, False)
    assert ModelCards().get(card.key) == card


def test_a_pair_that_has_a_card_is_that_card() -> None:
    assert ModelCards().get("ViT-L-14/laion2b_s32b_b82k").key == "clip-vit-l-14-laion2b"
    assert ModelCards().get("ViT-L/14/laion2b_s32b_b82k").key == "clip-vit-l-14-laion2b"


def test_a_pair_that_does_not_exist_is_refused_with_the_tags_that_do() -> None:
    with pytest.raises(ModelUnknown) as caught:
        parse("ViT-L-14/laion2b_s34b_b79k")
    assert "ViT-L-14" in caught.value.message
    assert "laion2b_s34b_b79k" in caught.value.message
    assert "laion2b_s32b_b82k" in caught.value.remedy


def test_an_architecture_that_does_not_exist_is_refused_with_similar_names() -> None:
    with pytest.raises(ModelUnknown) as caught:
        parse("ViT-L14/openai")
    assert "ViT-L-14" in caught.value.remedy


def test_a_folder_says_its_own_dimension_and_size(tiny: Path) -> None:
    card = ModelCards().get(f"local-dir:{tiny}")
    assert (card.dimension, card.image_size, card.title, card.is_local) == (24, 32, "tiny", True)
    assert ModelCards().get(card.key) == card


def test_a_folder_in_the_settings_is_relative_to_the_workspace(tiny: Path) -> None:
    card = from_settings(ModelSettings("mine", "local-dir:tiny", title="My model"), tiny.parent)
    assert (card.key, card.title, card.dimension) == ("mine", "My model", 24)
    assert card.architecture == f"local-dir:{tiny}"


def test_a_folder_that_is_missing_is_not_loadable(tmp_path: Path) -> None:
    with pytest.raises(ModelNotLoadable, match="is not there"):
        from_settings(ModelSettings("mine", "local-dir:nowhere"), tmp_path)


def test_a_folder_without_a_configuration_says_which_file_to_put_there(tmp_path: Path) -> None:
    with pytest.raises(ModelNotLoadable, match=r"has no open_clip_config\.json"):
        from_settings(ModelSettings("mine", f"local-dir:{tmp_path}"))


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"model_cfg": {"vision_cfg": {}, "text_cfg": {}}}'])
def test_a_folder_with_a_broken_configuration_is_not_loadable(tmp_path: Path, text: str) -> None:
    (tmp_path / "open_clip_config.json").write_text(text)
    with pytest.raises(ModelNotLoadable):
        parse(f"local-dir:{tmp_path}")


def test_an_architecture_with_a_checkpoint_is_a_model(tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").touch()
    card = from_settings(ModelSettings("mine", "ViT-B-16-SigLIP", "mine.safetensors"), tmp_path)
    assert (card.weights, card.dimension, card.family) == (str(tmp_path / "mine.safetensors"), 768, "SigLIP")
    assert ModelCards().get(f"ViT-B-16-SigLIP/{card.weights}").weights == card.weights


def test_a_checkpoint_that_is_missing_is_not_loadable(tmp_path: Path) -> None:
    with pytest.raises(ModelNotLoadable, match=r"mine\.pt"):
        from_settings(ModelSettings("mine", "ViT-B-32", "mine.pt"), tmp_path)


def test_settings_that_contradict_the_model_are_refused(tiny: Path) -> None:
    with pytest.raises(SettingsError, match=r"dimension = 512, but .* has 24"):
        from_settings(ModelSettings("mine", f"local-dir:{tiny}", dimension=512))


def test_a_template_is_the_models_own_and_has_one_place_for_the_text(tiny: Path) -> None:
    card = from_settings(ModelSettings("mine", f"local-dir:{tiny}", template="a photo of {}"))
    assert card.worded("a {red} car") == "a photo of a {red} car"
    assert ModelCards().get("clip-vit-b-32-openai").worded("a car") == "a car"
    for wrong in ("a photo", "{} and {}"):
        with pytest.raises(SettingsError, match=r"not exactly once") as caught:
            from_settings(ModelSettings("mine", f"local-dir:{tiny}", template=wrong))
        assert "a photo of {}" in caught.value.remedy


def test_whether_a_model_embeds_text_is_told_without_loading_it(tiny: Path, tmp_path: Path) -> None:
    cards = ModelCards()
    assert cards.embeds_text("clip-vit-b-32-openai")
    assert cards.embeds_text(f"local-dir:{tiny}")
    assert not cards.embeds_text("megadescriptor-l-384")
    assert not cards.embeds_text("timm:resnet18")
    (tmp_path / "config.json").write_text('{"architecture": "test_vit"}')
    assert not cards.embeds_text(f"local-dir:{tmp_path}")
