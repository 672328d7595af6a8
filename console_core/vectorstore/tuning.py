"""How a new collection shall be indexed and quantized: as another one is, or as a person chose."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from console_core.vectorstore.types import CollectionInfo, StoreInfo

Settings = Mapping[str, Any]
"""The settings of an index or of a quantization as plain data; empty where there is none."""

M = (2, 100)
EF_CONSTRUCT = (4, 1000)
QUANTILE = (0.5, 1.0)
"""From the least to the most that can be asked for, both included: what every store with an index takes."""

INT8 = "int8"
NONE = "none"
KINDS: Mapping[str, str] = {
    INT8: "INT8",
    "product": "product quantization",
    "binary": "binary quantization",
    "turbo": "TurboQuant",
    "float16": "half precision",
}
"""Every quantization that one of the stores has, and how people call it."""

RESCORING = (
    "INT8 compares rounded copies of the vectors, and a search ranks what it finds by the whole ones again only where "
    "it asks for that. Searches through this console do; let your application ask too: params = {quantization: "
    "{rescore: true, oversampling: 2.0}}."
)


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a person asks for. `index` names only what shall be otherwise than in the former collection;
    `quantization` is None where it shall be as there, and empty where there shall be none.
    """

    index: Settings = field(default_factory=dict)
    quantization: Settings | None = None

    @property
    def as_former(self) -> bool:
        return not self.index and self.quantization is None

    def over(self, index: Settings, quantization: Settings) -> tuple[Settings, Settings]:
        """The settings of the new collection, where the former one has these."""
        return {**index, **self.index}, quantization if self.quantization is None else self.quantization

    def problems(self) -> Iterator[str]:
        """What is asked for and out of range, in sentences."""
        for name, (least, most) in (("m", M), ("ef_construct", EF_CONSTRUCT)):
            value = self.index.get(name)
            if value is not None and not least <= value <= most:
                yield f"{name} = {value} is not between {least} and {most:,}."
        kind = (self.quantization or {}).get("type", INT8)
        if kind not in KINDS:
            yield f'"{kind}" is not a quantization; there are: {", ".join(KINDS)}.'
        quantile = (self.quantization or {}).get("quantile")
        if quantile is not None and not QUANTILE[0] <= quantile <= QUANTILE[1]:
            yield f"A quantile of {quantile} is not between {QUANTILE[0]} and {QUANTILE[1]}."


def quantization_of(kind: str) -> dict[str, Any]:
    """A quantization of this kind with what it needs; {} for none."""
    needs: dict[str, dict[str, Any]] = {INT8: {"quantile": 0.99}, "product": {"compression": "x16"}}
    return {} if kind == NONE else {"type": kind, **needs.get(kind, {})}


AS_FORMER = Tuning()
OF_QDRANT = ("int8", "product", "binary", "turbo")
"""The quantizations that Qdrant's engine has, on a server or embedded."""
USUAL = Tuning({"m": 16, "ef_construct": 100}, {**quantization_of(INT8), "always_ram": True})
"""The set that is proposed where another one than the former collection's is wanted."""


def proposed(store: StoreInfo) -> Tuning:
    """That set, without INT8 where the store quantizes in other ways only."""
    return USUAL if INT8 in store.quantizations or not store.quantizations else Tuning(USUAL.index, {})


def settings_of(info: CollectionInfo) -> tuple[Settings, Settings]:
    """Index and quantization of a collection as they were asked for, as far as the store noted it, else in force."""
    return {**info.index, **info.wished_index}, info.wished_quantization or info.quantization


def not_in_force(store: StoreInfo, index: Settings, quantization: Settings, dimension: int) -> list[str]:
    """What of these settings a store would only note, for vectors of so many numbers."""
    noted = []
    if index and store.indexed_up_to is not None and dimension > store.indexed_up_to:
        noted.append(index_text(index))
    if quantization and quantization.get("type") not in store.quantizations:
        noted.append(quantization_text(quantization))
    return noted


def index_text(index: Settings) -> str:
    """An index for people: "HNSW, m 16, ef_construct 100"."""
    known = [name for name in ("m", "ef_construct") if index.get(name) is not None]
    others = [name for name, value in index.items() if value is not None and name not in known]
    return ", ".join(["HNSW", *(f"{name} {_said(index[name])}" for name in (*known, *others))]) if index else "none"


def quantization_text(quantization: Settings) -> str:
    """A quantization for people: "INT8, quantile 0.99, always in memory"."""
    if not quantization:
        return NONE
    told = [KINDS.get(str(quantization.get("type")), str(quantization.get("type")))]
    for name, value in quantization.items():
        if name not in ("type", "always_ram") and value is not None:
            told.append(f"{name} {_said(value)}")
    return ", ".join([*told, *(["always in memory"] if quantization.get("always_ram") else [])])


def lacking(asked: Settings, has: Settings) -> dict[str, Any]:
    """What is asked for and not had. A switch that is off is the same as one that is not there."""
    return {name: value for name, value in asked.items() if (value or None) != (has.get(name) or None)}


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,}" if isinstance(value, int) else str(value)
