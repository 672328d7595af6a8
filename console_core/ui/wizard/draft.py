"""What was chosen in the wizard so far. It lives in the address only, so it can be shared and outlives a restart."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import streamlit as st

from console_core.catalog.types import Slice
from console_core.embedding.preprocessing import Mode
from console_core.migration.findings import Request
from console_core.runs.manners import MOST_BATCH
from console_core.ui.tuning_address import tuning_in, written
from console_core.vectorstore.tuning import AS_FORMER, Tuning

BATCH_SIZES = (1, MOST_BATCH)
"""The smallest and the largest number of pictures that can be asked to be written at a time."""
_ONLY = "only."
_BY_PICTURE = "picture"
IN_PLACE = "in-place"
_USUAL = Request("", "")


@dataclass(frozen=True, slots=True)
class Draft:
    """A migration that is being chosen. `only` has the facet values of its slice; empty: all pictures.

    In the address: view=new, served, model, target, batch, search=picture where text search is not wanted,
    switch=in-place where the collection's own name shall lead to the new one, mode where it is not the usual one, m,
    ef, quantization, quantile and ram where the new collection shall not be tuned as the former one is,
    and only.<facet> once for each value, as also for each further model.
    """

    served: str = ""
    model: str = ""
    also: tuple[str, ...] = ()
    target: str = ""
    batch_size: int = _USUAL.batch_size
    text_search: bool = True
    in_place: bool = False
    mode: Mode = _USUAL.mode
    tuning: Tuning = AS_FORMER
    only: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Self:
        """The draft in the address. What makes no sense there is left out."""
        told = st.query_params
        batch, mode = told.get("batch", ""), told.get("mode", "")
        only = {name.removeprefix(_ONLY): told.get_all(name) for name in told if name.startswith(_ONLY)}
        return cls(
            served=told.get("served", ""),
            model=told.get("model", ""),
            also=tuple(dict.fromkeys(told.get_all("also"))),
            target=told.get("target", ""),
            batch_size=_within(int(batch)) if batch.isdecimal() and len(batch) < 6 else _USUAL.batch_size,
            text_search=told.get("search", "") != _BY_PICTURE,
            in_place=told.get("switch", "") == IN_PLACE,
            mode=Mode(mode) if mode in set(Mode) else _USUAL.mode,
            tuning=tuning_in(told),
            only={facet: tuple(dict.fromkeys(values)) for facet, values in only.items()},
        )

    def write(self) -> None:
        """Put the draft into the address, instead of the one that is there."""
        said: dict[str, str | Sequence[str]] = {"view": "new"}
        said |= {name: value for name in ("served", "model", "target") if (value := getattr(self, name))}
        said |= {"also": self.also} if self.also else {}
        said |= {"batch": str(self.batch_size)} if self.batch_size != _USUAL.batch_size else {}
        said |= {} if self.text_search else {"search": _BY_PICTURE}
        said |= {"switch": IN_PLACE} if self.in_place else {}
        said |= {"mode": self.mode.value} if self.mode is not _USUAL.mode else {}
        said |= written(self.tuning)
        said |= {f"{_ONLY}{facet}": values for facet, values in self.only.items() if values}
        st.query_params.from_dict(said)

    def without_slice(self) -> Self:
        return replace(self, only={})

    def with_target(self, name: str) -> Self:
        return replace(self, target=name)

    def request(self) -> Request:
        """What the preflight and the command are asked for."""
        part = Slice({facet: values for facet, values in self.only.items() if values})
        target = self.target.strip()
        return Request(
            served=self.served,
            model=self.model,
            part=part,
            target=target,
            batch_size=self.batch_size,
            text_search=self.text_search,
            in_place=self.in_place,
            mode=self.mode,
            tuning=self.tuning,
        )

    def requests(self) -> list[Request]:
        """That, and the same for each further model. A name that was chosen is for the first model's collection."""
        first = self.request()
        return [first, *(replace(first, model=key, target="") for key in self.also)]


def _within(size: int) -> int:
    smallest, largest = BATCH_SIZES
    return min(max(size, smallest), largest)
