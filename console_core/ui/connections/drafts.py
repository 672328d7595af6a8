"""What a form says of console.toml, and what it would make of it. Pure: nothing here draws, reads or writes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console_core.settings.changing import Change, Value
from console_core.settings.overruling import is_set
from console_core.settings.secrets import HIDDEN, has_password, reference, without_password
from console_core.settings.section import FILE, REFERENCE
from console_core.ui.connections.fields import Field, Form

_REFERRING = re.compile(rf"(?:(?:Bearer|Basic|Token) +)?{REFERENCE.pattern}", re.IGNORECASE)
_ENTRY = re.compile(r"[\w.-]{1,60}")


@dataclass(frozen=True, slots=True)
class Kept:
    """A secret that stands in the file and stays there. `told` is what may be said of it."""

    told: str


Said = Value | Kept
Values = Mapping[str, Said]


def section_of(form: Form, table: Mapping[str, Any], entry: str = "") -> Mapping[str, Any]:
    """The part of console.toml, as written, that a form edits; empty where there is none."""
    for name in (*form.section, *([entry] if entry else [])):
        inner = table.get(name, {})
        table = inner if isinstance(inner, Mapping) else {}
    return table


def entries(form: Form, table: Mapping[str, Any]) -> list[str]:
    """The names of what a form with entries has."""
    return [name for name, value in section_of(form, table).items() if isinstance(value, Mapping)]


def shown(form: Form, section: Mapping[str, Any], usual: Values) -> dict[str, Said]:
    """What the form shows: what is written, else what is usual, and of secrets only that they are there."""
    return {field.name: _shown(field, section, usual.get(field.name, field.default)) for field in form.fields}


def asked(form: Form, values: Values) -> list[Field]:
    """The settings that are asked for, by the form's first choice, or by the kinds of its first addresses."""
    first = values.get(form.fields[0].name)
    kinds = {line.partition("://")[0].lower() for line in first} if isinstance(first, list) else {first}
    return [field for field in form.fields if not field.only or kinds & set(field.only)]


def changes(form: Form, entry: str, before: Values, now: Values) -> list[Change]:
    """What is to be written: that which differs. What was emptied is removed, and means what is usual."""
    place, found = (*form.section, *([entry] if entry else [])), []
    for field in asked(form, now):
        old, new = before.get(field.name), now[field.name]
        if old == new or isinstance(new, Kept):
            continue
        if field.kind == "headers":
            former, later = _headers(old), _headers(new)
            places = {name: (*place, *field.name.split("."), name) for name in {**former, **later}}
            found += [Change(at, later.get(name)) for name, at in places.items() if former.get(name) != later.get(name)]
        elif field.rest:
            first, others = _split(new)
            if first != _split(old)[0]:
                found.append(Change((*place, field.name), first or None))
            if others != _split(old)[1]:
                found.append(Change((*place, field.rest), others or None))
        else:
            single = field.one_is_text and isinstance(new, list) and len(new) == 1
            value = new[0] if single and isinstance(new, list) else new
            found.append(Change((*place, *field.name.split(".")), None if value in ("", []) else value))
        if field.with_kind:
            found.append(Change((*place, "kind"), str(now["kind"])))
    return found


def refusals(form: Form, before: Values, now: Values) -> list[str]:
    """Why what a form says cannot be kept, in sentences that name no secret."""
    found = []
    for field in asked(form, now):
        said = now[field.name]
        if field.needed and said in ("", [], *field.options):
            found.append(f"{field.label} is missing.")
        if said == before.get(field.name) or isinstance(said, Kept):
            continue
        match field.kind, said:
            case "secret", str() if said and not is_set(reference(said)):
                found.append(
                    f"{field.label}: no environment variable of this name is set where the console runs. Set it there, "
                    "start the console again, and write its name here, never the secret itself."
                )
            case "address", str() if has_password(said):
                found.append(
                    f"{field.label} has a password in it. Put the password into an environment variable, and write "
                    f"${{NAME}} for it: {_with_name(said)}."
                )
            case "address", str() if REFERENCE.search(said) and not _only_secret(said):
                found.append(
                    f"{field.label} refers to the environment where no password is. Write what it is, as it is shown "
                    "on this page."
                )
            case "headers", list() if _bare(said, before.get(field.name)):
                found.append(
                    f"{field.label} need a name and a reference to the environment in each line, such as "
                    "Authorization: Bearer ${NAME}; what is written in the file already may stay."
                )
            case "lines", list() if any(has_password(line) for line in said):
                found.append(f"{field.label} have a password in them, which would be shown.")
            case (("text" | "columns" | "lines" | "prefixed"), _) if REFERENCE.search(str(said)):
                found.append(f"{field.label} refers to the environment. Write what it is, as it is shown on this page.")
    return found


def refused_name(form: Form, name: str, taken: Mapping[str, str]) -> str:
    """Why an entry cannot have this name; "" where it can. `taken` says of each name what has it."""
    if not name:
        return f"{form.entry} is missing."
    if not _ENTRY.fullmatch(name):
        return f'{form.entry} can have letters, digits, ".", "-" and "_".'
    return f"{name} is the name of {taken[name]} already." if name in taken else ""


def _shown(field: Field, section: Mapping[str, Any], usual: Said) -> Said:
    *within, name = field.name.split(".")
    for part in within:
        inner = section.get(part, {})
        section = inner if isinstance(inner, Mapping) else {}
    written = section.get(name)
    match field.kind, written:
        case "secret", str() if written and not reference(written):
            return Kept(f"written in {FILE}")
        case "address", str() if has_password(written):
            return Kept(without_password(written))
        case "lines", _:
            first, others = written if isinstance(written, str) else _split(usual)[0], section.get(field.rest, [])
            return [line for line in (first, *others) if line]
        case "headers", Mapping():
            return [f"{name}: {value if _is_reference(str(value)) else HIDDEN}" for name, value in written.items()]
        case "columns", str():
            return [written]
    return usual if written is None else written


def _headers(lines: Said | None) -> dict[str, str]:
    pairs = (str(line).partition(":") for line in lines) if isinstance(lines, list) else ()
    return {name.strip(): value.strip() for name, _, value in pairs}


def _bare(lines: Said, before: Said | None) -> bool:
    """Whether a header that is new has a value which is no reference, with the word of its scheme at most."""
    former = _headers(before)
    return any(
        not name or (former.get(name) != value and not _is_reference(value)) for name, value in _headers(lines).items()
    )


def _is_reference(value: str) -> bool:
    return bool(_REFERRING.fullmatch(value))


def _split(lines: Said | None) -> tuple[str, list[str]]:
    texts = [str(line) for line in lines] if isinstance(lines, list) else []
    return (texts[0], texts[1:]) if texts else ("", [])


def _only_secret(address: str) -> bool:
    """Whether all that an address refers to the environment for is its password, or the address as a whole."""
    return bool(reference(address)) or not REFERENCE.search(without_password(address))


def _with_name(address: str) -> str:
    return without_password(address).replace("•••", "${NAME}")
