"""A way to begin where no text can be asked: pictures of a catalog, each of which leads to others like it."""

from collections.abc import Sequence
from itertools import islice

import streamlit as st

from console_core.ui import gallery, pictures
from console_core.ui.open_picture import drawer, open_picture, opened
from console_core.ui.query_lab import fields
from console_core.ui.query_lab.choosing import those_of
from console_core.ui.query_lab.question import Question
from console_core.ui.session import console
from console_core.vectorstore.types import CollectionInfo

_OFFERED = 24


def only_by_picture(question: Question, collections: Sequence[CollectionInfo]) -> bool:
    """Whether no text can be asked, and no picture is: every model that is asked embeds no texts."""
    if question.has_picture:
        return False
    asked = those_of(question.names, collections)
    cards = console().models.cards
    return bool(asked) and not any(cards.embeds_text(info.stamp.model) for info in asked if info.stamp)


def pick_a_picture(question: Question, collections: Sequence[CollectionInfo]) -> None:
    """Say that no text can be asked, and offer the first pictures of the first column's own catalog."""
    if question.is_example:
        st.caption("What is chosen above can be searched by picture only. Click a picture, and find others like it.")
    else:
        st.warning(
            "What you typed was not asked. Click a picture, and find others like it.",
            title="What is chosen above can be searched by picture only",
            icon=":material/image_search:",
        )
    first = those_of(question.names, collections)[0]
    rows = list(islice(console().catalog_of(first.name).rows(), _OFFERED))
    tiles = [
        gallery.Tile(row.key, pictures.address(row.key, row), pictures.caption(row.key, row.payload)) for row in rows
    ]
    open_picture(gallery.grid(tiles, key="lab-pick", picked=opened(), tile_width=112))
    drawer(pictures.named, lambda key, _: find_similar(key))


def find_similar(key: str) -> None:
    """A button that asks for the neighbours of a picture next."""
    similar = st.button(
        "Find similar",
        icon=":material/image_search:",
        type="primary",
        key="lab-similar",
        on_click=fields.ask_like,
        args=(key,),
    )
    if similar:  # a drawer runs by itself: the page must run too
        st.rerun()
