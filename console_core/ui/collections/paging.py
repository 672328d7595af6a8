"""Where in a collection one looks. Stores page forwards only, so the address also keeps the way that led here."""

from dataclasses import dataclass
from typing import Self

import streamlit as st

from console_core.vectorstore.types import PointId

_AFTER, _BEFORE = "after", "before"
_KEPT = 40
"""Pages back that the address remembers."""


@dataclass(frozen=True, slots=True)
class Place:
    """A page of points: `trail` are the ids behind which this page and those before it begin, `before` counts the
    points on the pages before."""

    trail: tuple[str, ...] = ()
    before: int = 0

    @classmethod
    def read(cls) -> Self:
        """The place in the address; the first page where it makes no sense."""
        before = st.query_params.get(_BEFORE, "")
        trail = tuple(filter(None, st.query_params.get_all(_AFTER)))
        return cls(trail, int(before)) if trail and before.isdecimal() and len(before) < 12 else cls()

    @property
    def after(self) -> PointId | None:
        """What to ask the store for."""
        last = self.trail[-1] if self.trail else None
        return int(last) if last is not None and last.isdecimal() else last

    def write(self) -> None:
        """Put the place into the address and draw the page anew."""
        st.query_params.pop("point", None)
        for name, values in ((_AFTER, list(self.trail)), (_BEFORE, str(self.before) if self.trail else "")):
            if values:
                st.query_params[name] = values
            else:
                st.query_params.pop(name, None)
        st.rerun()

    def back(self, size: int) -> "Place | None":
        """The page before, of `size` points; None on the first page, and where the address forgot the way."""
        if self.before <= size:
            return Place() if self.trail else None
        return Place(self.trail[:-1], self.before - size) if len(self.trail) > 1 else None

    def turn(self, here: int, following: PointId | None, total: int, size: int) -> None:
        """Which points these are, and the buttons to the first, the previous and the next page of `size` points."""
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption(f"Points {self.before + 1:,}–{self.before + here:,} of {max(total, self.before + here):,}")
            with st.container(horizontal=True, width="content", gap="small"):
                if st.button("First", icon=":material/first_page:", key="points-first", disabled=not self.trail):
                    Place().write()
                back = self.back(size)
                if st.button("Previous", icon=":material/chevron_left:", key="points-previous", disabled=back is None):
                    (back or Place()).write()
                if st.button("Next", icon=":material/chevron_right:", key="points-next", disabled=following is None):
                    Place((*self.trail, str(following))[-_KEPT:], self.before + here).write()
