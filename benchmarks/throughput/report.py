"""The figures of one case as a table, as JSON, and as a section of a document."""

from dataclasses import dataclass, field
from statistics import median
from typing import Any

BOTTLENECKS = {
    "forward": "the forward pass",
    "decode": "decoding and resizing",
    "read": "reading files",
    "transfer": "the way to the card",
    "upsert": "the store",
}


@dataclass(slots=True)
class Case:
    """One benchmark: what was measured on what. Every list has a figure for each repetition."""

    title: str
    device: str
    mode: str
    sink: str
    pictures: str
    stages: dict[str, list[float]] = field(default_factory=dict)
    ours: list[float] = field(default_factory=list)
    peers: dict[str, list[float]] = field(default_factory=dict)
    limits: list[float] = field(default_factory=list)
    parity: dict[str, float] = field(default_factory=dict)
    growth: int = 0
    bound: int = 0
    load: float = 0.0
    remarks: list[str] = field(default_factory=list)
    models: int = 1
    at_once: list[float] = field(default_factory=list)
    """Pictures a second, each embedded by all `models`."""
    as_long: list[float] = field(default_factory=list)
    """How long that took, in times of the slowest of them alone."""
    decoded: list[float] = field(default_factory=list)
    """How often each picture was decoded for all of them together."""

    @property
    def efficiency(self) -> float:
        """The median over the repetitions of what was reached of the limit, which was measured beside it."""
        return median(rate / limit for rate, limit in zip(self.ours, self.limits, strict=True))

    def ahead_of(self, peer: str) -> float:
        """How many times as fast, the median over the repetitions."""
        return median(rate / other for rate, other in zip(self.ours, self.peers[peer], strict=True))

    @property
    def bottleneck(self) -> str:
        rates = {stage: median(found) for stage, found in self.stages.items()}
        return BOTTLENECKS[min(rates, key=rates.__getitem__)]

    def as_json(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {**plain, "efficiency": self.efficiency, "bottleneck": self.bottleneck}

    def lines(self) -> list[tuple[str, str, str]]:
        """What, pictures a second, and beside what."""
        rows = [(f"{stage} alone", _rate(found), "") for stage, found in self.stages.items()]
        rows.append(("the limit of them", _rate(self.limits), self.bottleneck))
        rows.append(("**the console, end to end**", _rate(self.ours), f"**{self.efficiency:.2f} of the limit**"))
        if self.at_once:
            beside = f"**{median(self.as_long):.2f}× as long as the slowest alone**"
            often = f"{beside}, each picture decoded {median(self.decoded):.2f} times"
            rows.append((f"**{self.models} models at once**", _rate(self.at_once), often))
        rows += [(peer, _rate(found), f"we are {self.ahead_of(peer):.1f}×") for peer, found in self.peers.items()]
        return rows


def _rate(found: list[float]) -> str:
    value = median(found)
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def markdown(cases: list[Case], machine: str) -> str:
    """All cases, one table each."""
    parts = [f"{machine}."]
    for case in cases:
        head = f"**{case.title}**: {case.device}; mode {case.mode}; sink: {case.sink}; {case.pictures}."
        rows = "\n".join(f"| {what} | {rate} | {beside} |" for what, rate, beside in case.lines())
        told = [f"{name}: {_figure(value)}" for name, value in case.parity.items()]
        told.append(f"memory: {case.growth / 1e6:,.0f} MB more than before, stated bound {case.bound / 1e6:,.0f} MB")
        told += case.remarks
        parts.append(f"{head}\n\n| | pictures/s | |\n| --- | ---: | --- |\n{rows}\n\n{'; '.join(told)}.")
    return "\n\n".join(parts)


def text(cases: list[Case], machine: str) -> str:
    """The same for a terminal."""
    parts = [machine]
    for case in cases:
        lines = [f"{case.title}: {case.device}; mode {case.mode}; sink {case.sink}; {case.pictures}"]
        lines += [
            f"  {what.replace('*', ''):32}{rate:>10}  {beside.replace('*', '')}" for what, rate, beside in case.lines()
        ]
        lines += [f"  {name}: {_figure(value)}" for name, value in case.parity.items()]
        lines.append(f"  memory: +{case.growth / 1e6:,.0f} MB (stated bound {case.bound / 1e6:,.0f} MB)")
        parts.append("\n".join([*lines, *(f"  {remark}" for remark in case.remarks)]))
    return "\n\n".join(parts)


def _figure(value: float) -> str:
    return f"{value:.7f}" if 0.5 < value < 1 else f"{value:g}" if value < 0.5 else f"{value:.1f}"
