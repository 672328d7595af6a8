"""What an application's own switch and percentage mean here: a share of the traffic, set once it may be."""

import re
from collections.abc import Iterator, Mapping

from console_core.migration.variables import FAMILIES, Answer, Outcome

_SWITCH: Mapping[str, bool] = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


def rollout_answers(told: Mapping[str, str], *, alias: str, family: str, target: str) -> Iterator[Answer]:
    """An answer for each USE_… and …_ROLLOUT_PERCENTAGE: what share that would be, and the command that sets it.

    Nothing is set: a plan moves no traffic. `family` describes the new collection, "" where none does; `target` is its
    name, "" where that is chosen later.
    """
    for one in FAMILIES:
        use, rate = f"USE_{one}", f"{one}_ROLLOUT_PERCENTAGE"
        named = [name for name in (use, rate) if name in told]
        wrong = {name: found for name in named if (found := _wrong(name, told[name])) is not None}
        sound = {name: told[name] for name in named if name not in wrong}
        percent = _percent(sound[rate]) if rate in sound else 100.0
        on = use not in sound or _SWITCH[sound[use].lower()]
        yield from wrong.values()
        for name, value in sound.items():
            if family in ("", one):
                yield _answer(name, value, percent if on else 0.0, alias, target or "COLLECTION")
            else:
                text = "It is about what is served now, or another model than is wanted."
                yield Answer(name, value, Outcome.LEFT, text)


def _wrong(name: str, value: str) -> Answer | None:
    if name.startswith("USE_"):
        if value.lower() in _SWITCH:
            return None
        return Answer(name, value, Outcome.WRONG, "It is neither on nor off.", "Write true or false, or leave it out.")
    number = value.removesuffix("%").strip()
    if re.fullmatch(r"\d{1,3}(\.\d{1,2}0*)?", number) and float(number) <= 100:
        return None
    remedy = "Write a number from 0 to 100, with at most two decimals, or leave it out."
    return Answer(name, value, Outcome.WRONG, "It is not a share.", remedy)


def _percent(value: str) -> float:
    return float(value.removesuffix("%").strip())


def _answer(name: str, value: str, percent: float, alias: str, target: str) -> Answer:
    if not percent:
        text = f"That is no share: everybody gets what {alias} serves, as now. A plan moves no traffic."
        remedy = f"Once it is verified: embedding-console share {alias} --to {target} --percent 10"
        return Answer(name, value, Outcome.LEFT, text, remedy)
    text = f"That would be {percent:g} % of the traffic of {alias}. A plan moves none."
    remedy = f"Once it is verified: embedding-console share {alias} --to {target} --percent {percent:g}"
    if percent == 100:
        remedy += f"; or, for everybody, embedding-console cutover {alias} --to {target}"
    return Answer(name, value, Outcome.LEFT, text, remedy)
