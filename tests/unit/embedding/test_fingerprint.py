import gzip
import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from console_core.embedding import fingerprint as fingerprints
from console_core.embedding.device import Placement
from console_core.embedding.loading import load
from console_core.embedding.registry import parse
from console_core.embedding.types import Fingerprint

from .conftest import DEMO


def of(folder: Path) -> Fingerprint:
    return load(parse(f"local-dir:{folder}"), "cpu").fingerprint


def changed(one: Fingerprint, other: Fingerprint) -> set[str]:
    assert one.digest != other.digest
    return {name for name, part in one.parts.items() if part != other.parts[name]}


@pytest.mark.parametrize(("name", "digest"), [("demo-clip", "e8b0f76303dc"), ("demo-siglip", "24be7263a251")])
def test_the_same_files_have_the_same_fingerprint_in_every_folder_process_and_release(
    name: str, digest: str, tmp_path: Path
) -> None:
    """The digests are written down here: collections out there are stamped with them."""
    shutil.copytree(DEMO / name, tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "README.md").write_text("does not count")
    assert of(DEMO / name).digest == digest
    assert of(tmp_path / "elsewhere").digest == digest


def test_one_changed_weight_is_another_model(tiny: Path) -> None:
    before = of(tiny)
    state = load_file(tiny / "open_clip_model.safetensors")
    state["visual.proj"][0, 0] += 1e-3
    save_file(state, tiny / "open_clip_model.safetensors")
    assert changed(before, of(tiny)) == {"weights"}


@pytest.mark.parametrize("name", ["mean", "std"])
def test_another_normalisation_of_pictures_is_another_model(tiny: Path, name: str) -> None:
    before, file = of(tiny), tiny / "open_clip_config.json"
    config = json.loads(file.read_text())
    config["preprocess_cfg"][name] = [0.5, 0.5, 0.4]
    file.write_text(json.dumps(config))
    assert changed(before, of(tiny)) == {"preprocessing"}


def test_another_order_in_the_configuration_is_the_same_model(tiny: Path) -> None:
    before, file = of(tiny), tiny / "open_clip_config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps(dict(reversed(config.items())), indent=3))
    assert of(tiny).digest == before.digest


@pytest.mark.parametrize(("model", "file"), [("demo-clip", "bpe.txt.gz"), ("demo-siglip", "tokenizer.json")])
def test_another_tokenizer_is_another_model(tmp_path: Path, model: str, file: str) -> None:
    shutil.copytree(DEMO / model, tmp_path / "copy")
    target = tmp_path / "copy" / file
    if target.suffix == ".gz":
        lines = gzip.decompress(target.read_bytes()).decode().splitlines()
        lines[3], lines[4] = lines[4], lines[3]
        target.write_bytes(gzip.compress("\n".join(lines).encode()))
    else:
        target.write_text(target.read_text() + "\n")
    assert changed(of(DEMO / model), of(tmp_path / "copy")) == {"tokenizer"}


def test_another_context_length_is_another_tokenizer(tmp_path: Path) -> None:
    shutil.copytree(DEMO / "demo-siglip", tmp_path / "copy")
    file = tmp_path / "copy" / "open_clip_config.json"
    config = json.loads(file.read_text())
    config["model_cfg"]["text_cfg"]["tokenizer_kwargs"]["clean"] = "lower"
    file.write_text(json.dumps(config))
    assert changed(of(DEMO / "demo-siglip"), of(tmp_path / "copy")) == {"tokenizer"}


def test_float16_and_float32_weights_share_it_because_their_vectors_may_meet(tiny: Path) -> None:
    card = parse(f"local-dir:{tiny}")
    half = load(card, Placement("cpu", "float16", 16)).fingerprint
    assert half == of(tiny)


def test_random_weights_say_so_and_are_never_the_same(tiny: Path) -> None:
    card = parse(f"local-dir:{tiny}")
    first, second = (load(card, "cpu", random_weights=True).fingerprint for _ in range(2))
    assert first.parts["weights"].startswith("random ")
    assert changed(first, second) == {"weights"}


def test_a_file_is_read_again_only_when_its_size_or_time_changed(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"one")
    first, time = fingerprints.file_digest(file), file.stat().st_mtime_ns
    file.write_bytes(b"two")
    os.utime(file, ns=(time, time))
    assert fingerprints.file_digest(file) == first
    os.utime(file, ns=(time, time + 1))
    assert fingerprints.file_digest(file) != first


def test_every_parameter_counts(tiny: Path) -> None:
    model = torch.nn.Linear(2, 2)
    before = fingerprints.state_digest(model)
    with torch.no_grad():
        model.bias[1] += 1
    assert fingerprints.state_digest(model) != before
