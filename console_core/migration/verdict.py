"""The result of a verification: green or red, the checks behind it, and what was found. Its keys are a contract."""

from collections.abc import Iterator, Mapping
from typing import Any

from console_core.catalog.sampling import SHARE, found_with
from console_core.migration.difference import DifferenceKind
from console_core.migration.differences import Differences
from console_core.migration.place import Place
from console_core.migration.verify_plan import VerifyPlan
from console_core.vectorstore.types import CollectionInfo

EXAMPLES = 20

_K = DifferenceKind


def verdict(plan: VerifyPlan, place: Place, info: CollectionInfo, records: Differences, run: str) -> dict[str, Any]:
    """The result of a verification that has looked at everything; `info` is of the collection as it is now."""
    found = records.counts(run)
    checks = list(_checks(plan, place, info, found))
    lost = {"losses": place.lost_examples} if place.lost else {}
    return {
        "verdict": "green" if all(check["ok"] for check in checks) else "red",
        "checks": checks,
        "points": place.held.points,
        "collection": plan.collection,
        "fingerprint": plan.fingerprint,
        "replaces": plan.replaces,
        "losses": place.lost,
        "examples": {**records.examples(run, EXAMPLES), **lost},
        "mode": "full" if plan.full else "sample",
        "differences": {str(kind): number for kind, number in found.items()},
        "surplus": records.surplus(run),
        "sample": _sample(plan, place),
        "signature": place.seen.as_json(),
        "steady": place.seen.same_as(place.held),
    }


def _checks(
    plan: VerifyPlan, place: Place, info: CollectionInfo, found: Mapping[DifferenceKind, int]
) -> Iterator[dict[str, Any]]:
    made = f"{info.stamp.model} {info.stamp.fingerprint}" if info.stamp else "no model recorded"
    yield _check("model", info.stamp is not None and info.stamp.fingerprint == plan.fingerprint, made)
    surplus = found[_K.EXTRA] + found[_K.DUPLICATE]
    yield _check("count", not surplus, f"{place.held.points:,} points, {place.found:,} of them expected")
    absent = f"{place.excused:,} known failures, {found[_K.MISSING]:,} missing"
    yield _check("ids", not found[_K.MISSING], f"{place.found:,} of {place.checked:,} pictures found, {absent}")
    has = f"{info.dimension}, the model's is {plan.dimension}"
    yield _check("dimension", info.dimension == plan.dimension, has)
    yield _check("fingerprints", not found[_K.FOREIGN], f"{_number(found[_K.FOREIGN], 'point')} from another model")
    yield _check("contents", not found[_K.STALE], f"{_number(found[_K.STALE], 'point')} of an older row or picture")
    invalid = found[_K.INVALID]
    told = f"{_number(invalid, 'vector')} not finite, not of length 1, or not of {plan.dimension} numbers"
    yield _check("norms", not invalid, told)
    yield _sample_check(plan, place, found[_K.WRONG_VECTOR])
    if plan.replaces:
        yield _losses_check(plan, place)


def _losses_check(plan: VerifyPlan, place: Place) -> dict[str, Any]:
    told = f"{_number(place.lost, 'picture')} that {plan.replaces} finds {'is' if place.lost == 1 else 'are'} lost"
    if place.strange:
        told += f"; {place.strange:,} of its {place.served:,} points could not be compared: no keys of the catalog"
    return _check("losses", not place.lost and not 0 < place.served == place.strange, told)


def _sample_check(plan: VerifyPlan, place: Place, wrong: int) -> dict[str, Any]:
    told = f"{place.derived:,} of {place.sound:,} pictures embedded again, lowest cosine {place.lowest:.5f}"
    if place.unreadable:
        told += f"; {place.unreadable:,} could not be read"
    if not plan.full and place.derived:
        probability = found_with(place.derived, place.sound)
        told += f"; {SHARE:.0%} wrong vectors would be found with {_percent(probability)} probability"
    return _check("sample", bool(place.derived) and not wrong, told)


def _sample(plan: VerifyPlan, place: Place) -> dict[str, Any]:
    """How many pictures were embedded again, of how many, and with which probability a share of wrong ones is found."""
    probability = 1.0 if plan.full else found_with(place.derived, place.sound)
    return {
        "size": place.derived,
        "of": place.sound,
        "unreadable": place.unreadable,
        "share": SHARE,
        "probability": probability,
    }


def _number(value: int, noun: str) -> str:
    return f"{value:,} {noun}{'' if value == 1 else 's'}"


def _percent(probability: float) -> str:
    """Rounded down: a promise must not be larger than what is kept."""
    return f"{int(probability * 1000) / 10:.1f} %"


def _check(name: str, ok: bool, detail: str) -> dict[str, Any]:
    return {"name": name, "ok": bool(ok), "detail": detail}
