"""What is asked: words, a picture, what it is not to be like, in which columns, among which points, and how many
answers. All of it is in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st
from PIL import Image

from console_core.judging.query_sets import query
from console_core.querylab.comparison import Column
from console_core.querylab.question import Question as Parts
from console_core.querylab.rankings import Query
from console_core.ui.address import from_address
from console_core.ui.payload_filter import chips, chosen, filter_button
from console_core.ui.query_lab import fields, parts
from console_core.ui.query_lab.choosing import choose, columns_of, those_of
from console_core.ui.query_lab.examples import examples
from console_core.ui.query_lab.like import picture_banner
from console_core.ui.query_lab.picture import kept, picture_button
from console_core.ui.session import parameter
from console_core.vectorstore.types import CollectionInfo


@dataclass(frozen=True, slots=True)
class Question:
    """`like` is the key of a picture, `digest` names one that was given; at most one of them is there, and `picture`
    is the latter where it is still kept. `without` are texts to turn away from, `weight` is the share in percent that
    words have beside a picture. `only` is the filter, the same in each column: values as they are written, by field.

    `is_example` where nobody asked anything yet: then an example is answered, or nothing where there is none.
    """

    text: str
    like: str
    columns: tuple[Column, ...]
    limit: int
    is_example: bool = False
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    digest: str = ""
    picture: Image.Image | None = None
    weight: int = fields.EVEN

    @property
    def has_picture(self) -> bool:
        return bool(self.like) or self.picture is not None

    @property
    def as_query(self) -> Query | None:
        """The same as a question of a query set: words, or a picture of the catalog. None where it says more."""
        if self.only or self.without or self.digest or bool(self.text) == bool(self.like):
            return None
        return query(self.text, like=self.like)

    @property
    def names(self) -> tuple[str, ...]:
        """What the columns ask, one for each."""
        return tuple(column.asked for column in self.columns)

    @property
    def parts(self) -> Parts:
        """The same for the core. Words and a picture share a weight of 1; alone, each has all of it."""
        words, rest = (self.weight / 100, 1 - self.weight / 100) if self.text and self.has_picture else (1.0, 1.0)
        return Parts(
            self.text,
            self.like,
            self.picture,
            self.without,
            text_weight=words,
            like_weight=rest,
            picture_weight=rest,
        )


def asked(collections: Sequence[CollectionInfo]) -> Question:
    """Draw the fields, and read them."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        text, without = parts.words_field(), parts.without_field()
        picture_button()
    like = parameter("like")
    digest = "" if like else parameter("picture")
    is_example = not (text or like or digest)
    columns = columns_of(collections)
    suggested = examples(next((info.name for info in those_of([one.asked for one in columns], collections)), ""))
    if is_example and suggested:
        text = suggested[0]
    if suggested:
        st.session_state[fields.EXAMPLE] = text if text in suggested and not (like or digest) else None
        st.pills("Examples", suggested, key=fields.EXAMPLE, label_visibility="collapsed", on_change=_take_example)
    with st.container(horizontal=True, vertical_alignment="center"):
        columns = choose(collections)
        filter_button([info.name for info in those_of([one.asked for one in columns], collections)])
        limit = _limit()
    chips()
    picture = kept(digest) if digest else None
    weight = picture_banner(like, picture, "" if is_example else text)
    return Question(text, like, columns, limit, is_example, chosen(), without, digest, picture, weight)


def _take_example() -> None:
    chosen = st.session_state[fields.EXAMPLE]
    if chosen is not None:
        st.session_state[fields.QUERY] = chosen
    fields.without_picture()


def _limit() -> int:
    from_address(fields.LIMIT, "limit", fields.LIMITS[0], allowed=fields.LIMITS)
    limit = st.segmented_control(
        "Answers",
        fields.LIMITS,
        key=fields.LIMIT,
        required=True,
        label_visibility="collapsed",
        format_func=lambda number: f"{number} answers" if number == fields.LIMITS[0] else number,
        on_change=fields.write,
    )
    return int(limit or fields.LIMITS[0])
