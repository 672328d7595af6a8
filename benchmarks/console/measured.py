"""One line of the report."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Measured:
    """Seconds: `wall` the median, `worst` the longest, `cpu` the server's own, each for one of `times`.

    `bytes` is what one sent. `budget` is the most that is allowed of what `judged` names, in its unit.
    """

    group: str
    name: str
    wall: float | None = None
    cpu: float | None = None
    worst: float | None = None
    bytes: int | None = None
    times: int = 1
    thumbnails: int = 0
    budget: float | None = None
    judged: str = "wall"

    @property
    def ratio(self) -> float | None:
        """What was measured over what is allowed; None where nothing is demanded."""
        return None if self.budget is None else float(getattr(self, self.judged)) / self.budget

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "ratio": self.ratio}
