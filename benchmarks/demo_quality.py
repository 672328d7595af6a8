"""How well the two demo models search the demo gallery: P@1, P@5 and P@10 by kind of query.

    python benchmarks/demo_quality.py [--pictures 1200]

The queries are the acceptance set of console_core/demo/queries.py, and right answers are known from the generator.
The gallery is balanced (five right answers or more for each query), which is the demo's own setting and easier than a
random one. One training run stands behind each model, so the table says nothing about the two losses.
"""

import argparse
import time

import numpy as np

from console_core.demo.cards import DEMO_CARDS
from console_core.demo.gallery import FULL, select
from console_core.demo.painting.render import render
from console_core.demo.quality import OVERALL, Precision, embed, precision
from console_core.demo.queries import ACCEPTANCE
from console_core.demo.vectors import one_thread
from console_core.embedding.loading import load

SIZE = 320


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--pictures", type=int, default=FULL)
    started = time.perf_counter()
    scenes = select(arguments.parse_args().pictures)
    pictures = [render(scene, SIZE) for scene in scenes]
    print(f"{len(scenes)} pictures of {SIZE} px painted in {time.perf_counter() - started:.1f} s")

    measured: dict[str, dict[str, Precision]] = {}
    nearest: list[list[list[int]]] = []
    for card in DEMO_CARDS:
        embedder = load(card, "cpu")
        started = time.perf_counter()
        with one_thread():
            vectors = embed(embedder, [embedder.preprocessing.exact(picture) for picture in pictures])
        print(f"{card.title}: {len(vectors) / (time.perf_counter() - started):.0f} pictures/s on {embedder.device}")
        measured[card.key] = precision(embedder, vectors, scenes, ACCEPTANCE)
        texts = embedder.embed_texts([query.text for query in ACCEPTANCE])
        nearest.append(np.argsort(-(texts @ vectors.T), axis=1)[:, :10].tolist())

    clip, siglip = measured["demo-clip"], measured["demo-siglip"]
    print(f"\n{'kind':9}{'queries':>8}   {'Demo CLIP P@1/5/10':22}   Demo SigLIP P@1/5/10")
    for kind in [kind for kind in clip if kind != OVERALL] + [OVERALL]:
        one, other = clip[kind], siglip[kind]
        print(f"{kind:9}{one.queries:>8}   {_row(one):22}   {_row(other)}")
    shared = [len(set(a) & set(b)) / 10 for a, b in zip(*nearest, strict=True)]
    print(f"\nOf the first ten answers, the two models share {100 * float(np.mean(shared)):.0f} %.")
    kept = [kind for kind in clip if clip[kind].at_5 > siglip[kind].at_5]
    better = siglip[OVERALL].at_5 > clip[OVERALL].at_5
    print(f"Verdict: Demo SigLIP is {'better' if better else 'NOT better'} in P@5 over all queries;")
    print(f"Demo CLIP is better at: {', '.join(kept) or 'no kind of query'}.")


def _row(one: Precision) -> str:
    return f"{one.at_1:.2f} / {one.at_5:.2f} / {one.at_10:.2f}"


if __name__ == "__main__":
    main()
