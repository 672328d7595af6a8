"""The training itself, from a dataset to a folder that open_clip loads."""

import json
import math
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from open_clip.loss import ClipLoss, SigLipLoss
from open_clip.model import CLIP, CustomTextCLIP
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from console_core.demo.train.architecture import PREPROCESSING, Recipe
from console_core.demo.train.dataset import FILLERS, REQUESTS, SIDE, Dataset, typed
from console_core.demo.train.tokenizer import write_merges, write_tokenizer

_WARM_UP = 150
"""Steps until the full learning rate."""
_SMALLEST_CROP = 86
_CAPTIONS_FOR_TOKENIZER = 3
_REPORT_EVERY = 20


def train(
    recipe: Recipe, dataset: Dataset, out: Path, *, seconds: float, seed: int, report: Callable[[str], None]
) -> list[float]:
    """Train for that long and write the model's folder; returns the loss of every step."""
    torch.manual_seed(seed)
    rng, chance = random.Random(seed), np.random.default_rng(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    out.mkdir(parents=True, exist_ok=True)
    tokenize, configuration = _prepare_folder(recipe, dataset, out, rng)
    arguments = {key: value for key, value in configuration.items() if key != "custom_text"}
    family = CustomTextCLIP if recipe.loss == "sigmoid" else CLIP
    model = family(**arguments).to(device, memory_format=torch.channels_last).train()
    loss_of = SigLipLoss() if recipe.loss == "sigmoid" else ClipLoss()
    optimizer = _optimizer(model, recipe.learning_rate)

    losses: list[float] = []
    order = np.empty(0, np.int64)
    started = time.monotonic()
    while (passed := time.monotonic() - started) < seconds:
        _set_rate(optimizer, recipe.learning_rate, len(losses), passed / seconds)
        if len(order) < recipe.batch:
            order = np.concatenate([order, chance.permutation(len(dataset.scenes))])
        chosen, order = order[: recipe.batch], order[recipe.batch :]
        pictures = _augment(dataset.pictures[chosen], recipe.image_size, chance).to(device)
        texts = tokenize([typed(dataset.scenes[i], rng) for i in chosen]).to(device)
        with torch.autocast(device.type, torch.bfloat16):
            images, words = model.encode_image(pictures, normalize=True), model.encode_text(texts, normalize=True)
        bias = (model.logit_bias,) if recipe.loss == "sigmoid" else ()
        loss = loss_of(images.float(), words.float(), model.logit_scale.exp(), *bias)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        losses.append(loss.item())
        if len(losses) % _REPORT_EVERY == 0:
            found = ((images @ words.T).argmax(0) == torch.arange(len(images), device=device)).float().mean().item()
            recent = sum(losses[-_REPORT_EVERY:]) / _REPORT_EVERY
            seen = len(losses) * recipe.batch
            report(
                f"step {len(losses)}  {passed:.0f} s  {seen} pairs  loss {recent:.3f}  found in the batch {found:.2f}"
            )
    weights = out / "open_clip_model.safetensors"
    save_file({name: _half(value) for name, value in model.state_dict().items()}, str(weights))
    report(f"{out}: {len(losses)} steps, {weights.stat().st_size / 1e6:.1f} MB")
    return losses


def _prepare_folder(
    recipe: Recipe, dataset: Dataset, out: Path, rng: random.Random
) -> tuple[Callable[[list[str]], Tensor], dict[str, Any]]:
    """Write tokenizer and configuration; returns the tokenizer as it will be loaded, and the model's configuration."""
    corpus = [typed(scene, rng) for scene in dataset.scenes for _ in range(_CAPTIONS_FOR_TOKENIZER)]
    corpus += [" ".join((*REQUESTS, *FILLERS))] * 50
    extra = {}
    if recipe.loss == "sigmoid":
        write_tokenizer(corpus, out)
    else:
        write_merges(corpus, out)
        extra["bpe_path"] = str(out.resolve() / "bpe.txt.gz")
    _write_configuration(out, recipe.configuration(vocabulary=0))
    tokenizer = open_clip.get_tokenizer(f"local-dir:{out.resolve()}", **extra)
    size = len(tokenizer.tokenizer) if recipe.loss == "sigmoid" else tokenizer.vocab_size
    configuration = recipe.configuration(size)
    _write_configuration(out, configuration)
    return tokenizer, configuration


def _write_configuration(out: Path, model: dict[str, Any]) -> None:
    whole = {"model_cfg": model, "preprocess_cfg": dict(PREPROCESSING)}
    (out / "open_clip_config.json").write_text(json.dumps(whole, indent=1), encoding="utf-8")


def _optimizer(model: torch.nn.Module, rate: float) -> torch.optim.AdamW:
    """AdamW that decays matrices, and neither tables nor scales."""
    tables = ("logit", "positional", "token_embedding")
    decayed: list[torch.nn.Parameter] = []
    kept: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        (kept if parameter.ndim < 2 or any(word in name for word in tables) else decayed).append(parameter)
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": kept, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), eps=1e-6)


def _set_rate(optimizer: torch.optim.AdamW, rate: float, step: int, part: float) -> None:
    """Warm up, then follow a cosine over the whole time down to one per cent."""
    for group in optimizer.param_groups:
        group["lr"] = rate * min(1.0, (step + 1) / _WARM_UP) * (0.5 * (1 + math.cos(math.pi * part)) * 0.99 + 0.01)


def _augment(pictures: np.ndarray, size: int, chance: np.random.Generator) -> Tensor:
    """A common random crop, shrunk to the model's size, and each picture a little brighter or darker."""
    crop = int(chance.integers(_SMALLEST_CROP, SIDE + 1))
    top, left = (int(offset) for offset in chance.integers(0, SIDE + 1 - crop, 2))
    batch = torch.from_numpy(pictures[:, top : top + crop, left : left + crop].transpose(0, 3, 1, 2).copy())
    scaled = functional.interpolate(
        batch.float() / 255, size=(size, size), mode="bilinear", antialias=True, align_corners=False
    )
    gain, offset = torch.rand(len(scaled), 1, 1, 1) * 0.24 + 0.88, torch.rand(len(scaled), 1, 1, 1) * 0.1 - 0.05
    return (((scaled * gain + offset).clamp(0, 1) - 0.5) / 0.5).contiguous(memory_format=torch.channels_last)


def _half(value: Tensor) -> Tensor:
    value = value.detach().cpu()
    return (value.half() if value.is_floating_point() else value).contiguous()
