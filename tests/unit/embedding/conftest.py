import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.hub import UNREACHABLE, connect, serving_files

DEMO = Path(__file__).parents[3] / "console_core" / "demo" / "models"

CONFIG: dict[str, dict[str, Any]] = {
    "model_cfg": {
        "embed_dim": 24,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    },
    "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "resize_mode": "shortest"},
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def lonely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No model hub can be reached, and nothing was ever downloaded. The answer is the empty cache."""
    cache = tmp_path / "hub cache"
    connect(monkeypatch, UNREACHABLE, cache)
    return cache


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A folder with a genuine open_clip model of random weights, 24 dimensions and 32 pixels."""
    import open_clip
    from safetensors.torch import save_file

    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps(CONFIG))
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = open_clip.create_model(f"local-dir:{folder}")
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture
def downloaded(lonely: Path) -> Callable[[str, dict[str, bytes]], Path]:
    """Put files into the hub's cache as an earlier download would have."""

    def put(repository: str, files: dict[str, bytes]) -> Path:
        place = lonely / f"models--{repository.replace('/', '--')}"
        (place / "refs").mkdir(parents=True)
        (place / "refs" / "main").write_text("0123abc")
        snapshot = place / "snapshots" / "0123abc"
        snapshot.mkdir(parents=True)
        for name, content in files.items():
            (snapshot / name).write_bytes(content)
        return snapshot

    return put


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """A model hub on the loopback. Whatever is put into the answer, by "repository/file", can be downloaded."""
    with serving_files() as (hub, files):
        connect(monkeypatch, hub)
        yield files
