"""From the variables of an application to the plan of a migration: each is answered for, nothing is half taken over."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from console_core.embedding.device import may_be_cuda
from console_core.embedding.types import ModelCard
from console_core.errors import ConsoleError, ModelUnknown
from console_core.migration.rollout_variables import rollout_answers
from console_core.migration.variables import ABOUT_A_MODEL, FAMILIES, NAMES, Answer, Here, Imported, Outcome
from console_core.runs.manners import MOST_BATCH

_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")


def imported(variables: Mapping[str, str], here: Here) -> Imported:
    """What the known variables mean here; one without a value counts as not set."""
    told = {name: value for name, value in variables.items() if name in NAMES and value}
    return _Import(told, here).result()


@dataclass
class _Import:
    """One import; `answers` grow, by the name of the variable."""

    told: Mapping[str, str]
    here: Here
    answers: dict[str, Answer] = field(default_factory=dict)

    def result(self) -> Imported:
        for name, value in self.told.items():
            if "${" in value:
                text = "It refers to another variable, which is not looked up here."
                self._wrong(name, text, "Write the value itself.")
        family = "" if self.answers else self._family()
        card = self._model(family)
        if family:
            self._dimension(family, card)
        target = self._target(family)
        batch = self._batch()
        self._device()
        self._rollout(family, target or self.here.target)
        answers = tuple(self.answers[name] for name in self.told if name in self.answers)
        if any(answer.outcome is Outcome.WRONG for answer in answers):
            return Imported(tuple(map(_given_up, answers)))
        return Imported(answers, card.key if card and not self.here.model else "", target, batch)

    def _say(self, name: str, outcome: Outcome, message: str, remedy: str = "") -> None:
        self.answers[name] = Answer(name, self.told[name], outcome, message, remedy)

    def _wrong(self, name: str, message: str, remedy: str) -> None:
        self._say(name, Outcome.WRONG, message, remedy)

    def _names(self, family: str) -> Iterator[str]:
        return (name for part in ABOUT_A_MODEL if (name := f"{family}_{part}") in self.told)

    def _family(self) -> str:
        """The family that describes the new collection; "" where none does, or two do."""
        named = [family for family in FAMILIES if any(self._names(family))]
        if len(named) < 2:
            return named[0] if named else ""
        new = [family for family in named if not self._describes_the_former(family)]
        if self.here.model:
            new = [family for family in new if self._means(family) == self._key(self.here.model)] or new
        for family in named:
            for name in self._names(family) if family not in new else ():
                self._say(name, Outcome.LEFT, "It describes what is served now, or another model than is wanted.")
        if len(new) == 1:
            return new[0]
        for family in new or named:
            for name in self._names(family):
                self._wrong(
                    name,
                    "SIGLIP_ and CLIP_ both could describe the new collection.",
                    "Leave out those of the model that serves now, or name the new model (--to).",
                )
        return ""

    def _describes_the_former(self, family: str) -> bool:
        served = self.here.served
        if served is None:
            return False
        if (collection := self.told.get(f"{family}_COLLECTION")) is not None:
            return collection in (served.name, self.here.alias)
        return served.stamp is not None and self._means(family) == served.stamp.model

    def _means(self, family: str) -> str:
        try:
            found = self._card(family)
        except ConsoleError:
            return ""
        return found.key if found else ""

    def _key(self, model: str) -> str:
        try:
            return self.here.cards.get(model).key
        except ConsoleError:
            return model

    def _card(self, family: str) -> ModelCard | None:
        """The model of a family; None where it names none.

        Raises:
            ConsoleError: no such model is known.
        """
        name, weights = (self.told.get(f"{family}_{part}", "") for part in ("MODEL_NAME", "PRETRAINED"))
        if not name:
            return None
        known = {card.key: card for card in self.here.cards.all()}
        if name in known:
            card = known[name]
            if weights and weights != card.weights:
                has = f"are {card.weights}" if card.weights else "have no tag"
                raise ModelUnknown(f"The weights of {name} {has}, not {weights}.", f"Leave {family}_PRETRAINED out.")
            return card
        if weights:
            return self.here.cards.get(f"{name}/{weights}")
        same = [card for card in known.values() if card.architecture == name]
        if len(same) == 1:
            return same[0]
        if same:
            tags = ", ".join(card.weights for card in same)
            raise ModelUnknown(f"{name} has several weights.", f"Set {family}_PRETRAINED to one of: {tags}.")
        return self.here.cards.get(name)

    def _model(self, family: str) -> ModelCard | None:
        """The model that shall embed: the one that a person named, else the one that the variables mean."""
        name, weights = f"{family}_MODEL_NAME", f"{family}_PRETRAINED"
        wanted = self._known(self.here.model) if self.here.model else None
        if not family:
            return wanted
        if name not in self.told:
            if weights in self.told:
                self._wrong(weights, "It names weights without a model.", f"Set {name} too, or leave it out.")
            return wanted
        try:
            card = self._card(family)
        except ConsoleError as error:
            self._wrong(name, error.message, error.remedy)
            return wanted
        if card is None or (wanted is not None and wanted.key != card.key):
            self._wrong(name, f"{self.here.model} is asked for, and this is another model.", "Name the same model.")
            return wanted
        outcome = Outcome.COMPARED if wanted else Outcome.TAKEN
        self._say(name, outcome, f"The model {card.key}, {card.title}.")
        if weights in self.told:
            self._say(weights, outcome, f"The weights of {card.key}.")
        return card

    def _known(self, model: str) -> ModelCard | None:
        try:
            return self.here.cards.get(model)
        except ConsoleError:  # the preflight says so
            return None

    def _dimension(self, family: str, card: ModelCard | None) -> None:
        name = f"{family}_EMBEDDING_DIM"
        if name not in self.told:
            return
        value = self.told[name]
        if not value.isdecimal():
            self._wrong(
                name, "It is not a whole number.", "Write the length of a vector, such as 768, or leave it out."
            )
        elif card is None:
            self._say(name, Outcome.LEFT, "No model is named whose vectors could be compared with it.")
        elif int(value) != card.dimension:
            text = f"{card.title} makes vectors of {card.dimension:,} numbers."
            self._wrong(name, text, "Name another model, or correct the number.")
        else:
            self._say(name, Outcome.COMPARED, f"{card.title} makes vectors of that length.")

    def _target(self, family: str) -> str:
        name = f"{family}_COLLECTION"
        if name not in self.told or name in self.answers:
            return ""
        value, served = self.told[name], self.here.served
        if value == self.here.alias or (served and value == served.name):
            text = "It is what is served now. The new collection is built beside it, under a name of its own."
            self._say(name, Outcome.LEFT, text)
            return ""
        if self.here.target and self.here.target != value:
            self._say(name, Outcome.LEFT, f"The new collection shall be called {self.here.target}.")
            return ""
        self._say(name, Outcome.TAKEN, "The name of the new collection.")
        return value

    def _batch(self) -> int | None:
        name = "GPU_BATCH_SIZE"
        if name not in self.told or name in self.answers:
            return None
        value = self.told[name]
        if not value.isdecimal() or len(value) > 9 or not 1 <= int(value) <= MOST_BATCH:
            self._wrong(name, "It is not a batch size.", f"Write a whole number from 1 to {MOST_BATCH:,}.")
            return None
        text = "So many pictures are written and recorded at a time; how many suit the device is found out by itself."
        self._say(name, Outcome.TAKEN, text)
        return int(value)

    def _device(self) -> None:
        name, own = "DEVICE", self.here.device
        if name not in self.told or name in self.answers:
            return
        value = self.told[name].lower()
        if not _DEVICE.fullmatch(value):
            self._wrong(name, "It is not a device that is known here.", "Use auto, cpu, cuda or cuda:<number>.")
            return
        means = ("cuda" if may_be_cuda(own) else "cpu") if own == "auto" else own
        agrees = value in ("auto", means, means.partition(":")[0])
        said = own if own == means else f"{own}, which means {means} here"
        text = f"It is a setting of the console, for everything it does, and says {said}: the two "
        self._say(
            name,
            Outcome.COMPARED,
            f"{text}{'agree' if agrees else 'differ'}.",
            "" if agrees else f'Set device = "{value}" in console.toml (CONSOLE_DEVICE) if you want that.',
        )

    def _rollout(self, family: str, target: str) -> None:
        for answer in rollout_answers(self.told, alias=self.here.alias, family=family, target=target):
            self.answers.setdefault(answer.name, answer)


def _given_up(answer: Answer) -> Answer:
    """An answer beside a wrong one: nothing is taken over."""
    if answer.outcome is not Outcome.TAKEN:
        return answer
    return replace(answer, outcome=Outcome.LEFT, message=f"{answer.message} Not taken over, because others are wrong.")
