"""A checkpoint that is code is refused and never run, whichever way it comes in."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch

from console_core.embedding.loading import load
from console_core.embedding.registry import ModelCards
from console_core.errors import ModelNotLoadable

from .conftest import DEMO

Put = Callable[[str, dict[str, bytes]], Path]
Write = Callable[[Any, Path], None]


class Bomb:
    """What a pickle can do when it is opened: here, make a folder."""

    def __init__(self, crater: Path) -> None:
        self.crater = crater

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.crater),)


def as_torch_saves_it(content: Any, file: Path) -> None:
    torch.save(content, file)


def as_old_torch_saved_it(content: Any, file: Path) -> None:
    torch.save(content, file, _use_new_zipfile_serialization=False)


def as_an_old_pickle(content: Any, file: Path) -> None:
    file.write_bytes(pickle.dumps(content, protocol=2))


def as_a_plain_pickle(content: Any, file: Path) -> None:
    file.write_bytes(pickle.dumps(content))


def test_the_bomb_of_these_tests_goes_off_where_a_pickle_is_simply_opened(tmp_path: Path, crater: Path) -> None:
    as_a_plain_pickle({"weights": Bomb(crater)}, tmp_path / "bomb")
    pickle.loads((tmp_path / "bomb").read_bytes())
    assert crater.exists()


@pytest.fixture
def crater(tmp_path: Path) -> Path:
    return tmp_path / "crater"


@pytest.fixture
def bomb(tmp_path: Path, crater: Path) -> Path:
    file = tmp_path / "bomb.bin"
    as_torch_saves_it({"visual.conv1.weight": Bomb(crater), "cls_token": torch.zeros(1, 1, 64)}, file)
    return file


def refused(key: str, crater: Path) -> str:
    with pytest.raises(ModelNotLoadable, match="Nothing of it was run") as caught:
        load(ModelCards().get(key), "cpu")
    assert "safetensors" in caught.value.remedy
    assert not crater.exists()
    return caught.value.message


def folder_of_open_clip(at: Path) -> Path:
    at.mkdir()
    for name in ("open_clip_config.json", "bpe.txt.gz"):
        shutil.copy(DEMO / "demo-clip" / name, at)
    return at


def folder_of_timm(at: Path) -> Path:
    timm.models.save_for_hf(timm.create_model("test_vit"), at, safe_serialization=True)
    (at / "model.safetensors").unlink()
    return at


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("write", [as_torch_saves_it, as_old_torch_saved_it, as_an_old_pickle, as_a_plain_pickle])
@pytest.mark.parametrize("name", ["model.bin", "model.pth", "model.pt"])
@pytest.mark.parametrize("library", [folder_of_open_clip, folder_of_timm])
def test_in_a_folder_under_any_name_and_in_any_form(
    tmp_path: Path, crater: Path, library: Callable[[Path], Path], name: str, write: Write
) -> None:
    folder = library(tmp_path / "model")
    write({"weights": Bomb(crater)}, folder / name)
    told = refused(f"local-dir:{folder}", crater)
    assert write is as_a_plain_pickle or f"{folder / name} asks for posix.mkdir" in told


@pytest.mark.parametrize("architecture", ["ViT-B-32", "timm:test_vit"])
def test_as_a_checkpoint_under_a_name(bomb: Path, crater: Path, architecture: str) -> None:
    refused(f"{architecture}/{bomb}", crater)


@pytest.mark.parametrize(
    ("key", "repository", "name"),
    [
        ("clip-vit-b-32-laion2b", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "open_clip_pytorch_model.bin"),
        ("timm:test_vit", "timm/test_vit.r160_in1k", "pytorch_model.bin"),
    ],
)
def test_in_the_cache_of_the_hub(
    bomb: Path, crater: Path, downloaded: Put, key: str, repository: str, name: str
) -> None:
    downloaded(repository, {name: bomb.read_bytes()})
    refused(key, crater)


@pytest.mark.parametrize("key", ["timm:hf-hub:someone/animals", "timm:test_vit"])
def test_downloaded_from_the_hub(bomb: Path, crater: Path, serving: dict[str, bytes], tmp_path: Path, key: str) -> None:
    folder = folder_of_timm(tmp_path / "model")
    serving["someone/animals/config.json"] = (folder / "config.json").read_bytes()
    for repository in ("someone/animals", "timm/test_vit.r160_in1k"):
        serving[f"{repository}/pytorch_model.bin"] = bomb.read_bytes()
    refused(key, crater)


@pytest.mark.parametrize("library", [folder_of_open_clip, folder_of_timm])
def test_a_pickle_that_calls_itself_safetensors_is_not_opened_as_one(
    tmp_path: Path, bomb: Path, crater: Path, library: Callable[[Path], Path]
) -> None:
    folder = library(tmp_path / "model")
    shutil.copy(bomb, folder / "model.safetensors")
    with pytest.raises(ModelNotLoadable):
        load(ModelCards().get(f"local-dir:{folder}"), "cpu")
    assert not crater.exists()


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning")
@pytest.mark.parametrize("library", [folder_of_open_clip, folder_of_timm])
def test_a_compiled_program_of_torch_is_not_run(tmp_path: Path, library: Callable[[Path], Path]) -> None:
    folder = library(tmp_path / "model")
    program: Any = torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2))  # type: ignore[no-untyped-call]
    torch.jit.save(program, folder / "model.pt")
    with pytest.raises(ModelNotLoadable, match="Nothing of it was run"):
        load(ModelCards().get(f"local-dir:{folder}"), "cpu")


@pytest.mark.parametrize("library", [folder_of_open_clip, folder_of_timm])
def test_a_file_that_is_only_damaged_is_not_called_code(tmp_path: Path, library: Callable[[Path], Path]) -> None:
    folder = library(tmp_path / "model")
    torch.save({"weights": torch.zeros(1000)}, folder / "model.bin")
    whole = (folder / "model.bin").read_bytes()
    for part in (whole[:500], b"", b"<html>not found</html>"):
        (folder / "model.bin").write_bytes(part)
        with pytest.raises(ModelNotLoadable, match="cannot be loaded from"):
            load(ModelCards().get(f"local-dir:{folder}"), "cpu")


def test_a_tokenizer_that_brings_code_is_not_run(tmp_path: Path, crater: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(DEMO / "demo-siglip", folder)
    (folder / "tokenizer_config.json").write_text(
        '{"tokenizer_class": "Mine", "auto_map": {"AutoTokenizer": ["code.Mine", null]}}'
    )
    (folder / "code.py").write_text(f"from pathlib import Path\nPath({str(crater)!r}).touch()\nclass Mine: pass\n")
    with pytest.raises(ModelNotLoadable):
        load(ModelCards().get(f"local-dir:{folder}"), "cpu")
    assert not crater.exists()
