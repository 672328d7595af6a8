"""The model cards of the two demo models. Importing this loads neither."""

from pathlib import Path

from console_core.embedding.types import ModelCard

MODELS = Path(__file__).resolve().with_name("models")
"""The folder of the packaged models: one folder each, with open_clip_config.json, weights and tokenizer."""


def _card(key: str, title: str, family: str, dimension: int, image_size: int, notes: str) -> ModelCard:
    return ModelCard(
        key=key,
        title=title,
        family=family,
        architecture=f"local-dir:{MODELS / key}",
        weights="",
        dimension=dimension,
        image_size=image_size,
        licence="Apache-2.0",
        notes=notes,
    )


DEMO_CARDS: tuple[ModelCard, ...] = (
    _card("demo-clip", "Demo CLIP", "CLIP", 128, 64, "Small and real: trained on the demo's pictures only."),
    _card("demo-siglip", "Demo SigLIP", "SigLIP", 192, 80, "Small and real: trained on the demo's pictures only."),
)
"""demo-clip fills the demo's collection; demo-siglip is what to migrate to."""
