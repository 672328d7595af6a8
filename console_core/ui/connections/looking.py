"""What is at a catalog's location, before it is one: tables and columns to choose from, and the first rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from console_core import settings
from console_core.catalog.preview import Preview, preview
from console_core.errors import CatalogInvalid, ConsoleError
from console_core.settings.changing import Change, Written, changed
from console_core.settings.secrets import scrubbed, secrets_of
from console_core.settings.section import FILE, parsed
from console_core.ui import session, words
from console_core.ui.connections import drafts
from console_core.ui.connections.candidates import PATIENCE, within
from console_core.ui.connections.drafts import Values
from console_core.ui.connections.fields import CATALOG, Form

_SEEN = "connections-seen"
_KINDS = ("sql", "table")
"""Kinds that have columns to choose from."""


def offered(form: Form) -> Mapping[str, Sequence[str]]:
    """What can be chosen for a setting, by its name, once somebody looked; nothing for other forms."""
    seen: Preview | None = st.session_state.get(_SEEN)
    if form is not CATALOG or seen is None:
        return {}
    columns = [column.name for column in seen.columns]
    keys = [column.name for column in seen.columns if column.key != "no"]
    found = {"table": [table.name for table in seen.tables], "key": keys, "updated_at": columns, "tenant": columns}
    found |= dict.fromkeys(("paths", "payload", "facets", "embedding", "embedding_model"), columns)
    return {name: names for name, names in found.items() if names}


def forget_seen() -> None:
    st.session_state.pop(_SEEN, None)


def look(form: Form, before: Values, now: Values, written: Written, key: str) -> None:
    """The button that looks, and what was seen. Nothing of another form, or of kinds without columns."""
    if form is not CATALOG or now["kind"] not in _KINDS:
        return
    if st.button("Look at what is there", icon=":material/visibility:", key="form-look"):
        _look(before, now, written)
    seen: Preview | None = st.session_state.get(_SEEN)
    if seen is None:
        return
    for remark in seen.remarks:
        st.caption(words.plain(remark))
    if seen.rows:
        names = [column.name for column in seen.columns]
        frame = pd.DataFrame(seen.rows, columns=names)
        st.dataframe(frame, hide_index=True, height=180, alt="The first rows", key="form-seen")
    if seen.proposal is not None:
        st.button(
            "Take over what is proposed",
            icon=":material/auto_awesome:",
            key="form-take-over",
            help=words.plain(_in_words(seen)),
            on_click=_take_over,
            args=(seen, key),
        )


def _look(before: Values, now: Values, written: Written) -> None:
    """Remembers what is there, without any secret; says what prevents it."""
    if problems := drafts.refusals(CATALOG, before, {**before, "kind": now["kind"], "location": now["location"]}):
        st.error(words.plain(problems[0]), icon=":material/error:")
        return
    secrets = secrets_of(written.table)
    try:
        with st.spinner("Looking…"):
            kind, location, text = _place(before, now, written)
            secrets |= secrets_of(parsed(text, session.console().settings.workspace / FILE))
            table = str(now["table"]) if kind == "sql" else ""
            seen = within(PATIENCE, lambda: _seen_at(kind, location, table))
    except TimeoutError:
        st.error("Check the address, and whether it can be reached.", title="No answer", icon=":material/error:")
        return
    except ConsoleError as error:
        message, remedy = scrubbed(error.message, secrets), scrubbed(error.remedy, secrets)
        st.error(words.plain(remedy), title=words.plain(message), icon=":material/error:")
        return
    st.session_state[_SEEN] = _clean(seen, secrets)
    st.rerun()


def _seen_at(kind: settings.CatalogKind, location: str, table: str) -> Preview:
    """With the tables to choose from where the one that is named is not there."""
    try:
        return preview(kind, location, table)
    except CatalogInvalid:
        if not table:
            raise
        return preview(kind, location)


def _place(before: Values, now: Values, written: Written) -> tuple[settings.CatalogKind, str, str]:
    """Kind and location as they would be read, with what the environment says; and the file's text that says so."""
    workspace = session.console().settings.workspace
    wanted = [Change(("catalog", "kind"), str(now["kind"])), Change(("catalog", "table"), str(now["table"]) or "any")]
    if now["location"] != before["location"]:
        wanted.append(Change(("catalog", "location"), str(now["location"])))
    text = changed(written.text, wanted)
    read = settings.read(workspace, text=text).catalog
    return read.kind, read.location, text


def _clean(seen: Preview, secrets: frozenset[str]) -> Preview:
    rows = tuple(tuple(scrubbed(value, secrets) for value in row) for row in seen.rows)
    return Preview(seen.kind, "", seen.tables, seen.table, seen.columns, rows, seen.proposal, seen.remarks)


def _proposed(seen: Preview) -> dict[str, Any]:
    guessed = seen.proposal
    assert guessed is not None
    values = {
        "table": seen.table,
        "key": list(guessed.key),
        "paths": list(guessed.paths),
        "updated_at": guessed.updated_at,
        "tenant": guessed.tenant,
    }
    return {name: value for name, value in values.items() if value}


def _in_words(seen: Preview) -> str:
    return "; ".join(
        f"{name.replace('_', ' ')}: {', '.join(value) if isinstance(value, list) else value}"
        for name, value in _proposed(seen).items()
    )


def _take_over(seen: Preview, key: str) -> None:
    """What is proposed into the form; what it names and the table does not have leaves it."""
    columns = {column.name for column in seen.columns}
    for name in ("payload", "facets"):
        st.session_state[f"{key}-{name}"] = [one for one in st.session_state.get(f"{key}-{name}", ()) if one in columns]
    for name in ("tenant", "updated_at"):
        if st.session_state.get(f"{key}-{name}") not in columns:
            st.session_state[f"{key}-{name}"] = ""
    for name, value in _proposed(seen).items():
        st.session_state[f"{key}-{name}"] = value
