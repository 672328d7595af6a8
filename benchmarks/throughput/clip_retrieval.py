"""clip-retrieval itself: its own program, in an environment of its own, over the same files and with random weights.

Its reader, its mapper and its writer are measured, from the first file to the last vector: neither the start of the
program nor loading and warming up the model. Vectors stay in its memory until its end, so that it writes to no store.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import open_clip
import torch

from console_core.embedding.files import LOCAL
from console_core.embedding.folder import assembled
from console_core.embedding.types import Embedder
from console_core.vectorstore.types import VectorStore

PATIENCE = 300
"""Seconds for the installation, and for each measurement."""
PACKAGES = ("clip-retrieval", "setuptools<70")
"""Its clip imports pkg_resources.packaging, which later ones lack, without saying so."""
NO_NETWORK = {"HF_HUB_OFFLINE": "1", "WANDB_MODE": "disabled"}
"""Models whose tokenizer only a hub has, such as SigLIP, end with that reason at once."""

ERROR = re.compile(r"^[\w.]*Error: .+", re.MULTILINE)


class NotMeasured(Exception):
    """Why clip-retrieval could not be measured."""


class ClipRetrieval:
    """A peer. It computes in its own precision: float32 on a processor, half of it on a card.

    It is installed into an environment in the folder `into` when it is first measured.
    """

    def __init__(self, into: Path, model: Embedder, workers: int) -> None:
        self._into, self._model, self._workers = into, model, workers
        self._program = into / "bin" / "clip-retrieval"

    def measured(self, paths: Sequence[str], *, store: VectorStore) -> float:
        """Pictures a second.

        Raises:
            NotMeasured: the program does not install, fails, or takes longer than PATIENCE.
        """
        self._install()
        with tempfile.TemporaryDirectory(prefix="clip-retrieval-") as name:
            folder = Path(name)
            pictures, weights, output = folder / "pictures", folder / "weights.pt", folder / "output"
            pictures.mkdir()
            for place, path in enumerate(paths):
                (pictures / f"{place:06}{Path(path).suffix}").symlink_to(Path(path).absolute())
            self._save(weights)
            options = {
                "input_dataset": pictures,
                "output_folder": output,
                "batch_size": 64,
                "num_prepro_workers": self._workers,
                "enable_text": False,
                "clip_model": f"open_clip:{self._model.card.architecture}/{weights}",
            }
            more = (
                dict(NO_NETWORK)
                if self._model.device.startswith("cuda")
                else {**NO_NETWORK, "CUDA_VISIBLE_DEVICES": ""}
            )
            command = [
                str(self._into / "bin" / "clip-retrieval"),
                "inference",
                *(f"--{key}={value}" for key, value in options.items()),
            ]
            _said_by("it fails", command, {**os.environ, **more})
            return _rate(output / "stats", len(paths))

    def _install(self) -> None:
        if self._program.exists():
            return
        uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
        python = str(self._into / "bin" / "python")
        _said_by(
            "it does not install",
            [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(self._into)],
        )
        _said_by("it does not install", [uv, "pip", "install", "--quiet", "--python", python, *PACKAGES])

    def _save(self, file: Path) -> None:
        """Weights as random as ours: the program reads them from a file instead of a hub."""
        with assembled(self._model.card, random_weights=True) as folder:
            model = open_clip.create_model(f"{LOCAL}{folder.path}", pretrained_text=False)
        torch.save(model.state_dict(), file)


def _rate(stats: Path, number: int) -> float:
    """From what the program notes of its tasks: seconds from asking for a batch until it is written, added up, and
    pictures."""
    found = [json.loads(file.read_text("utf-8")) for file in stats.glob("*.json")]
    embedded = sum(one["sample_count"] for one in found)
    if embedded != number:
        raise NotMeasured(f"it embedded {embedded} of {number} pictures")
    seconds: float = sum(one["total_duration"] for one in found)
    return number / seconds


def _said_by(trouble: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run a command to its end.

    Raises:
        NotMeasured: with the first error that it named, which is the cause of others, or the last line of what it said.
    """
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE, env=environment)
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", b"") or str(error).encode()).decode(errors="replace").strip()
        named = ERROR.search(said)
        raise NotMeasured(f"{trouble}: {(named.group() if named else said.splitlines()[-1])[:200]}") from error
