"""Kill an operation at every border, each time from the same beginning; and what must hold after each kill."""

import io
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from console_core.console import Console
from console_core.coverage.measure import measure
from console_core.embedding.types import Embedder
from console_core.rollout.cutover import gate
from console_core.rollout.expected import expected_signature
from console_core.runs.types import TERMINAL
from console_core.vectorstore.provenance import FIELD
from console_core.vectorstore.signature import Signature, Signing, signature_of
from console_core.vectorstore.types import Point, PointId, Vector
from tests.lifecycle.dying import act
from tests.lifecycle.forking import Forks
from tests.lifecycle.workspaces import copied, opened

TEXTS = ("a red square", "something blue", "a dark picture", "green and yellow")
RANKS = 8
CHECKED_AT_ONCE = "what the served name leads to, 8 ranks of 4 texts and 2 pictures, the signature of what it leads to"
CHECKED_AT_THE_END = (
    "that again; every collection's signature, stamp, coverage, verdict chain and gate; aliases, moves, runs with "
    "their books and results, migrations' stages, standing failures, follows, and the files of backups"
)
Action = dict[str, Any]


@dataclass
class Questions:
    """What an application asks: texts and pictures, embedded once by each model that it may search with."""

    vectors: dict[str, list[Vector]] = field(default_factory=dict)

    def of(self, console: Console, model: str) -> list[Vector]:
        if model not in self.vectors:
            embedder = console.models.get(model)
            rows = [row for row in console.catalog.rows() if row.key in ("3", "11")]
            pictures = [console.images.read(row.candidates[-1]) for row in rows]
            assert len(pictures) == 2
            self.vectors[model] = [*embedder.embed_texts(TEXTS), *_embedded(embedder, pictures)]
        return self.vectors[model]


def _embedded(embedder: Embedder, pictures: Iterable[bytes]) -> list[Vector]:
    images = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    return list(embedder.embed_images([embedder.preprocessing.exact(image) for image in images]))


@dataclass(frozen=True)
class Served:
    """What the application gets under the name that it searches: by which model, the ranked answers to every question,
    and the signature of every point behind it."""

    model: str
    answers: tuple[tuple[tuple[PointId, float], ...], ...]
    holds: Signature

    @classmethod
    def of(cls, console: Console, questions: Questions, name: str = "images") -> "Served":
        info = console.store.describe(name)
        assert info.stamp is not None
        asked = questions.of(console, info.stamp.model)
        found = [console.store.search(name, vector, limit=RANKS) for vector in asked]
        answers = tuple(tuple((hit.id, hit.score) for hit in hits) for hits in found)
        return cls(info.stamp.model, answers, contents(console, name))

    def same_as(self, other: "Served") -> bool:
        if self.model != other.model or not self.holds.same_as(other.holds):
            return False
        for mine, others in zip(self.answers, other.answers, strict=True):
            if [identifier for identifier, _ in mine] != [identifier for identifier, _ in others]:
                return False
            if any(abs(a - b) > 1e-5 for (_, a), (_, b) in zip(mine, others, strict=True)):
                return False
        return len(self.answers) == len(TEXTS) + 2


def contents(console: Console, name: str) -> Signature:
    """The signature of a collection, but for when and by which run each point was embedded."""
    signing = Signing()
    signing.add(map(_timeless, console.store.scroll(name, vectors=True)))
    return signing.signature()


def _timeless(point: Point) -> Point:
    made = {name: value for name, value in point.payload.get(FIELD, {}).items() if name not in ("run", "embedded_at")}
    return Point(point.id, point.vector, {**point.payload, FIELD: made})


