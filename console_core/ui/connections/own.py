"""Models of one's own, and the application's own tables of vectors: listed, added, edited and removed."""

from functools import partial

import streamlit as st

from console_core.console import Console
from console_core.errors import ConsoleError
from console_core.settings import ModelSettings, TableSettings
from console_core.settings.changing import Change
from console_core.ui import confirm, panels, session, words
from console_core.ui.connections import consequences, editor
from console_core.ui.connections.fields import MODEL, S3, TABLE, Form
from console_core.web.changing import change_settings


def object_storage(console: Console) -> None:
    """Where the keys of object storage are named, with the places that pictures lie in."""
    editor.edit_button(S3, label="Object storage", icon=":material/cloud:")


def own_models(console: Console) -> None:
    """Every model of console.toml, and what is wrong with those that could not be added."""
    add = partial(editor.edit_button, MODEL, label="Add a model", icon=":material/add:")
    caption = "Beside the models that the console knows: your checkpoints, folders, and other names."
    with panels.card("Models of your own", caption=caption, aside=add, key="connection-models"):
        for notice in console.notices:
            title = words.plain(notice.message)
            st.error(words.plain(notice.remedy), title=title, icon=":material/error:")
        if not console.settings.models:
            st.caption("None yet.")
        for model in console.settings.models:
            _entry(MODEL, model.key, model.title or model.key, _of_model(model))


def own_tables(console: Console) -> None:
    """The tables of an application's, where the store is an SQL database."""
    store = console.settings.store
    if not (store.is_postgresql or store.url.startswith(("sqlite:", "blob:"))):
        return
    add = partial(editor.edit_button, TABLE, label="Add a table", icon=":material/add:")
    caption = "Vector columns of your application's own tables are collections."
    with panels.card("Tables of your application", caption=caption, aside=add, key="connection-tables"):
        if not store.tables:
            st.caption("None yet.")
        for table in store.tables:
            _entry(TABLE, table.name, table.name, _of_table(table))


def _of_model(model: ModelSettings) -> str:
    return " · ".join(filter(None, (model.key, model.architecture, model.weights)))


def _of_table(table: TableSettings) -> str:
    return f"{table.table} · {table.vector} by {table.key} · {table.distance}"


def _entry(form: Form, name: str, title: str, about: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"own-{form.key}-{name}"):
        with st.container(width="stretch", gap=None):
            st.markdown(f"**{words.plain(title)}**")
            st.caption(words.plain(about))
        editor.edit_button(form, name)
        reason = editor.why_not()
        st.button(
            "Remove",
            icon=":material/delete:",
            key=f"remove-{form.key}-{name}",
            disabled=bool(reason),
            help=reason or None,
            on_click=_ask,
            args=(form, name),
        )


def _ask(form: Form, name: str) -> None:
    editor.close()
    question = confirm.Question(
        title=f"Remove {words.plain(name)}?",
        text="It leaves console.toml; its files and collections stay as they are. What needs it cannot be searched or "
        f"built until it is added again{consequences.named(name) if form is MODEL else ''}.",
        action="Remove",
        do=partial(_remove, form, name),
        icon=":material/delete:",
        keep="Keep it",
    )
    confirm.ask(question)


def _remove(form: Form, name: str) -> None:
    try:
        effect = change_settings(session.actor(), form.key, [Change((*form.section, name))])
    except ConsoleError as error:
        session.flash(error.message, error.remedy, kind="error")
        return
    editor.saved(form, effect)
