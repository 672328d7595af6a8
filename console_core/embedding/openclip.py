"""Models of open_clip: CLIP, SigLIP and their kin. torch and open_clip are imported when the first one is loaded."""

from pathlib import Path
from typing import Any

from console_core.embedding import fingerprint as fingerprints
from console_core.embedding.files import LOCAL, ModelFolder
from console_core.embedding.openclip_folder import MERGES
from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.towers import Towers


def build(folder: ModelFolder) -> Towers:
    """The model with its weights, on the CPU in float32. Pickles are opened with weights_only."""
    import open_clip

    source = f"{LOCAL}{folder.path}"
    model = open_clip.create_model(source, device="cpu", weights_only=True, pretrained_text=False)
    tokenizer = None
    if folder.has_tokenizer:
        merges = folder.path / MERGES
        extra = {"bpe_path": str(merges)} if merges.is_file() else {}
        tokenizer = open_clip.get_tokenizer(source, **extra)
    fed = model.visual.preprocess_cfg
    return Towers(
        model=model,
        preprocessing=Preprocessing.of(fed),
        fed=fingerprints.counting(fed, fingerprints.OPEN_CLIP),
        architecture=folder.model,
        picture_tower=str(folder.model["vision_cfg"].get("timm_model_name", "")),
        tokenizer=tokenizer,
        tokenizer_digest=_tokenizer_digest(tokenizer, folder),
    )


def _tokenizer_digest(tokenizer: Any, folder: ModelFolder) -> str:
    from open_clip.tokenizer import SimpleTokenizer, default_bpe

    if tokenizer is None:
        return "none"
    files = tuple(file for file in folder.tokenizer if file.name != "config.json")  # mostly about other things
    if isinstance(tokenizer, SimpleTokenizer) and not files:
        files = (Path(default_bpe()),)
    return fingerprints.tokenizer_digest(
        files,
        kind=type(tokenizer).__name__,
        context_length=tokenizer.context_length,
        clean=tokenizer.clean_fn.__name__,
        settings=folder.model["text_cfg"].get("tokenizer_kwargs", {}),
    )
