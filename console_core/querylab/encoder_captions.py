"""Whether a model's texts find the pictures that they describe, against chance."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from console_core.embedding.types import Vectors
from console_core.querylab.encoder_report import Alternative, Captions, Recall

FIELDS = ("caption", "description", "alt_text", "alt", "title")
"""Payload fields that are taken for captions, the first that is there."""
ENOUGH = 20
"""Different captions from which chance can be told from a model: even one that finds half of them is far from it."""
PERMUTATIONS = 9_999
DEPTHS = (1, 5, 10)


def caption_field(payloads: Sequence[Mapping[str, Any]]) -> str:
    """The field that has the pictures' captions: the first of FIELDS with a text in at least half of them, or ""."""
    for name in FIELDS:
        if payloads and 2 * sum(bool(caption_of(one, name)) for one in payloads) >= len(payloads):
            return name
    return ""


def caption_of(payload: Mapping[str, Any], field: str) -> str:
    """A picture's caption, without spaces around it; "" where it has none."""
    told = payload.get(field)
    return told.strip() if isinstance(told, str) else ""


def agreement(field: str, texts: Vectors, pictures: Vectors, seed: int) -> Captions:
    """Texts beside pictures, row by row; all of shape (n, dimension), with n > 0.

    A text's rank is that of its own picture among all n by cosine, ties counted against it. How likely a mean rank as
    low is by chance is found by giving the texts to the pictures in `PERMUTATIONS` random orders: exact whatever the
    pictures, also few of them, and never 0 (Phipson and Smyth, "Permutation p-values should never be zero", 2010).
    """
    number = len(texts)
    scores = texts @ pictures.T
    order = np.sort(-scores, axis=1)
    ranks = np.stack([np.searchsorted(row, -own, side="right") for row, own in zip(order, scores, strict=True)])
    own = np.diag(ranks)
    generator = np.random.default_rng(seed)
    orders = generator.permuted(np.tile(np.arange(number), (PERMUTATIONS, 1)), axis=1)
    by_chance = ranks[np.arange(number), orders].sum(axis=1)
    p = (1 + int((by_chance <= own.sum()).sum())) / (1 + PERMUTATIONS)
    return Captions(
        field=field,
        texts=number,
        median_rank=float(statistics.median(own.tolist())),
        chance_rank=(number + 1) / 2,
        recall=tuple(_recall(own.tolist(), k, number) for k in DEPTHS if k < number),
        p=p,
    )


def alternative(own: tuple[Vectors, Vectors], other: tuple[Vectors, Vectors], seed: int) -> Alternative:
    """Texts and their pictures, row by row, as the model embeds them and as it would otherwise.

    Trained weights fit the activation that they were trained with best, so that a gain by another one says that the
    model was loaded wrongly. How likely such a gain is by chance is found by giving the pairs' differences random signs
    (Fisher's randomisation of pairs), never 0.
    """
    gains = _standing(*other) - _standing(*own)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(PERMUTATIONS, len(gains)))
    p = (1 + int((signs @ gains >= gains.sum() - 1e-9).sum())) / (1 + PERMUTATIONS)
    return Alternative(len(gains), float(gains.mean()), p)


def _standing(texts: Vectors, pictures: Vectors) -> NDArray[np.float64]:
    """By how many standard deviations of a text's cosines its own picture stands above their mean."""
    scores = (texts @ pictures.T).astype(np.float64)
    spread: NDArray[np.float64] = (np.diag(scores) - scores.mean(axis=1)) / np.maximum(scores.std(axis=1), 1e-12)
    return spread


def _recall(ranks: Sequence[int], k: int, number: int) -> Recall:
    found = sum(rank <= k for rank in ranks)
    return Recall(k, found, found / number, k / number)
