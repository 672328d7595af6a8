"""Judges: what counts of their grades, and whether they agree: Krippendorff's alpha (2018), through evalica. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console_core.judging.judgements import Judgement
from console_core.judging.protocol import Scale
from console_core.querylab.rankings import Grades


def counting(given: Sequence[Judgement], pools: Mapping[str, Sequence[str]]) -> list[Judgement]:
    """The grades that count: for each query those of judges who graded its whole pool.

    A judge who graded only what one column found would lower (or raise) that column's grades alone, since of several
    grades the lower median counts. What is in no pool is compared with nothing, and counts as it is.
    """
    graded: dict[tuple[str, str], set[str]] = {}
    for one in given:
        graded.setdefault((one.judge, one.query), set()).add(one.key)
    whole = {unit for unit, keys in graded.items() if keys.issuperset(pools.get(unit[1], ()))}
    return [one for one in given if (one.judge, one.query) in whole]


@dataclass(frozen=True, slots=True)
class JudgesAgreement:
    """1 is agreement throughout, 0 what chance alone would give, below it worse than chance.

    `shared` pictures of a query were graded by two judges or more, of `graded` in all, and by `judges` judges in all.
    `alpha` is None where it has no value, and `reason` says why. Grades 0 to 3 are compared by their order, yes and no
    as names.
    """

    alpha: float | None
    judges: int
    shared: int
    graded: int
    reason: str = ""


def judges_agreement(judgments: Mapping[str, Grades], scale: Scale) -> JudgesAgreement:
    """The agreement of judges, each with the grades that they gave."""
    units: dict[tuple[str, str], dict[str, int]] = {}
    for judge, grades in judgments.items():
        for query, given in grades.items():
            for key, grade in given.items():
                units.setdefault((query, key), {})[judge] = grade
    judges = sorted({judge for given in units.values() for judge in given})
    shared = {unit: given for unit, given in sorted(units.items()) if len(given) > 1}
    counts = (len(judges), len(shared), len(units))
    if len(judges) < 2:
        return JudgesAgreement(None, *counts, "Fewer than two judges have graded.")
    if not shared:
        return JudgesAgreement(None, *counts, "No picture was graded by two judges.")
    if len({grade for given in shared.values() for grade in given.values()}) == 1:
        text = "Every shared picture has the same grade, so that agreement cannot be told from chance."
        return JudgesAgreement(None, *counts, text)
    import evalica
    import pandas as pd

    table = pd.DataFrame([[given.get(judge) for given in shared.values()] for judge in judges], dtype="float64")
    found = evalica.alpha(table, "ordinal" if scale == "graded" else "nominal")
    return JudgesAgreement(float(found.alpha), *counts)
