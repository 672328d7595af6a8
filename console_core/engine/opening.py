"""Where models are, and with them their pipelines."""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from console_core.catalog.types import ImageStore
from console_core.embedding.device import may_be_cuda, usable_cores
from console_core.embedding.loaded import LoadedModels, Models
from console_core.embedding.preprocessing import Mode
from console_core.embedding.registry import ModelCards
from console_core.embedding.types import Embedder
from console_core.engine.models import EngineModels, RemoteEmbedder
from console_core.engine.process import EngineProcess
from console_core.engine.remote import RemotePipeline
from console_core.engine.threads import ThreadPipeline
from console_core.engine.types import Pipeline
from console_core.settings import Settings

MANY_CORES = 8
"""From here on the engine has a process of its own: so many decoding threads would delay the pages and the launches."""


def open_models(settings: Settings, cards: ModelCards, *, dry: bool = False) -> Models:
    """The workspace's models, none of them loaded: in a process of their own, or in this one.

    `settings.engine` says which; "auto" is a process of their own where they may be on CUDA, because its errors leave
    a process that cannot go on, and on machines with many cores. A dry run, which remembers nothing and is a process by
    itself, has them in this one.
    """
    load = partial(
        LoadedModels,
        cards,
        settings.device,
        precision=settings.precision,
        unload_after=settings.unload_after,
        cache=None if dry else settings.cache,
    )
    apart = settings.engine == "process"
    if settings.engine == "auto":
        apart = usable_cores() >= MANY_CORES or may_be_cuda(settings.device)
    return EngineModels(cards, EngineProcess(load), settings.unload_after) if apart and not dry else load()


class Pipelines(Protocol):
    """Opens pipelines; see `open_pipeline`."""

    def __call__(
        self, images: ImageStore, embedders: Sequence[Embedder], mode: Mode, /, *, pictures: int
    ) -> Pipeline: ...


def open_pipeline(
    images: ImageStore, embedders: Sequence[Embedder], mode: Mode = Mode.FAST, *, pictures: int = 0
) -> Pipeline:
    """A pipeline from rows to the vectors of these models, to be closed after use.

    It runs in the engine process where that has the models, else on threads of this process. `pictures` says how many
    are to come, where that is known.
    """
    remote = [one for one in embedders if isinstance(one, RemoteEmbedder)]
    if remote and len(remote) == len(embedders):
        versions = [one.version for one in remote]
        return RemotePipeline(remote[0].engine, images, versions, mode, pictures=pictures)
    return ThreadPipeline(images, embedders, mode, pictures=pictures)
