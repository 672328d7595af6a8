"""What the variables of an application's own migration mean here: each is answered for, and nothing is half taken over.

An application that switches between CLIP and SigLIP by its environment has most of these: SIGLIP_MODEL_NAME,
SIGLIP_PRETRAINED, SIGLIP_EMBEDDING_DIM, SIGLIP_COLLECTION, USE_SIGLIP, SIGLIP_ROLLOUT_PERCENTAGE, the same with CLIP in
place of SIGLIP, GPU_BATCH_SIZE and DEVICE.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from console_core.embedding.registry import ModelCards
from console_core.migration.findings import Request
from console_core.vectorstore.types import CollectionInfo

FAMILIES = ("SIGLIP", "CLIP")
ABOUT_A_MODEL = ("MODEL_NAME", "PRETRAINED", "EMBEDDING_DIM", "COLLECTION")
NAMES = frozenset(
    [
        *(f"{family}_{part}" for family in FAMILIES for part in (*ABOUT_A_MODEL, "ROLLOUT_PERCENTAGE")),
        *(f"USE_{family}" for family in FAMILIES),
        *("GPU_BATCH_SIZE", "DEVICE"),
    ]
)
"""All that are answered for; every other variable is passed over."""


class Outcome(StrEnum):
    """What became of a variable."""

    TAKEN = "taken over"
    COMPARED = "compared"
    LEFT = "not taken over"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one variable means here."""

    name: str
    value: str
    outcome: Outcome
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.name}={self.value}  {self.outcome}: {self.message} {self.remedy}".rstrip()


@dataclass(frozen=True, slots=True)
class Here:
    """What the variables are compared with: the models, what is served under `alias`, the console's own `device`, and
    the model and target that a person named besides ("": none)."""

    cards: ModelCards
    alias: str
    served: CollectionInfo | None
    device: str
    model: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """An answer for each known variable, and what is taken over of them: nothing where one is wrong."""

    answers: tuple[Answer, ...] = ()
    model: str = ""
    target: str = ""
    batch_size: int | None = None

    @property
    def wrong(self) -> tuple[Answer, ...]:
        return tuple(answer for answer in self.answers if answer.outcome is Outcome.WRONG)

    def into(self, request: Request) -> Request:
        """The request with what is taken over."""
        return replace(
            request,
            model=self.model or request.model,
            target=self.target or request.target,
            batch_size=self.batch_size or request.batch_size,
        )
