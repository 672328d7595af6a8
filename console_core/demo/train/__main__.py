"""Train a demo model from nothing, on pictures and captions of the demo's own generator.

    python -m console_core.demo.train --model demo-siglip --minutes 30 --out DIR

DIR becomes a folder that the console loads as `local-dir:DIR`: fp16 safetensors, open_clip_config.json and tokenizer.
The two packaged models were made by the experiment that became this program. Demo SigLIP saw 947,000 pairs in 32
minutes on two cores, demo CLIP 344,000; with the same data and rate they make the same kind of model, not the same
numbers. Give demo SigLIP at least twice the samples if it is to be the better one.

1. Render: `--pictures` scenes at 96 px (4 ms each), without one in twelve combinations of a thing and its colour or
   place, so that unseen combinations can be asked for afterwards.
2. Learn a tokenizer from the captions of those pictures: byte-pair merges for demo CLIP, a tokenizer.json for SigLIP.
3. Train: a new caption for each picture each time, many of them short as people type; random crops and brightness;
   AdamW with warm-up and a cosine; the contrastive softmax loss for demo CLIP, the sigmoid loss for demo SigLIP.

A CUDA device is used if there is one; OMP_NUM_THREADS=1 is quicker on busy cores. Look at benchmarks/demo_quality.py
before you replace a packaged model.
"""

import argparse
import sys
from pathlib import Path

from console_core.demo.train.architecture import RECIPES
from console_core.demo.train.dataset import render_dataset
from console_core.demo.train.loop import train


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m console_core.demo.train", description="Train a demo model.")
    parser.add_argument("--model", choices=sorted(RECIPES), required=True)
    parser.add_argument("--minutes", type=float, default=30, help="of training, without rendering")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the new model")
    parser.add_argument("--pictures", type=int, default=48_000, help="to render first")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    _say(f"Rendering {given.pictures} pictures")
    dataset = render_dataset(given.pictures)
    train(RECIPES[given.model], dataset, given.out, seconds=given.minutes * 60, seed=given.seed, report=_say)


if __name__ == "__main__":
    main()
