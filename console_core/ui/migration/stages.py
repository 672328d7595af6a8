"""The stages of a migration as a person meets them: the word, what to do next, and where the stepper stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Literal

from console_core.migration.records import Stage
from console_core.ui.words import Word

Mark = Literal["done", "now", "problem", "open"]
_DONE: Mark = "done"
_OPEN: Mark = "open"
STEPS = ("Plan", "Build", "Verify", "Judge", "Cut over", "Retire")
"""A rollback is none of them: it leads back from "Cut over" to "Judge"."""
IN_PLACE = ("Plan", "Build", "Verify", "Judge", "Recreate", "Retire")

_S = Stage
WORDS: Mapping[Stage, Word] = {
    _S.BUILDING: Word("Building", "blue", ":material/progress_activity:", "Pictures are being embedded."),
    _S.STOPPED: Word("Stopped", "orange", ":material/pause:", "The build waits for you."),
    _S.BUILT: Word("Built", "blue", ":material/inventory_2:", "Built, and not verified yet."),
    _S.VERIFYING: Word("Verifying", "blue", ":material/fact_check:", "The new collection is being checked."),
    _S.REFUTED: Word("Refuted", "red", ":material/report:", "The verification found something wrong."),
    _S.READY: Word("Ready", "green", ":material/verified:", "Verified; judge it, then cut over."),
    _S.LIVE: Word("Live", "green", ":material/check_circle:", "Searches are answered by the new collection."),
    _S.ROLLED_BACK: Word("Rolled back", "orange", ":material/undo:", "It was live, and the alias was moved back."),
    _S.SUPERSEDED: Word("Superseded", "gray", ":material/history:", "The alias was moved elsewhere since."),
    _S.RETIRED: Word("Finished", "green", ":material/task_alt:", "The former collection is retired."),
    _S.CANCELLED: Word("Cancelled", "gray", ":material/block:", "It was stopped for good."),
}
NEXT: Mapping[Stage, str] = {
    _S.BUILDING: "wait for the build",
    _S.STOPPED: "resume the build",
    _S.BUILT: "verify",
    _S.VERIFYING: "wait for the verification",
    _S.REFUTED: "look at what was found",
    _S.READY: "judge, then cut over",
    _S.LIVE: "retire, once you are sure",
    _S.ROLLED_BACK: "cut over again, or leave it",
    _S.SUPERSEDED: "nothing to do",
    _S.RETIRED: "nothing to do",
    _S.CANCELLED: "start a new one",
}
_REACHED: Mapping[Stage, tuple[int, Mark]] = {
    _S.BUILDING: (1, "now"),
    _S.STOPPED: (1, "problem"),
    _S.CANCELLED: (1, "problem"),
    _S.BUILT: (2, "now"),
    _S.VERIFYING: (2, "now"),
    _S.REFUTED: (2, "problem"),
    _S.READY: (3, "now"),
    _S.ROLLED_BACK: (3, "now"),
    _S.SUPERSEDED: (3, "open"),
    _S.LIVE: (5, "open"),
    _S.RETIRED: (5, "done"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the stepper, with a short line under it."""

    title: str
    mark: Mark
    note: str = ""


def steps(stage: Stage, notes: Mapping[str, str], *, paused: bool = False, in_place: bool = False) -> list[Step]:
    """Where a migration stands, as steps; `notes` by step title."""
    place, mark = _REACHED[stage]
    mark = "now" if paused else mark
    marks: list[Mark] = [*repeat(_DONE, place), mark, *repeat(_OPEN, len(STEPS) - place - 1)]
    titles = IN_PLACE if in_place else STEPS
    return [Step(title, mark, notes.get(title, "")) for title, mark in zip(titles, marks, strict=True)]


def next_of(stage: Stage, *, in_place: bool) -> str:
    """What to do next, in a few words; `in_place` where a name has yet to pass to the new collection."""
    if in_place and stage is Stage.READY:
        return "recreate in place"
    return NEXT[stage]
