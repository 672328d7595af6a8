"""What of the grades of an evaluation was not given in the console, but came in files. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console_core.judging.spoken import Judgement
from console_core.runs.wording import count


@dataclass(frozen=True, slots=True)
class Imported:
    """So many `grades` of `all` that count came in `files`, brought by `actors`. `early` of them were given before the
    protocol was locked, by the files' own times; nobody knows it of those without a time."""

    grades: int
    all: int
    files: tuple[str, ...]
    actors: tuple[str, ...]
    early: int

    @property
    def text(self) -> str:
        """All of it in a sentence."""
        if not self.grades:
            return "All of them were given in the console."
        by = f", imported by {', '.join(self.actors)}" if self.actors else ""
        said = f"{self.grades:,} of {count(self.all, 'grade')} came in files ({', '.join(self.files)}{by})."
        return f"{said} {self.warning}".strip()

    @property
    def warning(self) -> str:
        """What whoever reads the verdict has to know; "" where that is nothing."""
        if not self.early:
            return ""
        return (
            f"{self.early:,} of {count(self.grades, 'imported grade')} "
            f"{'was' if self.early == 1 else 'were'} given before this protocol was locked."
        )


def imported(given: Sequence[Judgement], locked_at: datetime) -> Imported:
    """Where these grades come from, under a protocol that was locked then."""
    found = [one for one in given if one.origin]
    early = sum(one.made_at is not None and one.made_at < locked_at for one in found)
    files, actors = ({one.origin for one in found}, {one.actor for one in found if one.actor})
    return Imported(len(found), len(given), tuple(sorted(files)), tuple(sorted(actors)), early)
