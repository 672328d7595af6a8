"""The order of a table, chosen beside it: a table's own header tells the server nothing."""

from collections.abc import Mapping

import streamlit as st

from console_core.ui.address import choice
from console_core.ui.session import parameter

ORDER = "order"
"""The parameter of the address that has it."""


def chosen_order(orders: Mapping[str, str], *, key: str) -> str:
    """The order that the address has, of these with their labels; the first one is the usual. Draws the choice."""
    usual = next(iter(orders))
    order = parameter(ORDER, list(orders), usual)
    st.segmented_control(
        "Order",
        list(orders),
        required=True,
        key=key,
        label_visibility="collapsed",
        format_func=orders.__getitem__,
        on_change=choice(key, ORDER, order, usual=usual),
    )
    return order
