"""What a migration shall do, frozen before it starts and stored with its runs."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from console_core.catalog.types import EVERYTHING, Slice
from console_core.embedding.preprocessing import Mode
from console_core.errors import Refused
from console_core.runs.types import Run
from console_core.vectorstore.naming import as_name
from console_core.vectorstore.types import REQUEST

VERSION = 1
USUAL_BATCH = REQUEST
"""Pictures that are written, and recorded in the ledger, at a time: as many points as one request to a store has."""

MOST_AT_ONCE = 10_000
"""Pictures of a batch at most: what is written at a time is held in memory."""


def refuse_batch(size: int) -> None:
    """Raises Refused where no batch can have that many pictures."""
    if not 1 <= size <= MOST_AT_ONCE:
        raise Refused(
            f"A batch cannot have {size:,} pictures.", f"Choose 1 to {MOST_AT_ONCE:,}; {USUAL_BATCH} is usual."
        )


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """Build `target` with `model` from the catalog's slice `part`, beside `source`, which `alias` serves now.

    `alias` is "" where the source is searched by its own name. Such a plan is `in_place`: its target is not cut over
    to, but takes the source's name over.
    `fingerprint` is that of the model as it was loaded when the plan was made: a run whose model has another one
    stops before its first write. `index` and `quantization` are the target's settings as plain data.
    `mode` is how pictures are decoded and resized. `fills` says that the target exists already and only what it lacks
    is embedded. `memory` is how many bytes the preflight said that the build takes at most beyond what was taken
    before; 0 where it said nothing. Migrations that are built together, from one decoding of each picture, name the
    same `convoy`.
    """

    alias: str
    source: str
    model: str
    fingerprint: str
    target: str
    dimension: int
    distance: str = "cosine"
    part: Slice = EVERYTHING
    index: Mapping[str, Any] = field(default_factory=dict)
    quantization: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int = USUAL_BATCH
    mode: Mode = Mode.FAST
    fills: bool = False
    in_place: bool = False
    memory: int = 0
    convoy: str = ""

    @property
    def title(self) -> str:
        return f"{self.served_as} → {self.model}"

    @property
    def served_as(self) -> str:
        """What applications search, before and after: the alias, or the source's own name, which becomes one."""
        return self.alias or self.source

    def serving(self, aliases: Mapping[str, str]) -> str:
        """The collection that answers applications now; "" where the alias is gone."""
        return aliases.get(self.served_as, self.source if self.in_place else "")

    def as_json(self) -> dict[str, Any]:
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The plan as stored; the reverse of `as_json`."""
        fields = {name: value for name, value in data.items() if name != "version"}
        return cls(**{**fields, "part": Slice.from_json(fields["part"]), "mode": mode_in(fields)})


def mode_in(stored: Mapping[str, Any]) -> Mode:
    """How pictures are decoded by a plan as it is stored; those from before there were modes have the usual one."""
    return Mode(stored.get("mode", Mode.FAST))


def target_name(served_as: str, model: str, taken: Collection[str]) -> str:
    """The name of the new collection: `images__demo-siglip`, then `images__demo-siglip-2` where that is taken."""
    stem = f"{target_stem(served_as)}__{model_name(model)}"
    number = 1
    name = stem
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def target_stem(served_as: str) -> str:
    """What the names of all collections begin with that are made for an alias, or for a collection's own name."""
    return as_name(served_as.split("__")[0] or served_as)


def model_name(model: str) -> str:
    """A model's key as a part of a name."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", model).strip("-").lower()[-80:].lstrip("-")


def built_part(builds: Sequence[Run]) -> Slice:
    """The slice that was built; everything where several different ones were, or none."""
    parts = [Slice.from_json(run.spec["part"]) for run in builds if run.counts.done]
    return parts[0] if parts and all(part == parts[0] for part in parts) else EVERYTHING
