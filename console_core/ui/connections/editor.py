"""A part of console.toml is edited in a drawer: asked for, tested, saved, and in force at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from console_core import settings
from console_core.errors import ConsoleError
from console_core.runs.types import WORKING
from console_core.settings import changing
from console_core.settings.changing import Change, Written
from console_core.settings.overruling import overruled
from console_core.settings.secrets import scrubbed, secrets_of
from console_core.settings.section import FILE, parsed
from console_core.ui import frame, permission, session, words
from console_core.ui.connections import drafts
from console_core.ui.connections.asking import ask_for
from console_core.ui.connections.candidates import TESTS, Outcome, tried
from console_core.ui.connections.consequences import choose_consequence
from console_core.ui.connections.fields import FORMS, MODEL, Form
from console_core.ui.connections.looking import forget_seen, look, offered
from console_core.web.changing import Effect, change_settings

_OPEN, _TESTED = "connections-form", "connections-tested"
COMMAND = "change_settings"


@dataclass(frozen=True, slots=True)
class _Opened:
    """The form that is open, the entry that it edits, "" for a new one, and the file that it was filled from."""

    form: str
    entry: str
    digest: str


def why_not() -> str:
    """Why the visitor cannot edit; "" where they can."""
    if session.console().owner is None:
        return "This process only looks at the workspace; edit it in the console that owns it."
    return permission.denied(COMMAND)


def edit_button(form: Form, entry: str = "", *, label: str = "Edit", icon: str = ":material/edit:") -> None:
    """Opens the form, greyed out with the reason where the visitor cannot edit."""
    reason, key = why_not(), f"edit-{form.key}{f'-{entry}' if entry else ''}"
    st.button(
        label, icon=icon, key=key, disabled=bool(reason), help=reason or None, on_click=_open, args=(form.key, entry)
    )


def show_editor() -> None:
    """The drawer, where one is open. To be called at the end of the page."""
    opened: _Opened | None = st.session_state.get(_OPEN)
    if opened is None:
        return
    form = FORMS[opened.form]
    title = f"Add a {form.title.lower()}" if form.entry and not opened.entry else opened.entry or form.title

    def body() -> None:
        with frame.guarded(title):
            _body(opened, form)

    st.dialog(words.plain(title), width="medium", position="right", on_dismiss=close)(body)()


def _open(form: str, entry: str) -> None:
    try:
        digest = changing.written(session.console().settings.workspace).digest
    except ConsoleError as error:
        session.flash(error.message, error.remedy, kind="error")
        return
    close()
    st.session_state[_OPEN] = _Opened(form, entry, digest)


def close() -> None:
    """Forget what is open; it is gone with the next run."""
    for name in (_OPEN, _TESTED):
        st.session_state.pop(name, None)
    forget_seen()


def _body(opened: _Opened, form: Form) -> None:
    if reason := why_not():
        st.info(reason, icon=":material/lock:")
        return
    written = changing.written(session.console().settings.workspace)
    if written.digest != opened.digest:
        st.warning(
            "Close this and open it again, then you see what stands there now.", title=f"{FILE} was changed meanwhile"
        )
        return
    st.caption(form.lead)
    variables = _overruled(form)
    if (main := _main(form)) and all(name in variables for name in main):
        _read_only(variables)
        return
    name = opened.entry or (_name_of_new(form) if form.entry else "")
    before = drafts.shown(form, drafts.section_of(form, written.table, opened.entry), _usual(form))
    key = f"form-{form.key}-{opened.entry}"
    now = ask_for(form, before, key, variables, offered(form))
    look(form, before, now, written, key)
    changes, problems = drafts.changes(form, name, before, now), drafts.refusals(form, before, now)
    if form.entry and not opened.entry:
        problems = [*filter(None, [drafts.refused_name(form, name, _taken(form, written))]), *problems]
    ready = True
    if form is MODEL and opened.entry and changes:
        choice = choose_consequence(opened.entry, now, key)
        ready = choice.ready
        if choice.another is not None:
            name, blank = choice.another, drafts.shown(form, {}, _usual(form))
            changes = drafts.changes(form, name, blank, now)
            problems = [*filter(None, [drafts.refused_name(form, name, _taken(form, written))]), *problems]
    _decide(opened, form, name, changes, problems, written, ready=ready)


def _decide(
    opened: _Opened,
    form: Form,
    entry: str,
    changes: Sequence[Change],
    problems: Sequence[str],
    written: Written,
    *,
    ready: bool,
) -> None:
    """Test and save. What is not `ready` can only be tested."""
    _working()
    with st.container(horizontal=True, horizontal_alignment="right"):
        test = st.button("Test", icon=":material/network_check:", key="form-test")
        save = st.button("Save", type="primary", key="form-save", disabled=not changes or not ready) and ready
    if (test or save) and problems:
        for problem in problems:
            st.error(words.plain(problem), icon=":material/error:")
        return
    secrets = secrets_of(written.table)
    outcome = _tested(form, entry, changes, written, secrets, anew=test) if test or save else _known(changes, written)
    if outcome is None:
        return
    if save and outcome.works:
        _save(form, changes, opened.digest, secrets)
        return
    _tell(outcome)
    if not outcome.works and changes:
        anyway = st.button("Save although the test failed", key="form-save-anyway", disabled=not ready)
        if anyway and ready:
            _save(form, changes, opened.digest, secrets)


def _tested(
    form: Form, entry: str, changes: Sequence[Change], written: Written, secrets: frozenset[str], *, anew: bool
) -> Outcome:
    """What the test of these values found, now or a moment ago. It is remembered without any secret."""
    if not anew and (known := _known(changes, written)) is not None:
        return known
    console = session.console()
    with st.spinner("Asking…"):
        try:
            text = changing.changed(written.text, changes)
            candidate = settings.read(console.settings.workspace, text=text)
            secrets |= secrets_of(parsed(text, console.settings.workspace / FILE))
            found = tried(TESTS[form.key], console, candidate, entry)
        except ConsoleError as error:
            found = Outcome(False, error.message, error.remedy)
    outcome = Outcome(
        found.works,
        scrubbed(found.said, secrets),
        scrubbed(found.remedy, secrets),
        tuple(scrubbed(one, secrets) for one in found.remarks),
        tuple({name: scrubbed(value, secrets) for name, value in row.items()} for row in found.rows),
    )
    st.session_state[_TESTED] = (_mark(changes, written), outcome)
    return outcome


def _known(changes: Sequence[Change], written: Written) -> Outcome | None:
    mark, outcome = st.session_state.get(_TESTED, ("", None))
    return outcome if mark == _mark(changes, written) else None


def _mark(changes: Sequence[Change], written: Written) -> str:
    return f"{written.digest} {changes!r}"


def _tell(outcome: Outcome) -> None:
    if outcome.works:
        st.success(words.plain(outcome.said), icon=":material/check_circle:")
    else:
        st.error(words.plain(outcome.remedy), title=words.plain(outcome.said), icon=":material/error:")
    if outcome.remarks:
        st.caption("\n".join(f"- {words.plain(one)}" for one in outcome.remarks))
    if outcome.rows:
        st.dataframe(pd.DataFrame(outcome.rows), hide_index=True, alt="The first rows")


def _save(form: Form, changes: Sequence[Change], digest: str, secrets: frozenset[str]) -> None:
    with st.spinner("The workspace is being opened again…"):
        try:
            effect = change_settings(session.actor(), form.key, changes, digest)
        except ConsoleError as error:
            message, remedy = scrubbed(error.message, secrets), scrubbed(error.remedy, secrets)
            st.error(words.plain(f"{remedy} Nothing is changed."), title=words.plain(message), icon=":material/error:")
            return
    saved(form, effect)
    if _left_behind(session.console().settings.workspace):
        session.flash(f"{changing.FORMER} still has the secret that left {FILE}. Delete it once all works.")
    close()
    st.rerun()


def _left_behind(workspace: Path) -> bool:
    """Whether the former version has a secret that the file has no more."""
    former = (workspace / FILE).resolve().with_name(changing.FORMER)
    if not former.exists():
        return False
    now = secrets_of(changing.written(workspace).table, {})
    return bool(secrets_of(parsed(former.read_text(encoding="utf-8"), former), {}) - now)


def saved(form: Form, effect: Effect) -> None:
    """Say on the next run what was changed, and what became of runs."""
    st.cache_data.clear()
    session.flash(f"{form.title}: saved, and in force.")
    if effect.going_on:
        session.flash(f"{words.count(len(effect.going_on), 'run')} paused for it and went on.")
    for title in effect.waiting:
        session.flash(
            f"{title} was interrupted.",
            "It belongs to what was set before. Resume or cancel it under Runs.",
            kind="error",
        )


def _working() -> None:
    runs = session.console().ledger.runs(states=tuple(WORKING))
    if runs:
        verb = "work. They pause and go" if len(runs) > 1 else "works. It pauses and goes"
        st.caption(
            f":material/pause: {words.count(len(runs), 'run')} {verb} on when this is saved; where the store or the "
            "catalog becomes another one, it waits under Runs instead."
        )


def _name_of_new(form: Form) -> str:
    return (st.text_input(form.entry, key=f"form-{form.key}-entry", help=form.entry_help) or "").strip()


def _taken(form: Form, written: Written) -> Mapping[str, str]:
    taken = dict.fromkeys(drafts.entries(form, written.table), "another one here")
    if form.key == "models":
        taken |= {card.key: "another model" for card in session.console().models.cards.all()}
    return taken


def _usual(form: Form) -> Mapping[str, str]:
    return {"kind": session.console().settings.catalog.kind} if form.key == "catalog" else {}


def _main(form: Form) -> list[str]:
    """What a form is about, if anything: without it the rest cannot be edited with sense."""
    return [field.name for field in form.fields if field.needed]


def _overruled(form: Form) -> dict[str, str]:
    section = ".".join(form.section)
    return {field.name: name for field in form.fields if (name := overruled(section, field.name))}


def _read_only(variables: Mapping[str, str]) -> None:
    names = ", ".join(dict.fromkeys(variables.values()))
    st.info(
        f"{names} is set where the console was started, and the environment wins over {FILE}: what is written there "
        "would change nothing. Start the console without it to edit this here.",
        title="Told by the environment",
        icon=":material/lock:",
    )
