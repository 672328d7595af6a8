"""The least score of one column taken over to the others, for this question; and the way to one for all questions."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from console_core.judging.cutoffs import asked_of_both
from console_core.querylab.column_text import read, written
from console_core.querylab.comparison import ColumnResult, Comparison
from console_core.querylab.taking_over import TakenOver, taken_over
from console_core.ui import navigation, session, words
from console_core.ui.address import write_address
from console_core.ui.query_lab import fields
from console_core.ui.query_lab.answers import distinct_titles, model_title

_FROM = "lab-least-from"


def least_scores(comparison: Comparison) -> None:
    """A button that opens it; nothing unless a column has a least score and another one could take it over."""
    able = [place for place, result in enumerate(comparison.columns) if result.vector is not None]
    bases = [place for place in able if comparison.columns[place].threshold is not None]
    if not bases or len(able) < 2:
        return
    label = "Same cut in all columns"
    with st.popover(label, icon=":material/content_cut:", key="lab-least", on_change="rerun", width="content") as box:
        if box.open:
            _card(comparison, bases, able)


def _card(comparison: Comparison, bases: Sequence[int], able: Sequence[int]) -> None:
    titles = distinct_titles(comparison)
    base = bases[0]
    if len(bases) > 1:
        base = st.selectbox("Take it from", bases, key=_FROM, format_func=titles.__getitem__)
    old = comparison.columns[base]
    found = {place: _taken(old, comparison.columns[place]) for place in able if place != base}
    told = max(found.values(), key=lambda one: one.sampled)
    st.markdown(
        f"For this question {words.count(told.passing, 'picture')} of the {told.sampled:,} sampled "
        f"{'scores' if told.passing == 1 else 'score'} **{old.threshold:g}** or more in "
        f"{words.plain(model_title(old.model))}. As many do"
    )
    for place, one in found.items():
        name = words.plain(_name(comparison.columns[place], comparison))
        if one.threshold is None:
            st.markdown(f"- in {name} from no least score: {words.plain(one.problem)}")
        else:
            between = f"between {one.low:.4g} and {one.high:.4g} with a confidence of 95 %"
            said = "being the same collection" if _is_same(old, comparison.columns[place]) else between
            st.markdown(f"- in {name} from **{one.threshold:g}**, {said}.")
    usable = {place: one.threshold for place, one in found.items() if one.threshold is not None}
    st.button(
        "Use as least scores",
        key="lab-least-use",
        type="primary",
        icon=":material/check:",
        disabled=not usable,
        on_click=_use,
        args=(usable,),
    )
    _translator(old, [comparison.columns[place] for place in found])


def _is_same(old: ColumnResult, new: ColumnResult) -> bool:
    """Whether two columns ask the same collection, so that a score means the same in both."""
    return old.collection is not None and old.collection == new.collection


def _taken(old: ColumnResult, new: ColumnResult) -> TakenOver:
    samples = session.console().samples
    one, other = (samples.of(result.collection) if result.collection else None for result in (old, new))
    if one is None or other is None or old.vector is None or new.vector is None or old.threshold is None:
        return TakenOver(None, None, None, 0, 0, "There is no sample to count in.")
    found = taken_over(one, old.vector, old.threshold, other, new.vector)
    if not _is_same(old, new):
        return found
    return TakenOver(old.threshold, old.threshold, old.threshold, found.passing, found.sampled)


def _name(result: ColumnResult, comparison: Comparison) -> str:
    """The model's title, and what is asked where columns share it."""
    alone = sum(one.model == result.model for one in comparison.columns) == 1
    return model_title(result.model) if alone else f"{model_title(result.model)} ({result.asked})"


def _translator(old: ColumnResult, others: Sequence[ColumnResult]) -> None:
    collections = [other.collection for other in others if other.collection]
    kept = asked_of_both(session.console().lab, old.collection, collections) if old.collection else None
    if kept is None:
        st.caption("Another question may need another cut. A query set that is asked in Judging gives one for all.")
        return
    st.caption("Another question may need another cut. One for all questions of a query set:")
    fits = old.collection is not None and kept.columns[0].collection == old.collection.name
    navigation.link(
        "judging",
        f"Translate it by {kept.set_name}",
        icon=":material/tune:",
        snapshot=kept.id,
        threshold=f"{old.threshold:g}" if fits else None,
    )


def _use(thresholds: dict[int, float]) -> None:
    """Have them as least scores. Two columns that are then the very same become one. For `on_click`."""
    chosen = list(st.session_state[fields.COLUMNS])
    for place, threshold in thresholds.items():
        chosen[place] = written(replace(read(chosen[place]), threshold=threshold))
    st.session_state[fields.COLUMNS] = list(dict.fromkeys(chosen))
    write_address(fields.FIELDS)
