"""With step 2: what an application keeps in its .env file, taken over into the draft."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from console_core.errors import ConsoleError
from console_core.migration.dot_env import known_in, variables_in
from console_core.migration.importing import imported
from console_core.migration.variables import NAMES, Answer, Here, Imported, Outcome
from console_core.ui import session, words
from console_core.ui.wizard.draft import Draft
from console_core.vectorstore.types import CollectionInfo

_FILE, _TEXT, _ANSWERS = "wizard-env-file", "wizard-env-text", "wizard-env-answers"
_IMPORTS = "wizard-env-imports"
"""How many imports there were: each has an upload of its own, so that no file is kept."""
_OUTCOMES = {
    Outcome.TAKEN: ":green[:material/check: Taken over]",
    Outcome.COMPARED: ":blue[:material/compare_arrows: Compared]",
    Outcome.LEFT: ":gray[:material/remove: Not taken over]",
    Outcome.WRONG: ":red[:material/error: Wrong]",
}


def import_settings(draft: Draft, served: CollectionInfo) -> None:
    """Draw the upload, the field to paste into, and an answer for each variable of the last import."""
    of, answers = st.session_state.get(_ANSWERS, ("", ()))
    answers = answers if of == draft.served else ()
    with st.expander("Import settings from a .env file", icon=":material/upload_file:", expanded=bool(answers)):
        st.caption(
            "SIGLIP_MODEL_NAME, SIGLIP_PRETRAINED, SIGLIP_EMBEDDING_DIM, SIGLIP_COLLECTION, GPU_BATCH_SIZE, DEVICE and "
            "the like, also with CLIP in place of SIGLIP. Everything else in it is passed over and not kept."
        )
        left, right = st.columns(2)
        file = left.file_uploader("A .env file", key=_upload())
        right.text_area("Or its lines", key=_TEXT, height=120, placeholder="SIGLIP_MODEL_NAME=ViT-B-16-SigLIP")
        given = file is not None or bool(st.session_state[_TEXT].strip())
        st.button(
            "Import",
            key="wizard-env-import",
            icon=":material/download:",
            disabled=not given,
            on_click=_import,
            args=(draft, served),
        )
        if answers:
            _table(answers)


def _upload() -> str:
    return f"{_FILE}-{st.session_state.get(_IMPORTS, 0)}"


def _import(draft: Draft, served: CollectionInfo) -> None:
    """Take over what can be; the text itself is forgotten, because there may be secrets in it."""
    file = st.session_state.get(_upload())
    text: bytes | str = file.getvalue() if file is not None else st.session_state[_TEXT]
    st.session_state[_TEXT] = ""
    st.session_state[_IMPORTS] = st.session_state.get(_IMPORTS, 0) + 1
    try:
        found = known_in(variables_in(text, file.name if file is not None else "the text"), NAMES)
    except ConsoleError as error:
        st.session_state.pop(_ANSWERS, None)
        session.flash(error.message, error.remedy, kind="error")
        return
    console = session.console()
    told = imported(found, Here(console.models.cards, draft.served, served, console.settings.device))
    st.session_state[_ANSWERS] = draft.served, told.answers
    if not told.answers:
        session.flash("It sets none of the variables that are known here.", "Nothing was taken over.", kind="error")
    elif told.wrong:
        wrong = ", ".join(answer.name for answer in told.wrong)
        session.flash(f"Nothing was taken over, because of {wrong}.", "Correct it, and import again.", kind="error")
    else:
        _into(draft, told)
        session.flash(f"{words.count(len(told.answers), 'variable')} answered for.")


def _into(draft: Draft, told: Imported) -> None:
    replace(
        draft,
        model=told.model or draft.model,
        target=told.target or draft.target,
        batch_size=told.batch_size or draft.batch_size,
    ).write()


def _table(answers: Sequence[Answer]) -> None:
    rows = [
        {
            "Variable": f"{words.plain(answer.name)} = {words.plain(answer.value)}",
            "Outcome": _OUTCOMES[answer.outcome],
            "What it means here": words.plain(f"{answer.message} {answer.remedy}".rstrip()),
        }
        for answer in answers
    ]
    st.table(pd.DataFrame(rows).style.hide(), border="horizontal", alt="What became of the imported variables")
