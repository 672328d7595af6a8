"""What the columns answered, side by side."""

from collections.abc import Mapping, Sequence

import streamlit as st

from console_core.catalog.types import ImageRow
from console_core.querylab.comparison import Answer, Column, ColumnResult, Comparison
from console_core.querylab.filtering import where_of
from console_core.querylab.image_search import ask_like
from console_core.querylab.remembered import Remembered
from console_core.querylab.search import ask
from console_core.ui import gallery, pictures, words
from console_core.ui.query_lab.choosing import way_and_threshold
from console_core.ui.query_lab.question import Question
from console_core.ui.session import console
from console_core.vectorstore.types import CollectionInfo

_remembered = Remembered()
"""Shared by all who ask: a page is drawn anew for every click on it, and its question stays the same."""


def answer(question: Question, collections: Sequence[CollectionInfo]) -> Comparison:
    """Ask every column. A model that is not in memory yet is loaded first, and its name shown meanwhile.

    Raises:
        Refused: there is nothing to ask, or nobody.
    """
    opened, parts = console(), question.parts

    def answers() -> Comparison:
        where, samples = where_of(question.only), opened.samples.of
        if not parts.needs_model:
            return ask_like(
                opened.store, question.columns, question.like, limit=question.limit, where=where, samples=samples
            )
        return ask(
            opened.store,
            opened.models,
            question.columns,
            parts,
            limit=question.limit,
            where=where,
            samples=samples,
            remembered=_remembered,
        )

    resident = opened.models.resident()
    wanted = {
        info.stamp.model
        for info in collections
        if info.stamp and {info.name, *info.aliases} & set(question.names) and info.stamp.model not in resident
    }
    said = "Asking"  # which takes long where a sample is drawn first
    if wanted and parts.needs_model:
        said = f"Loading {' and '.join(sorted(model_title(model) for model in wanted))}"
    with st.spinner(f"{said}…", show_time=True):
        return answers()


def columns(comparison: Comparison, rows: Mapping[str, ImageRow], *, filtered: bool) -> list[gallery.Column]:
    """The comparison as columns of tiles. In the reference column, what no other column has is "gone".

    `filtered` says that only points which pass a filter were asked for.
    """
    kept = {
        key for place, result in enumerate(comparison.columns) if place != comparison.reference for key in result.keys
    }
    alone = sum(result.error is None for result in comparison.columns) < 2
    drawn = []
    for place, (result, title) in enumerate(zip(comparison.columns, distinct_titles(comparison), strict=True)):
        marks_gone = place == comparison.reference and not alone
        tiles = [_tile(hit, rows, result.sampled, gone=marks_gone and hit.key not in kept) for hit in result.answers]
        drawn.append(gallery.Column(title, tiles, _caption(result), _empty(result, filtered)))
    return drawn


def gone(comparison: Comparison, rows: Mapping[str, ImageRow]) -> list[gallery.Column]:
    """For each other column the pictures of the reference that it lacks; columns that lack none are left out."""
    if comparison.reference is None:
        return []
    reference, titles = comparison.columns[comparison.reference], distinct_titles(comparison)
    before = {hit.key: hit for hit in reference.answers}
    return [
        gallery.Column(
            title,
            [_tile(before[key], rows, reference.sampled, gone=True) for key in result.gone],
            f"{words.count(len(result.gone), 'picture')} of {titles[comparison.reference]} not among its answers",
        )
        for result, title in zip(comparison.columns, titles, strict=True)
        if result.gone
    ]


def all_keys(comparison: Comparison) -> list[str]:
    """Keys of all pictures in all columns."""
    return [key for result in comparison.columns for key in result.keys]


def column_title(result: ColumnResult) -> str:
    """The model's title, and what is unusual about how it is asked; the name asked for where no model is known."""
    title = model_title(result.model) if result.model else result.asked
    return " · ".join(filter(None, (title, way_and_threshold(_column(result)))))


def column_name(result: ColumnResult) -> str:
    """What is asked, as its field says it; no two columns have the same."""
    return " · ".join(filter(None, (result.asked, way_and_threshold(_column(result)))))


def distinct_titles(comparison: Comparison) -> list[str]:
    """A title for each column: the model's, and what is asked where another column has the same model and way."""
    titles = [column_title(result) for result in comparison.columns]
    return [
        title
        if titles.count(title) == 1 or not result.model
        else f"{model_title(result.model)} · {column_name(result)}"
        for title, result in zip(titles, comparison.columns, strict=True)
    ]


def model_title(key: str) -> str:
    """The title of a model card; its key where there is no such card."""
    known = {card.key: card.title for card in console().models.cards.all()}
    return known.get(key, key)


def _caption(result: ColumnResult) -> str:
    name = result.collection.name if result.collection else result.asked
    if result.error is not None:
        return name if result.model else ""
    said = [name if name == result.asked else f"{result.asked} → {name}"]
    said += [f"embed {result.embed_ms:.0f} ms"] if result.embed_ms else []
    said += [f"search {result.search_ms:.0f} ms"]
    said += [f"{result.below} below {result.threshold:g}"] if result.below and result.threshold is not None else []
    return " · ".join([*said, *([result.note] if result.note else [])])


def _empty(result: ColumnResult, filtered: bool) -> str:
    if result.error is not None:
        return "This column could not answer."
    if result.below and result.threshold is not None:
        return f"Nothing here scores {result.threshold:g} or more."
    return "Nothing here passes the filter." if filtered else "Nothing was found."


def _column(result: ColumnResult) -> Column:
    return Column(result.asked, result.way, result.threshold)


def _tile(hit: Answer, rows: Mapping[str, ImageRow], sampled: int, *, gone: bool) -> gallery.Tile:
    row = rows.get(hit.key)
    return gallery.Tile(
        hit.key,
        pictures.address(hit.key, row),
        pictures.caption(hit.key, row.payload if row else hit.payload),
        hit.rank,
        hit.percentile,
        "gone" if gone else hit.shift,
        sampled=sampled,
    )
