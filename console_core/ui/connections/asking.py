"""The settings of a form as widgets. No secret is ever put into one."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import streamlit as st

from console_core.settings.overruling import is_set
from console_core.settings.secrets import reference
from console_core.settings.section import FILE
from console_core.ui import words
from console_core.ui.connections.drafts import Kept, Said, Values, asked
from console_core.ui.connections.fields import Field, Form


def ask_for(
    form: Form, before: Values, key: str, overruled: Mapping[str, str], offered: Mapping[str, Sequence[str]]
) -> dict[str, Said]:
    """Draw the form, filled with what holds now; what it says.

    `overruled` settings cannot be changed here. What is `offered` for one can be chosen, and anything else typed.
    """
    values: dict[str, Said] = dict(before)

    def draw(fields: Iterable[Field]) -> None:
        for row in _rows(field for field in fields if field in asked(form, values)):
            with st.container(horizontal=len(row) > 1, gap="small"):
                for field in row:
                    variable = overruled.get(field.name, "")
                    place, choices = f"{key}-{field.name}", offered.get(field.name, ())
                    values[field.name] = _ask(field, before[field.name], place, variable, choices)

    first, *others = (field for field in form.fields if not field.more)
    draw([first])  # what it says decides which of the others are asked for
    draw(others)
    if folded := [field for field in asked(form, values) if field.more]:
        with st.expander("More"):
            draw(folded)
    return values


def _rows(fields: Iterable[Field]) -> list[list[Field]]:
    rows: list[list[Field]] = []
    for field in fields:
        if field.beside and rows:
            rows[-1].append(field)
        else:
            rows.append([field])
    return rows


def _ask(field: Field, value: Said, key: str, variable: str, offered: Sequence[str]) -> Said:
    if variable:
        st.text_input(field.label, placeholder=f"Told by {variable}", disabled=True, key=key)
        return value
    if field.kind == "columns":
        return _columns(field, value, key, offered)
    if offered:
        return _one_of(field, value, key, offered)
    return _WIDGETS[field.kind](field, value, key)


def _text(field: Field, value: Said, key: str) -> Said:
    return (
        st.text_input(field.label, str(value), key=key, help=_help(field), placeholder=_example(field)) or ""
    ).strip()


def _address(field: Field, value: Said, key: str) -> Said:
    if not isinstance(value, Kept):
        return _text(field, value, key)
    help, example = _help(field), "Leave it empty to keep the address that is written there"
    typed = st.text_input(field.label, key=key, help=help, placeholder=example, autocomplete="off")
    _written_in_file(f"{words.plain(value.told)} is")
    return (typed or "").strip() or value


def _secret(field: Field, value: Said, key: str) -> Said:
    name = st.text_input(
        f"{field.label}: environment variable",
        "" if isinstance(value, Kept) else reference(str(value)),
        key=key,
        help=f"{field.help} Only the variable's name is kept, as ${{NAME}}.".strip(),
        placeholder=_example(field),
        autocomplete="off",
    )
    name = (name or "").strip()
    if name:
        st.caption(f"It is {':green-badge[set]' if is_set(name) else ':red-badge[not set]'} where the console runs.")
        return f"${{{name}}}"
    if not isinstance(value, Kept):
        return ""
    _written_in_file("It is")
    return "" if st.checkbox(f"Remove it from {FILE}", key=f"{key}-remove") else value


def _number(field: Field, value: Said, key: str) -> Said:
    number = value if isinstance(value, int) else field.least
    said = st.number_input(field.label, min_value=field.least, value=number, step=1, key=key, help=_help(field))
    return int(said)


def _truth(field: Field, value: Said, key: str) -> Said:
    return st.toggle(field.label, value=value is True, key=key, help=_help(field))


def _choice(field: Field, value: Said, key: str) -> Said:
    options = list(field.options)
    known = options.index(str(value)) if value in options else 0
    return st.selectbox(field.label, options, known, format_func=_called(field), key=key, help=_help(field)) or value


def _one_of(field: Field, value: Said, key: str, offered: Sequence[str]) -> Said:
    options = list(dict.fromkeys(("", *filter(None, (str(value), st.session_state.get(key))), *offered)))
    said = st.selectbox(
        field.label,
        options,
        options.index(str(value)),
        format_func=lambda name: name or "None",
        key=key,
        help=_help(field),
        accept_new_options=True,
    )
    return said or ""


def _columns(field: Field, value: Said, key: str, offered: Sequence[str]) -> Said:
    names = value if isinstance(value, list) else []
    said: Sequence[str] = st.multiselect(
        field.label,
        list(dict.fromkeys((*names, *st.session_state.get(key, ()), *offered))),
        names,
        key=key,
        help=_help(field),
        accept_new_options=True,
        placeholder="Type a name, then Enter",
    )
    return list(said)


def _lines(field: Field, value: Said, key: str) -> Said:
    text = "\n".join(value) if isinstance(value, list) else ""
    said = st.text_area(field.label, text, height=120, key=key, help=_help(field), placeholder=_example(field)) or ""
    return list(dict.fromkeys(line.strip() for line in said.splitlines() if line.strip()))


def _prefixed(field: Field, value: Said, key: str) -> Said:
    text = str(value)
    prefix = max((one for one in field.options if text.startswith(one)), key=len, default="")
    chosen = st.selectbox(
        field.label,
        list(field.options),
        list(field.options).index(prefix),
        format_func=_called(field),
        key=f"{key}-kind",
    )
    rest = text.removeprefix(prefix) if chosen == prefix else ""
    named = "Folder" if "dir" in chosen else "Name"
    typed = st.text_input(named, rest, key=f"{key}-{chosen}", help=_help(field), placeholder=_example(field))
    return f"{chosen}{(typed or '').strip()}"


def _called(field: Field) -> Callable[[str], str]:
    return lambda option: field.options.get(option, option)


def _help(field: Field) -> str | None:
    return words.plain(field.help) or None


def _example(field: Field) -> str | None:
    return field.example or None


def _written_in_file(what: str) -> None:
    st.caption(
        f":material/key: {what} :orange-badge[written in {FILE}] and stays there. It is safer in an environment "
        "variable: name one here, and the secret leaves the file."
    )


_WIDGETS: Mapping[str, Callable[[Field, Said, str], Said]] = {
    "text": _text,
    "address": _address,
    "secret": _secret,
    "number": _number,
    "truth": _truth,
    "choice": _choice,
    "lines": _lines,
    "headers": _lines,
    "prefixed": _prefixed,
}
