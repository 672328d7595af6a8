"""The cards of models that the settings name."""

from pathlib import Path

from console_core.embedding.registry import from_settings
from console_core.embedding.types import ModelCard
from console_core.errors import ConsoleError
from console_core.settings import Settings


def own_cards(settings: Settings, cache: Path | None) -> tuple[list[ModelCard], tuple[ConsoleError, ...]]:
    """The cards of console.toml's models; one that is wrong there costs only itself."""
    cards, notices = [], []
    for model in settings.models:
        try:
            cards.append(from_settings(model, settings.workspace, cache))
        except ConsoleError as error:
            notices.append(type(error)(f"[models.{model.key}] {error.message}", error.remedy))
    return cards, tuple(notices)
