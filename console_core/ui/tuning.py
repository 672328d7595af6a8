"""How a new collection is indexed and quantized: as the former one, or chosen value by value. And how it came out."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from console_core.ui import words
from console_core.vectorstore.tuning import (
    AS_FORMER,
    EF_CONSTRUCT,
    INT8,
    KINDS,
    NONE,
    QUANTILE,
    RESCORING,
    USUAL,
    M,
    Settings,
    Tuning,
    index_text,
    lacking,
    not_in_force,
    proposed,
    quantization_of,
    quantization_text,
    settings_of,
)
from console_core.vectorstore.types import CollectionInfo, StoreInfo

_OWN, _AS_FORMER = "Of its own", "As the former collection"
Write = Callable[[Tuning], None]


def choose_tuning(
    tuning: Tuning,
    former: CollectionInfo | None,
    store: StoreInfo,
    write: Write,
    *,
    key: str,
    dimension: int,
    as_former: str = _AS_FORMER,
) -> None:
    """Draw the choice; `write` is told what was chosen. `dimension` is that of the new collection's vectors."""
    had = settings_of(former) if former else ({}, {})
    index, quantization = tuning.over(*had)
    place = f"{key}-place"
    st.session_state[place] = as_former if tuning.as_former else _OWN

    def choose() -> None:
        write(AS_FORMER if st.session_state[place] == as_former else proposed(store))

    st.radio(
        "Settings of the new collection",
        [as_former, _OWN],
        key=place,
        captions=[_told(*had), f"Begins with {_told(*proposed(store).over({}, {}))}; every value can be changed."],
        on_change=choose,
    )
    if not tuning.as_former:
        with st.grid(2, min_column_width=240):
            _numbers(tuning, index, write, key)
            _quantization(tuning, quantization, store, write, key)
    if quantization.get("type") == INT8 and INT8 in store.quantizations:
        st.caption(words.plain(RESCORING))
    if noted := not_in_force(store, index, quantization, dimension):
        text = f"This store ({store.kind}) only notes these settings, and does not have them: {'; '.join(noted)}."
        st.caption(f":orange[:material/warning:] {words.plain(text)}")


def _told(index: Settings, quantization: Settings) -> str:
    shown = {name: value for name, value in index.items() if name in ("m", "ef_construct")}
    told = index_text(shown) if shown else "The store's usual index"
    return f"{told}; quantization: {quantization_text(quantization)}"


def _numbers(tuning: Tuning, index: Settings, write: Write, key: str) -> None:
    for name, (least, most), label, text in (
        ("m", M, "Edges of a node (m)", "More find better and take more memory. 16 is usual."),
        (
            *("ef_construct", EF_CONSTRUCT, "Candidates while building (ef_construct)"),
            "More make a better index, and building it takes longer. 100 is usual.",
        ),
    ):
        place = f"{key}-{name}"
        st.session_state[place] = min(max(int(index.get(name) or USUAL.index[name]), least), most)

        def rewrite(name: str = name, place: str = place) -> None:
            write(replace(tuning, index={**tuning.index, name: int(st.session_state[place])}))

        st.number_input(label, least, most, key=place, help=text, on_change=rewrite)


def _quantization(tuning: Tuning, quantization: Settings, store: StoreInfo, write: Write, key: str) -> None:
    kind, place = str(quantization.get("type") or NONE), f"{key}-quantization"
    st.session_state[place] = kind

    def choose() -> None:
        chosen = st.session_state[place]
        write(replace(tuning, quantization=USUAL.quantization if chosen == INT8 else quantization_of(chosen)))

    st.selectbox(
        "Quantization",
        list(dict.fromkeys([NONE, *(store.quantizations or (INT8,)), kind])),
        format_func=lambda name: KINDS.get(name, name.capitalize()),
        key=place,
        help="Searches compare smaller copies of the vectors. INT8 takes a quarter of the memory.",
        on_change=choose,
    )
    if kind == INT8:
        _quantile(tuning, quantization, write, key)
    if kind not in (NONE, "float16"):
        _in_memory(tuning, quantization, write, key)


def _quantile(tuning: Tuning, quantization: Settings, write: Write, key: str) -> None:
    place = f"{key}-quantile"
    st.session_state[place] = float(quantization.get("quantile") or QUANTILE[1])

    def rewrite() -> None:
        write(replace(tuning, quantization={**quantization, "quantile": round(float(st.session_state[place]), 3)}))

    st.number_input(
        "Quantile",
        *QUANTILE,
        step=0.01,
        format="%.3f",
        key=place,
        help="The share of all numbers that is not cut off before rounding: 0.99 leaves the outermost 1 % out.",
        on_change=rewrite,
    )


def _in_memory(tuning: Tuning, quantization: Settings, write: Write, key: str) -> None:
    place = f"{key}-ram"
    st.session_state[place] = bool(quantization.get("always_ram"))

    def rewrite() -> None:
        rest: dict[str, Any] = {name: value for name, value in quantization.items() if name != "always_ram"}
        write(replace(tuning, quantization=rest | ({"always_ram": True} if st.session_state[place] else {})))

    st.toggle(
        "Keep the copies in memory",
        key=place,
        help="Otherwise the store decides, and may read them from its disk.",
        on_change=rewrite,
    )


def in_force(info: CollectionInfo, store: StoreInfo, asked: tuple[Settings, Settings]) -> Mapping[str, str]:
    """Index and quantization of a collection as the store has them, and what was asked for where that differs."""
    index = index_text(info.index) if info.index else _no_index(info, store)
    if info.index_deferred:
        index = f"left out during a load; {index} once it is built"
    told = {"Index": index, "Quantization": quantization_text(info.quantization)}
    for name, text, wanted, has in (
        ("Index", index_text, asked[0], info.index),
        ("Quantization", quantization_text, asked[1], info.quantization),
    ):
        if differing := lacking(wanted, has):
            told[name] += f" (asked for: {text(wanted if name == 'Quantization' else differing)})"
    return told


def _no_index(info: CollectionInfo, store: StoreInfo) -> str:
    if store.indexed_up_to is not None and info.dimension > store.indexed_up_to:
        return "none in force: every search compares all vectors"
    return "the server's own settings" if not store.embedded else "none"
