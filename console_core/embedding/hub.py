"""Files of public model repositories: from the local Hugging Face cache, else downloaded, never waited for in vain.

huggingface_hub alone tries an unreachable hub for 23 seconds a file; one short question before it avoids that.
"""

from collections.abc import Sequence
from pathlib import Path

from console_core.errors import ModelNotLoadable

PATIENCE = 3.0
"""Seconds that the hub has for answering that it is there."""


def cached(repository: str, names: Sequence[str]) -> list[Path]:
    """Those of the files that are in the local cache, in the order asked for. Never uses the network."""
    from huggingface_hub import try_to_load_from_cache

    found = (try_to_load_from_cache(repository, name) for name in names)
    return [Path(one) for one in found if isinstance(one, str)]


def fetch(repository: str, names: Sequence[str], *, first: bool) -> list[Path]:
    """Download those of the files that the repository has; with `first` only the first of them.

    Raises:
        ModelNotLoadable: the hub cannot be reached or refuses, or the repository has none of them.
    """
    import huggingface_hub
    from huggingface_hub import constants

    try:
        huggingface_hub.get_session().head(constants.ENDPOINT, timeout=PATIENCE)
    except Exception as error:
        raise missing(repository, names, f"{constants.ENDPOINT} cannot be reached") from error
    try:
        hub = huggingface_hub.HfApi(endpoint=constants.ENDPOINT)
        existing = set(hub.list_repo_files(repository))
        wanted = [name for name in names if name in existing]
        paths = [Path(hub.hf_hub_download(repository, name)) for name in wanted[: 1 if first else None]]
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise missing(repository, names, f"downloading failed: {reason}") from error
    if not paths:
        raise missing(repository, names, "the repository has none of them")
    return paths


def missing(repository: str, names: Sequence[str], reason: str) -> ModelNotLoadable:
    """The error for files that are not on this machine, with what to put where."""
    from huggingface_hub import constants

    return ModelNotLoadable(
        f"Files of {repository} are not on this machine, and {reason}.",
        f"Load the model once while {constants.ENDPOINT} can be reached. Or copy the files of that repository "
        f"(open_clip_config.json, {', '.join(names)}; those that exist) into a folder and name the folder in "
        'console.toml: architecture = "local-dir:<folder>".',
    )
