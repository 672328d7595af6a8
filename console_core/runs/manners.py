"""How a run behaves towards everybody else: its batches, its rate, its politeness, and the hours it is allowed."""

import re
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from math import isfinite
from typing import Self

from console_core.database import now
from console_core.errors import Refused

MOST_BATCH = 1024
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


class Cause(StrEnum):
    """Why a run waits."""

    HOURS = "allowed hours"
    RATE = "rate limit"
    SEARCHES = "searches"


@dataclass(frozen=True, slots=True)
class Wait:
    """What a run waits for: its cause, the sentence for people, and after how many seconds it is worth another look."""

    cause: Cause
    sentence: str
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Hours:
    """The part of every day in which a run may work, by the server's clock. It may cross midnight.

    Only the time of day is looked at, so that a night in which the clock is changed needs no rule of its own.
    """

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.opens == self.closes:
            raise Refused(
                f"Allowed hours from {self.opens:%H:%M} to {self.closes:%H:%M} leave no time to work.",
                "Choose two different times, or allow any time.",
            )

    def allow(self, at: time) -> bool:
        """Whether work may be done at a time of day: from `opens` on, until just before `closes`."""
        if self.opens < self.closes:
            return self.opens <= at < self.closes
        return at >= self.opens or at < self.closes

    def wait(self) -> Wait:
        """What a run waits for outside of them."""
        return Wait(Cause.HOURS, f"Waits until {self.opens:%H:%M}: allowed hours are {self}.")

    def __str__(self) -> str:
        return f"{self.opens:%H:%M} to {self.closes:%H:%M}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """From "22:00-06:00"; None for "any".

        Raises:
            Refused: it is neither.
        """
        if text.strip().lower() == "any":
            return None
        opens, _, closes = text.partition("-")
        found = [_CLOCK.fullmatch(part.strip()) for part in (opens, closes)]
        if found[0] is None or found[1] is None:
            raise Refused(f'"{text}" are no hours.', "Write them like 22:00-06:00, or any.")
        return cls(*(time(int(clock[1]), int(clock[2])) for clock in found if clock))


@dataclass(frozen=True, slots=True)
class Manners:
    """`batch_size` in pictures, 0: as the run was planned. `rate` in settled pictures per second, 0: no limit.

    `polite` yields to searches that are made through this console. `hours` are None where any time will do.
    """

    batch_size: int = 0
    rate: float = 0.0
    polite: bool = False
    hours: Hours | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.batch_size <= MOST_BATCH:
            raise Refused(
                f"{self.batch_size:,} is not a batch size.", f"Choose 1 to {MOST_BATCH:,} pictures, or 0: as planned."
            )
        if not (isfinite(self.rate) and self.rate >= 0):
            raise Refused(f"{self.rate} is not a rate.", "Choose a number of pictures per second, or 0: no limit.")

    def words(self) -> dict[str, str]:
        """Each of them for people."""
        return {
            "batch size": str(self.batch_size) if self.batch_size else "as planned",
            "rate": f"at most {self.rate:g}/s" if self.rate else "no limit",
            "searches": "yields to them" if self.polite else "does not yield",
            "hours": str(self.hours) if self.hours else "any",
        }


NONE = Manners()
"""No manners at all: those of a workspace in which nobody set any."""


def changed(before: Manners, after: Manners) -> str:
    """What is different, as "rate: no limit → at most 5/s"; "" where nothing is."""
    was, is_now = before.words(), after.words()
    return "; ".join(f"{name}: {was[name]} → {is_now[name]}" for name in was if was[name] != is_now[name])


def server_clock() -> datetime:
    """The present moment in the server's own time zone."""
    return now().astimezone()
