"""Asking a whole query set as a run: every column answers every question, and the answers become a snapshot."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from console_core.catalog.types import ImageRow
from console_core.database import now
from console_core.embedding.turns import background
from console_core.errors import ConsoleError, FingerprintMismatch, ModelError, Refused, StoreError
from console_core.judging.asked_columns import AskedColumn, AskedEncoder
from console_core.judging.query_sets import QuerySet, QuerySets
from console_core.judging.snapshots import ColumnAnswer, Ranked, Snapshot, Snapshots
from console_core.querylab.answering import Asked, Sampling, answered
from console_core.querylab.column_text import read
from console_core.querylab.comparison import Answer, Column, ColumnResult, Models
from console_core.querylab.encoder_standing import Standing
from console_core.querylab.question import Embedded, Question, combined
from console_core.querylab.rankings import Query
from console_core.querylab.search import fitting_model
from console_core.querylab.stored import vector_of
from console_core.runs.types import Counts, Lane, Progress
from console_core.vectorstore.types import CollectionInfo, VectorStore
from console_core.vectorstore.ways import Search

KIND = "ask"
USUAL_DEPTH = 20
MOST_DEPTH = 100
MOST_COLUMNS = 4
_AT_ONCE = 16
"""Questions between two checkpoints; their texts are embedded together."""
Rows = Callable[[Sequence[str]], Sequence[ImageRow]]
"""The pictures with these keys, as far as the catalog has them."""


@dataclass(frozen=True, slots=True)
class AskPlan:
    """Which version of which query set is asked, and the snapshot that the answers go into; stored with the run."""

    set_name: str
    set_version: int
    snapshot: str

    def as_json(self) -> dict[str, Any]:
        return {"version": 1, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "AskPlan":
        return cls(data["set_name"], data["set_version"], data["snapshot"])


def begin(
    store: VectorStore,
    snapshots: Snapshots,
    asked: QuerySet,
    columns: Sequence[str],
    *,
    depth: int,
    by: str,
    standing: Callable[[str], Standing | None],
    unchecked: bool = False,
) -> Snapshot:
    """An empty snapshot of collections or aliases, each in a way (`column_text`: images, images~exact). Where an alias
    leads is looked up now and stays, and so does how each collection's encoder stands, which `standing` says by name.

    Raises:
        Refused: no column, too many, two that ask the same, one with a threshold, one that does not say its model, no
            sensible depth; or an encoder whose newest check is red, unless it is asked `unchecked`.
        CollectionNotFound, StoreError
    """
    if not 1 <= len(columns) <= MOST_COLUMNS:
        raise Refused(f"{len(columns)} columns were named.", f"Name one to {MOST_COLUMNS} collections or aliases.")
    if not 1 <= depth <= MOST_DEPTH:
        raise Refused(f"{depth} is not a number of answers.", f"Ask for 1 to {MOST_DEPTH} answers to each question.")
    found = [(column, store.describe(column.asked)) for column in map(_read, columns)]
    for _, info in found:
        if info.stamp is None:
            raise Refused(
                f'Nothing says which model made the collection "{info.name}".',
                "Stamp it on the Collections page first.",
            )
    if len({(info.name, column.way) for column, info in found}) < len(found):
        raise Refused(
            "Two of the columns ask the same collection in the same way.",
            "Name each once, or one of them with another way, such as images~exact.",
        )
    at = now()
    stands = {name: AskedEncoder.of(standing(name), at) for name in dict.fromkeys(info.name for _, info in found)}
    faulty = {name: encoder.named for name, encoder in stands.items() if encoder.state == "red"}
    if faulty and not unchecked:
        raise Refused(
            f"The newest encoder check of {' and '.join(f'{name} is red: {said}' for name, said in faulty.items())}.",
            "What is judged may then be that fault, and no property of a model. Mend it and check again, or ask anyway "
            "(--unchecked).",
        )
    made = [AskedColumn.of(column, info, stands[info.name]) for column, info in found]
    return snapshots.begin(asked, made, depth=depth, by=by)


def _read(text: str) -> Column:
    column = read(text)
    if column.threshold is not None:
        raise Refused(
            f'The column "{text}" has a threshold: kept answers have none.',
            f"Leave {column.threshold:g} away. A collection whose name ends so is named {text}~usual.",
        )
    return column


class AskQueries:
    """Ask the questions of a set, some at a time; `done` counts questions. Nothing is written to the store.

    A column that cannot answer one question keeps the reason as its answer; the others are not touched by that. A
    column's collection is asked by its own name, and must still be what the model that is recorded here made.
    """

    kind: ClassVar[str] = KIND
    lane: ClassVar[Lane] = Lane.ACCELERATOR

    def __init__(
        self,
        plan: AskPlan,
        *,
        sets: QuerySets,
        snapshots: Snapshots,
        store: VectorStore,
        models: Models,
        rows: Rows,
        samples: Sampling | None = None,
    ) -> None:
        self._plan, self._sets, self._snapshots = plan, sets, snapshots
        self._store, self._models, self._rows, self._samples = store, models, rows, samples

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`. The checkpoint is how many questions were answered; what was answered
        behind it is answered again, unless the snapshot is complete already.

        Raises:
            ConsoleError: a column's collection is gone, was made anew, or its model cannot be loaded.
        """
        snapshot = self._snapshots.get(self._plan.snapshot)
        asked = self._sets.queries(self._sets.get(self._plan.set_name, self._plan.set_version))
        place = int(checkpoint or 0)
        counts = replace(counts, selected=len(asked))
        yield Progress(checkpoint, counts)
        while place < len(asked) and not snapshot.is_complete:
            some = asked[place : place + _AT_ONCE]
            made: dict[str, Mapping[str, Embedded | ModelError]] = {}  # one collection in two ways embeds once
            with background():
                found = [self._asked(column, some, snapshot.depth, made) for column in snapshot.columns]
            given = [_answer(one, column, results[one.id]) for column, results in enumerate(found) for one in some]
            self._snapshots.add(snapshot.id, given, self._shown([one for each in found for one in each.values()], some))
            place += len(some)
            if place < len(asked):
                counts = replace(counts, done=place)
                yield Progress(str(place), counts)
        if not snapshot.is_complete:
            snapshot = self._snapshots.seal(snapshot.id)
        result = {"snapshot": snapshot.id, "digest": snapshot.digest, "columns": len(snapshot.columns)}
        yield Progress(str(len(asked)), replace(counts, done=len(asked)), result=result)

    def _asked(
        self,
        column: AskedColumn,
        some: Sequence[Query],
        depth: int,
        made: dict[str, Mapping[str, Embedded | ModelError]],
    ) -> dict[str, ColumnResult]:
        info = self._store.describe(column.collection)
        if (info.stamp.fingerprint if info.stamp else "") != column.fingerprint:
            raise FingerprintMismatch(
                f'The collection "{column.collection}" is not what it was when this run began.',
                "Ask the query set again: that is another snapshot.",
            )
        if column.collection not in made:
            texts = [one for one in some if one.text]
            made[column.collection] = self._embedded(info, texts) if texts else {}
        vectors, way = made[column.collection], column.way
        return {one.id: self._found(info, one, vectors.get(one.id, Embedded()), depth, way) for one in some}

    def _embedded(self, info: CollectionInfo, texts: Sequence[Query]) -> dict[str, Embedded | ModelError]:
        """What the column's model makes of the words of each question, in one batch; or why it reads none."""
        try:
            vectors = fitting_model(self._models, info).embed_texts([one.text for one in texts])
        except ModelError as error:
            if self._models.cards.embeds_text(info.stamp.model if info.stamp else ""):
                raise
            return dict.fromkeys((one.id for one in texts), error)
        return {one.id: Embedded((vector,)) for one, vector in zip(texts, vectors, strict=True)}

    def _found(
        self, info: CollectionInfo, one: Query, made: Embedded | ModelError, depth: int, way: Search
    ) -> ColumnResult:
        """The answers to words, to a picture, or to both mixed as the Query lab mixes them."""
        if isinstance(made, ModelError):
            return ColumnResult(asked=info.name, error=made)
        try:
            question = Question(one.text, one.like)
            vector = combined(question, made, lambda key: vector_of(self._store, info, key))
        except ConsoleError as error:
            if isinstance(error, StoreError) and not isinstance(error, FingerprintMismatch):
                raise
            return ColumnResult(asked=info.name, error=error)
        asked = Asked(vector, depth, None, Column(info.name, way), leave_out=one.like)
        return answered(self._store, info, asked, self._samples)

    def _shown(self, results: Sequence[ColumnResult], some: Sequence[Query]) -> list[ImageRow]:
        """Every picture that was found: as the catalog has it, else by what its point says. And those that some
        questions asked with, as far as the catalog has them."""
        found = {hit.key: ImageRow(hit.key, (), hit.payload, "") for result in results for hit in result.answers}
        with suppress(ConsoleError):  # what was found counts, also where the catalog cannot be asked
            asked = [one.like for one in some if one.like]
            found |= {row.key: row for row in self._rows(list(dict.fromkeys([*found, *asked])))}
        return list(found.values())


def _answer(query: Query, column: int, result: ColumnResult) -> ColumnAnswer:
    if result.error is not None:
        return ColumnAnswer(query.id, column, error=f"{result.error.message} {result.error.remedy}")
    margin = result.margin if query.text and not query.like else None  # between pictures it is no text-image margin
    return ColumnAnswer(query.id, column, tuple(map(_ranked, result.answers)), margin=margin)


def _ranked(answer: Answer) -> Ranked:
    return Ranked(answer.key, answer.id, answer.score, answer.percentile)
