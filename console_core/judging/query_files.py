"""A file of questions: what it is by its name, the questions in it, and what in it is none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from console_core.judging.query_lists import decoded, from_csv, from_lines, from_log, lines_without
from console_core.judging.query_sets import distinct
from console_core.querylab.rankings import Query
from console_core.runs.wording import count


class Format(StrEnum):
    """What a file of questions is."""

    LINES = "lines"
    CSV = "csv"
    LOG = "log"


_READERS: Mapping[Format, Callable[[str], list[Query]]] = {
    Format.LINES: from_lines,
    Format.CSV: from_csv,
    Format.LOG: from_log,
}
_ENDINGS = {".csv": Format.CSV, ".tsv": Format.CSV, ".json": Format.LOG, ".jsonl": Format.LOG, ".log": Format.LOG}


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """The questions of a file in its order. `empty` lines, or rows of a table, hold none; those of a log are not told,
    because it is counted."""

    questions: Sequence[Query]
    empty: int = 0

    @property
    def text(self) -> str:
        """What of it is not asked, in a sentence or two; "" where all of it is."""
        said = repeated(self.questions)
        if self.empty:
            said = f"{said} {count(self.empty, 'line')} without a question.".strip()
        return said


def format_of(name: str) -> Format:
    """What a file is by its name: a table, a search log where it ends so, else a question on each line."""
    return _ENDINGS.get(PurePath(name).suffix.lower(), Format.LINES)


def read_questions(data: bytes, kind: Format) -> QuestionFile:
    """The questions of a file.

    Raises:
        Refused: it cannot be read as that, or one of its lines has too long a question.
    """
    told = decoded(data)
    found = _READERS[kind](told)
    return QuestionFile(found, 0 if kind is Format.LOG else lines_without(told, table=kind is Format.CSV))


def repeated(questions: Sequence[Query]) -> str:
    """How many come again, which are asked once; "" where none does."""
    again = len(questions) - len(distinct(questions))
    return f"{count(again, 'question')} {'was' if again == 1 else 'were'} there already." if again else ""
