"""The models that the console knows without their weights. Importing this imports neither torch nor a model library.

OpenAI's and Meta's weights were trained with QuickGELU; loading takes care of it, whichever architecture is named.
"""

from console_core.embedding.types import ModelCard


def _card(
    key: str,
    title: str,
    architecture: str,
    weights: str,
    dimension: int,
    image_size: int,
    licence: str,
    notes: str = "",
) -> ModelCard:
    family = "SigLIP 2" if "SigLIP2" in architecture else "SigLIP" if "SigLIP" in architecture else "CLIP"
    return ModelCard(
        key=key,
        title=title,
        family=family,
        architecture=architecture,
        weights=weights,
        dimension=dimension,
        image_size=image_size,
        licence=licence,
        notes=notes,
    )


_CLIP = (
    _card("clip-vit-b-32-openai", "CLIP ViT-B/32 (OpenAI)", "ViT-B-32", "openai", 512, 224, "MIT"),
    _card("clip-vit-b-32-laion2b", "CLIP ViT-B/32 (LAION-2B)", "ViT-B-32", "laion2b_s34b_b79k", 512, 224, "MIT"),
    _card("clip-vit-b-32-datacomp", "CLIP ViT-B/32 (DataComp)", "ViT-B-32", "datacomp_xl_s13b_b90k", 512, 224, "MIT"),
    _card("clip-vit-b-16-openai", "CLIP ViT-B/16 (OpenAI)", "ViT-B-16", "openai", 512, 224, "MIT"),
    _card("clip-vit-b-16-laion2b", "CLIP ViT-B/16 (LAION-2B)", "ViT-B-16", "laion2b_s34b_b88k", 512, 224, "MIT"),
    _card("clip-vit-b-16-datacomp", "CLIP ViT-B/16 (DataComp)", "ViT-B-16", "datacomp_xl_s13b_b90k", 512, 224, "MIT"),
    _card("clip-vit-l-14-openai", "CLIP ViT-L/14 (OpenAI)", "ViT-L-14", "openai", 768, 224, "MIT"),
    _card(
        *("clip-vit-l-14-laion2b", "CLIP ViT-L/14 (LAION-2B)", "ViT-L-14", "laion2b_s32b_b82k", 768, 224, "MIT"),
        notes="Pictures are normalised with mean and deviation 0.5, unlike its siblings.",
    ),
    _card("clip-vit-l-14-datacomp", "CLIP ViT-L/14 (DataComp)", "ViT-L-14", "datacomp_xl_s13b_b90k", 768, 224, "MIT"),
    _card("clip-vit-l-14-336-openai", "CLIP ViT-L/14 336 px (OpenAI)", "ViT-L-14-336", "openai", 768, 336, "MIT"),
    _card("clip-vit-h-14-laion2b", "CLIP ViT-H/14 (LAION-2B)", "ViT-H-14", "laion2b_s32b_b79k", 1024, 224, "MIT"),
)

_APACHE = "Apache-2.0"


def _siglip(size: str, variant: str, dimension: int, image_size: int) -> ModelCard:
    """`size` is "B-16", `variant` what open_clip's architecture name says behind it: "SigLIP2-256"."""
    generation, _, pixels = variant.partition("-")
    key = "-".join(part for part in (generation.lower(), f"vit-{size.lower()}", pixels, "webli") if part)
    name = "SigLIP 2" if generation == "SigLIP2" else "SigLIP"
    model = size.replace("-", "/")
    title = f"{name} {model if model.startswith('SO') else f'ViT-{model}'} {image_size} px"
    return _card(key, title, f"ViT-{size}-{variant}", "webli", dimension, image_size, _APACHE)


_SIGLIP = (
    _siglip("B-16", "SigLIP", 768, 224),
    _siglip("B-16", "SigLIP-256", 768, 256),
    _siglip("B-16", "SigLIP-384", 768, 384),
    _siglip("B-16", "SigLIP-512", 768, 512),
    _siglip("L-16", "SigLIP-256", 1024, 256),
    _siglip("L-16", "SigLIP-384", 1024, 384),
    _siglip("SO400M-14", "SigLIP", 1152, 224),
    _siglip("SO400M-14", "SigLIP-384", 1152, 384),
    _siglip("B-32", "SigLIP2-256", 768, 256),
    _siglip("B-16", "SigLIP2", 768, 224),
    _siglip("B-16", "SigLIP2-256", 768, 256),
    _siglip("B-16", "SigLIP2-384", 768, 384),
    _siglip("L-16", "SigLIP2-256", 1024, 256),
    _siglip("L-16", "SigLIP2-384", 1024, 384),
    _siglip("SO400M-14", "SigLIP2", 1152, 224),
    _siglip("SO400M-14", "SigLIP2-378", 1152, 378),
    _siglip("SO400M-16", "SigLIP2-384", 1152, 384),
    _siglip("gopt-16", "SigLIP2-384", 1536, 384),
)

_TIMM = (
    ModelCard(
        key="megadescriptor-l-384",
        title="MegaDescriptor-L-384",
        family="MegaDescriptor",
        architecture="timm:hf-hub:BVRA/MegaDescriptor-L-384",
        weights="",
        dimension=1536,
        image_size=384,
        has_text=False,
        licence="CC-BY-NC-4.0",
        notes="Tells animals apart. Pictures are squashed and normalised with 0.5, as its authors say.",
        library="timm",
    ),
)

CARDS: tuple[ModelCard, ...] = _CLIP + _SIGLIP + _TIMM
"""Every built-in card. `clip-vit-b-32-openai` and `siglip-vit-b-16-webli` are keys."""
