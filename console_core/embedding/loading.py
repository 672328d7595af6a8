"""From a model card to a loaded model: its files, the library that builds it, its fingerprint, its device."""

from console_core.embedding import architectures, compiling, openclip, timm_models
from console_core.embedding import fingerprint as fingerprints
from console_core.embedding import precision as precisions
from console_core.embedding.batch_size import BatchSizes
from console_core.embedding.device import Placement, place
from console_core.embedding.device_errors import first_line, is_out_of_memory, loss_told
from console_core.embedding.embedder import TorchEmbedder
from console_core.embedding.files import ModelFolder
from console_core.embedding.folder import assembled
from console_core.embedding.forward import Forward
from console_core.embedding.pickles import refusal
from console_core.embedding.precision import Wanted
from console_core.embedding.sizing import Sizing
from console_core.embedding.types import ModelCard
from console_core.embedding.wiring import declared
from console_core.errors import ConsoleError, DeviceOutOfMemory, ModelNotLoadable


def load(
    card: ModelCard,
    device: str | Placement = "auto",
    *,
    precision: Wanted = "auto",
    sizes: BatchSizes | None = None,
    random_weights: bool = False,
) -> TorchEmbedder:
    """Load a model onto "auto", "cpu", "cuda" or "cuda:<n>". Reads safetensors, or pickles without running their code.

    `sizes` remembers batch sizes over restarts. `random_weights` is for tests and benchmarks: the vectors mean nothing,
    and the fingerprint says so.

    Raises:
        ModelUnknown: its library does not have this architecture or this pair.
        ModelNotLoadable: files are missing or wrong, or the device is not there.
        DeviceOutOfMemory: the weights do not fit.
        DeviceLost: the device does not work any more.
    """
    placement = device if isinstance(device, Placement) else place(device, precision)
    with assembled(card, random_weights=random_weights) as folder:
        try:
            with loss_told(placement.device):
                return _load(card, placement, folder, sizes or BatchSizes())
        except ConsoleError:
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise DeviceOutOfMemory(
                    f"The weights of {card.title} do not fit into the memory of {placement.device}.",
                    "Unload other models or use a smaller one.",
                ) from error
            if folder.weights and (refused := refusal(error, card.title, folder.weights)):
                raise refused from error
            configuration = "config.json" if card.library == "timm" else "open_clip_config.json"
            raise ModelNotLoadable(
                f"{card.title} cannot be loaded from {folder.weights or folder.path}: {first_line(error)}",
                f"The file must be an intact checkpoint of this architecture, as {card.library} has it: safetensors, "
                f"or a state_dict saved by torch.save; copy it again, or correct {configuration}.",
            ) from error


def _load(card: ModelCard, placement: Placement, folder: ModelFolder, sizes: BatchSizes) -> TorchEmbedder:
    import torch

    towers = timm_models.build(folder) if card.library == "timm" else openclip.build(folder)
    model = towers.model
    parameters = sum(weights.numel() for weights in model.parameters())
    held = placement.precision_for(parameters)
    made = fingerprints.fingerprint(
        weights=fingerprints.file_digest(folder.weights)
        if folder.weights
        else f"random {fingerprints.state_digest(model)}",
        architecture=towers.architecture,
        preprocessing=towers.fed,
        tokenizer=towers.tokenizer_digest,
        template=card.template,
        precision=held,
    )
    # Cast after loading: open_clip's own precision="fp16" fails on text towers whose projection has a bias.
    model.eval().requires_grad_(False).to(device=placement.device, dtype=precisions.dtype(held))
    if placement.is_cuda:
        model.to(memory_format=torch.channels_last)
    placement = placement.holding(held)
    forward = Forward(model, placement, held, towers.preprocessing)
    compiles = placement.is_cuda and compiling.pays(card.family, towers.picture_tower)
    sizing = Sizing(card, placement, forward, sizes)
    said = declared(card, folder, towers.preprocessing, towers.fed, architectures.tag_settings)
    return TorchEmbedder(card, placement, made, forward, towers.tokenizer, sizing, compiles=compiles, declared=said)
