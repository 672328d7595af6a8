"""What a PostgreSQL server and its pgvector extension can do."""

import re
from dataclasses import dataclass

OLDEST_SERVER = (13,)
OLDEST_EXTENSION = (0, 7)
"""The first with half-precision vectors and an index for every distance."""
_ITERATES_SINCE = (0, 8)


@dataclass(frozen=True, slots=True)
class Versions:
    """`server` is "" until it was asked. `extension` is "" where pgvector is not installed in the database; `offered`
    says then whether the console's role could install it, None where that is not known."""

    server: str = ""
    extension: str = ""
    offered: bool | None = None

    @property
    def text(self) -> str:
        return f"{self.server} with pgvector {self.extension}" if self.extension else self.server

    @property
    def iterates(self) -> bool:
        """Whether an index search goes on until a filter has let enough points through."""
        return _numbers(self.extension) >= _ITERATES_SINCE

    @property
    def problem(self) -> tuple[str, str]:
        """Why the console cannot work with them, and what to do; empty where it can, or nothing is known yet."""
        if not self.server:
            return "", ""
        if _numbers(self.server) < OLDEST_SERVER:
            return (
                f"PostgreSQL {self.server} is too old: the console needs {OLDEST_SERVER[0]} or newer.",
                "Upgrade the server.",
            )
        if not self.extension and self.offered is False:
            return (
                "The database has no pgvector extension, and the console's role may not make it.",
                "Install pgvector on the server, and let a superuser run CREATE EXTENSION vector; in the database.",
            )
        if self.extension and _numbers(self.extension) < OLDEST_EXTENSION:
            oldest = ".".join(map(str, OLDEST_EXTENSION))
            return (
                f"pgvector {self.extension} is too old: the console needs {oldest} or newer.",
                "Upgrade pgvector on the server, and run ALTER EXTENSION vector UPDATE; in the database.",
            )
        return "", ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
