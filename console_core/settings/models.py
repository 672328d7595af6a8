"""Models of the user's own: the sections [models.<key>]."""

from pathlib import Path
from typing import Any

from console_core.errors import SettingsError
from console_core.settings.section import Section
from console_core.settings.types import ModelSettings

_MODEL = ("architecture", "weights", "title", "dimension", "image_size", "template")


def model_settings(table: Any, file: Path) -> tuple[ModelSettings, ...]:
    Section("models", table, file, tuple(table) if isinstance(table, dict) else ())
    return tuple(_model(Section(f"models.{key}", entry, file, _MODEL), key, file) for key, entry in table.items())


def _model(section: Section, key: str, file: Path) -> ModelSettings:
    if not section.text("architecture"):
        raise SettingsError(
            f"[models.{key}] in {file} names no architecture.",
            'Add architecture = "…", an open_clip name, timm:<name> or local-dir:<folder>.',
        )
    return ModelSettings(
        key=key,
        architecture=section.text("architecture"),
        weights=section.text("weights"),
        title=section.text("title"),
        template=section.text("template"),
        dimension=section.number("dimension", 0),
        image_size=section.number("image_size", 0),
    )