@dataclass(frozen=True)
class State:
    """Everything that an operation may leave behind; what differs from run to run (ids, times) is left out."""

    collections: Mapping[str, Signature]
    told: Mapping[str, Any]

    @classmethod
    def of(cls, console: Console, *, asked_again: bool = False) -> "State":
        """`asked_again`: a person may have had to ask twice for what a kill prevented, and the moves tell both."""
        store, ledger = console.store, console.ledger
        moves = [(m.kind.value, m.alias, m.before, m.after, m.actor, m.migration) for m in console.moves.of()]
        names = [info.name for info in store.collections()]
        told: dict[str, Any] = {
            "aliases": store.aliases(),
            "stamps": {name: store.describe(name).stamp for name in names},
            "moves": _once(moves) if asked_again else moves,
            "runs": [
                (run.kind, run.state, run.counts, _result(run.result or {}), run.target.split("__proof")[0])
                for run in ledger.runs(limit=1000)
            ],
            "unfinished": [run.id for run in ledger.runs(limit=1000) if run.state not in TERMINAL],
            "coverage": {name: _coverage(console, name) for name in names},
            "chains": {name: _chain(console, name) for name in names},
            "gates": {name: gate(ledger, store, name).reasons for name in names},
            "stages": [standing.stage for standing in console.standings(console.migrations.all())],
            "failures": {
                name: sorted(one.key for one in console.failed.all(name)) for name in console.failed.collections()
            },
            "follows": sorted(
                (follow.collection, follow.model, follow.stocked, follow.alias, follow.ended_at is not None)
                for name in {*names, "images", "images__demo-clip"}
                if (follow := console.follows.of(name)) is not None
            ),
            "backups": [
                (one.state, one.points, sorted(p.name for p in one.folder.iterdir())) for one in console.backups.all()
            ],
        }
        return cls({name: contents(console, name) for name in names}, told)

    def differences(self, other: "State") -> list[str]:
        """What is not the same, by name; nothing where all is."""
        found = [
            f"{name}: {self.told[name]} and {other.told[name]}"
            for name in self.told
            if self.told[name] != other.told[name]
        ]
        if self.collections.keys() != other.collections.keys():
            return [*found, f"collections: {sorted(self.collections)} and {sorted(other.collections)}"]
        return found + [name for name, held in self.collections.items() if not held.same_as(other.collections[name])]


def _once(moves: list[Any]) -> list[Any]:
    return [move for number, move in enumerate(moves) if number == 0 or move != moves[number - 1]]


def _result(result: Mapping[str, Any]) -> dict[str, Any]:
    own = ("gap", "rounds", "signature", "signature_before", "bytes", "seconds")
    return {name: value for name, value in result.items() if name not in own}


def _coverage(console: Console, name: str) -> Any:
    steps = list(measure(console.catalog, console.store, name, console.ledger.failed_among))
    report = steps[-1].report
    assert report is not None
    return dict(report.totals), dict(report.stale), report.orphaned


def _chain(console: Console, name: str) -> bool | None:
    """Whether a collection holds what its verdict and the console's own writes since say; None without a verdict."""
    expected = expected_signature(console.ledger, console.store, name)
    return None if expected is None else expected.same_as(signature_of(console.store, name))


@dataclass(frozen=True)
class Killing:
    """An operation that is begun in `base`, a closed workspace. A command is asked for again unless `images` leads to
    `leads_to` already."""

    operation: str
    base: Path
    action: Action
    leads_to: str = ""

    def borders(self, forks: Forks, folder: Path) -> list[str]:
        """What it makes durable, in order, as one undisturbed life prints it."""
        workspace = copied(self.base, folder)
        return self.life(forks, workspace, 0)

    def life(self, forks: Forks, workspace: Path, number: int) -> list[str]:
        """One that dies right before a border, the first is 1, or with 0 right after the last; what it met."""
        life = forks.start("tests.lifecycle.dying:die_at", str(workspace), json.dumps(self.action), str(number))
        assert life.wait() == -9, life.stdout.read_text() + life.stderr.read_text()
        return life.stdout.read_text().splitlines()

    def everywhere(self, forks: Forks, folder: Path, questions: Questions, borders: list[str]) -> int:
        """Kill it before each border and after the last; the number of kills. See the assertions for what must hold."""
        with opened(self.base) as console:
            before = Served.of(console, questions)
        undisturbed = copied(self.base, folder / "undisturbed")
        with opened(undisturbed) as console:
            act(console, self.action)
            console.keeping.keep_in_step()
            after, ended = Served.of(console, questions), State.of(console)
        for number in [*range(1, len(borders) + 1), 0]:
            where = f"{self.operation}, {f'before {number}: {borders[number - 1]}' if number else 'after the last'}"
            workspace = copied(self.base, folder / "killed")
            met = self.life(forks, workspace, number)
            assert met == borders[: number or len(borders)], where
            with opened(workspace) as console:
                served = Served.of(console, questions)
                expected = after if served.model == after.model != before.model else before
                assert served.same_as(expected), f"{where}: {served} instead of {expected}"
                self._go_on(console)
                console.keeping.keep_in_step()
                assert Served.of(console, questions).same_as(after), where
                assert not (found := State.of(console, asked_again="command" in self.action).differences(ended)), (
                    f"{where}: {found}"
                )
            shutil.rmtree(workspace)
        return len(borders) + 1

    def _go_on(self, console: Console) -> None:
        run = self.action.get("run", "")
        if run and console.ledger.get(run).state not in TERMINAL:
            act(console, self.action)
        if not run and console.store.aliases().get("images") != self.leads_to:
            act(console, self.action)
