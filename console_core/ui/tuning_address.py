"""The tuning of a draft in the address: m, ef, quantization, quantile and ram."""

from collections.abc import Mapping

from console_core.vectorstore.tuning import INT8, KINDS, NONE, Tuning, quantization_of


def tuning_in(told: Mapping[str, str]) -> Tuning:
    """What an address says. What makes no sense there is left out."""
    index = {
        name: int(value)
        for name, short in (("m", "m"), ("ef_construct", "ef"))
        if (value := told.get(short, "")).isdecimal() and len(value) < 6
    }
    kind = told.get("quantization", "")
    if kind not in (NONE, *KINDS):
        return _within(Tuning(index))
    wanted = quantization_of(kind)
    if kind == INT8:
        wanted["quantile"] = _share(told.get("quantile", ""))
    if wanted and told.get("ram", "") == "1":
        wanted["always_ram"] = True
    return _within(Tuning(index, wanted))


def written(tuning: Tuning) -> dict[str, str]:
    """What an address says of it; nothing where everything is as in the former collection."""
    said = {
        short: str(tuning.index[name]) for name, short in (("m", "m"), ("ef_construct", "ef")) if name in tuning.index
    }
    if tuning.quantization is None:
        return said
    said |= {"quantization": str(tuning.quantization.get("type", NONE))}
    said |= {"quantile": f"{tuning.quantization['quantile']:g}"} if "quantile" in tuning.quantization else {}
    return said | ({"ram": "1"} if tuning.quantization.get("always_ram") else {})


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.99


def _within(tuning: Tuning) -> Tuning:
    """Nothing of it where a value is out of range: the address was not written by the wizard."""
    return Tuning() if any(tuning.problems()) else tuning
