"""An evaluation over answers that were made up, with real pictures on the disk, and without a store or a model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from console_core.catalog.local_files import LocalFiles
from console_core.catalog.thumbnails import Thumbnails
from console_core.catalog.types import ImageRow
from console_core.database import Database
from console_core.judging.asked_columns import AskedColumn, AskedEncoder
from console_core.judging.judgements import Evaluation, Given, Way
from console_core.judging.protocol import Protocol
from console_core.judging.query_sets import query
from console_core.judging.records import LabRecords
from console_core.judging.snapshots import ColumnAnswer, Ranked
from console_core.querylab.rankings import Query
from console_core.vectorstore.ways import Search

HOSTILE = "</style><script>alert(1)</script>\"'<img src=http://evil.example/x onerror=alert(1)>"
DEPTH = 5
KEYS = [*(f"picture {number}.jpg" for number in range(30)), "=1+1", "'quoted", HOSTILE, '100%, "ok"\nnext line']
"""Catalog keys, awkward ones among them: with spaces, quotes, per cent, a line's end, a formula."""
MODELS = ("demo-clip", "demo-siglip", "demo-third")


@dataclass(frozen=True)
class Judged:
    """A workspace's records with one evaluation in it."""

    lab: LabRecords
    evaluation: Evaluation
    thumbnails: Thumbnails

    def grade(self, rule: Callable[[str, str], int | None], judge: str = "olga") -> None:
        """A judge's grades of what is judged, by query and key; None is no grade."""
        given = [
            Given(query, key, judge, grade)
            for query, pool in self.lab.desk(self.evaluation).pools.items()
            for key in pool
            if (grade := rule(query, key)) is not None
        ]
        self.lab.judgements.judge_all(self.evaluation, given)

    def reveal(self) -> "Judged":
        told = self.lab.judgements.reveal(self.evaluation.id, by="olga")
        return Judged(self.lab, told, self.thumbnails)


def column_of(place: int, **more: Any) -> AskedColumn:
    """A column of one of the models."""
    name = f"images__{MODELS[place]}"
    return AskedColumn(name, name, MODELS[place], f"fp{place:030}", 128, 48, **more)


def twinned(*encoders: AskedEncoder | None) -> list[AskedColumn]:
    """Two collections, each as usual and exactly, and how their encoders stood."""
    return [
        column_of(place, way=way, encoder=encoder)
        for way in (Search.USUAL, Search.EXACT)
        for place, encoder in enumerate(encoders)
    ]


def judged(
    database: Database,
    folder: Path,
    *,
    size: int = 24,
    columns: int = 2,
    way: Way = "grades",
    protocol: Protocol | None = None,
    keys: Sequence[str] = KEYS,
    depth: int = DEPTH,
    failing: bool = False,
    asked_of: Sequence[AskedColumn] = (),
) -> Judged:
    """An evaluation of so many columns, or of those of `asked_of`; the last question is answered alike by all, and a
    tenth of the pictures is missing. `failing`: the last column could not answer the first question."""
    lab = LabRecords(database)
    asked = [
        query(f"question {number}", tags=("odd",) if number % 2 else ("even", "all")) for number in range(size - 2)
    ]
    asked += [query(HOSTILE, tags=(HOSTILE,)), query("the same for all")]
    kept = lab.query_sets.save("usual", asked, origin="a test", by="olga")
    names = list(asked_of) or [column_of(place) for place in range(columns)]
    columns = len(names)
    begun = lab.snapshots.begin(kept, names, depth=depth, by="olga")
    lab.snapshots.add(begun.id, _answers(asked, columns, keys, depth), _pictures(folder, keys))
    if failing:
        lab.snapshots.add(begun.id, [ColumnAnswer(asked[0].id, columns - 1, error="It was down.")], [])
    snapshot = lab.snapshots.seal(begun.id)
    locked = protocol or Protocol(k=depth, margin=0.1, seed=7)
    made = lab.judgements.begin(snapshot.id, range(columns), locked, way=way, by="olga")
    images = LocalFiles((folder / "images",))
    return Judged(lab, lab.judgements.get(made), Thumbnails(folder / "cache", images))


def _answers(asked: Sequence[Query], columns: int, keys: Sequence[str], depth: int) -> list[ColumnAnswer]:
    chance = np.random.default_rng(3)
    found = []
    for one in asked:
        orders = [chance.permutation(len(keys))[:depth] for _ in range(columns)]
        if one is asked[-1]:
            orders = [orders[0]] * columns
        for place, order in enumerate(orders):
            ranked = tuple(Ranked(keys[number], int(number), 0.5 - rank / 100) for rank, number in enumerate(order))
            found.append(ColumnAnswer(one.id, place, ranked))
    return found


def _pictures(folder: Path, keys: Sequence[str]) -> list[ImageRow]:
    (folder / "images").mkdir(parents=True)
    colours = np.random.default_rng(5).integers(0, 255, size=(len(keys), 8, 8, 3), dtype=np.uint8)
    for number, colour in enumerate(colours):
        if number % 10 != 9:
            picture = Image.fromarray(colour).resize((160, 120), Image.Resampling.BILINEAR)
            picture.save(folder / "images" / f"{number}.jpg", quality=90)
    return [ImageRow(key, (f"{number}.jpg",), {}, "1") for number, key in enumerate(keys)]
