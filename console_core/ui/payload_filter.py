"""A filter by payload: chosen from what the collections hold or typed, shown as chips, kept in the address.

In the address it is `only.<field>`, once for each value. A point passes where every field has one of its values.
"""

from collections.abc import Mapping, Sequence

import streamlit as st

from console_core.querylab import filtering
from console_core.ui import words
from console_core.ui.session import console

ONLY = "only."
FRESH = 60
"""Seconds for which what is offered is not read again."""

Chosen = Mapping[str, tuple[str, ...]]
"""Values, as they are written, by payload field."""


def chosen() -> dict[str, tuple[str, ...]]:
    """The filter of the address; what is offered now or not makes no difference to it."""
    fields = (name.removeprefix(ONLY) for name in st.query_params if name.startswith(ONLY) and name != ONLY)
    return {field: tuple(dict.fromkeys(st.query_params.get_all(f"{ONLY}{field}"))) for field in fields}


def filter_button(collections: Sequence[str]) -> None:
    """Opens the choice of a field and its values. Collections, by their real names, are read once it is open.

    Its label never changes: the browser would take it for another one, and close it.
    """
    now = chosen()
    with st.popover("Filter", icon=":material/filter_list:", key="filter", on_change="rerun") as box:
        if not box.open:
            return
        offered = _offered(str(console().settings.workspace), tuple(collections))
        field = st.selectbox(
            "Payload field",
            list(dict.fromkeys((*offered, *now))),
            index=None,
            key="filter-field",
            placeholder="Choose or type a field",
            accept_new_options=True,
        )
        if field:
            _values(field, offered.get(field, ()), now.get(field, ()))
        st.caption(
            "A picture passes where every field has one of its values. What is offered stands in the first "
            f"{filtering.READ:,} points of each collection; anything else can be typed."
        )


def chips() -> None:
    """Each value as a chip that a click removes; nothing where there is no filter."""
    now = chosen()
    if not now:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="filter-chips"):
        for field, values in now.items():
            for value in values:
                st.button(
                    f"{words.plain(field)}: {words.plain(value) or '(none)'}",
                    icon=":material/close:",
                    key=f"filter-off-{field!r}-{value!r}",
                    help="Remove it from the filter.",
                    on_click=_put,
                    args=(field, tuple(one for one in values if one != value)),
                )
        if sum(map(len, now.values())) > 1:
            st.button("Clear the filter", type="tertiary", key="filter-clear", on_click=_clear)


@st.cache_data(ttl=FRESH, max_entries=8, show_spinner="Looking at payloads…")
def _offered(workspace: str, collections: tuple[str, ...]) -> Mapping[str, Sequence[str]]:
    return filtering.offered(console().store, collections)


def _values(field: str, offered: Sequence[str], now: Sequence[str]) -> None:
    key = f"filter-values-{field}"
    st.session_state[key] = list(now)

    def put() -> None:
        _put(field, st.session_state[key])

    st.multiselect(
        "One of these values",
        list(dict.fromkeys((*offered, *now))),
        key=key,
        format_func=lambda value: value or "(none)",
        placeholder="Choose or type values",
        accept_new_options=True,
        on_change=put,
    )


def _put(field: str, values: Sequence[str]) -> None:
    """Write the values of a field into the address; none takes the field away."""
    told = {name: st.query_params.get_all(name) for name in st.query_params}
    wanted = {**told, f"{ONLY}{field}": list(values)}
    st.query_params.from_dict({name: values for name, values in wanted.items() if values})


def _clear() -> None:
    told = {name: st.query_params.get_all(name) for name in st.query_params if not name.startswith(ONLY)}
    st.query_params.from_dict(told)
