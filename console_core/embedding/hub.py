"""Files of public model repositories: from the local Hugging Face cache, else downloaded, never waited for in vain.

huggingface_hub alone tries an unreachable hub for 23 seconds a file; one short question before it avoids that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from console_core.errors import ModelNotLoadable

PATIENCE = 3.0
"""Seconds that the hub has for answering that it is there."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Files of a repository. With `first` they are alternatives, the best first; else all that exist are wanted, and
    none is of use without one of `needed`.

    `instead` says for people how else the files can be given, in a sentence, "" where they cannot.
    """

    repository: str
    names: tuple[str, ...]
    first: bool = True
    needed: tuple[str, ...] = ()
    instead: str = ""


def cached(repository: str, names: Sequence[str]) -> list[Path]:
    """Those of the files that are in the local cache, in the order asked for. Never uses the network."""
    from huggingface_hub import try_to_load_from_cache

    found = (try_to_load_from_cache(repository, name) for name in names)
    return [Path(one) for one in found if isinstance(one, str)]


def fetch(wanted: Wanted) -> list[Path]:
    """Download those of the files that the repository has; of alternatives only the first.

    Raises:
        ModelNotLoadable: the hub cannot be reached or refuses, or the repository has none of them.
    """
    import huggingface_hub
    from huggingface_hub import constants

    try:
        huggingface_hub.get_session().head(constants.ENDPOINT, timeout=PATIENCE)
    except Exception as error:
        raise missing(wanted, f"{constants.ENDPOINT} cannot be reached") from error
    try:
        hub = huggingface_hub.HfApi(endpoint=constants.ENDPOINT)
        existing = set(hub.list_repo_files(wanted.repository))
        names = [name for name in wanted.names if name in existing]
        paths = [Path(hub.hf_hub_download(wanted.repository, name)) for name in names[: 1 if wanted.first else None]]
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise missing(wanted, f"downloading failed: {reason}") from error
    if not paths:
        raise missing(wanted, "the repository has none of them")
    return paths


def missing(wanted: Wanted, reason: str) -> ModelNotLoadable:
    """The error for files that are not on this machine, with what to put where."""
    from huggingface_hub import constants

    folder = f"models--{wanted.repository.replace('/', '--')}"
    files = " or ".join(wanted.names if wanted.first else wanted.needed)
    if not wanted.first:
        files += f", with what there is of {', '.join(name for name in wanted.names if name not in wanted.needed)}"
    patterns = " ".join(f"--include {name}" for name in wanted.names)
    return ModelNotLoadable(
        f"Files of {wanted.repository} are not on this machine, and {reason}.",
        f"It needs {files}. Load the model once while {constants.ENDPOINT} can be reached. Or run "
        f"`hf download {wanted.repository} {patterns}` where it can, and copy {folder} from the cache there to "
        f"{Path(constants.HF_HUB_CACHE) / folder}. {wanted.instead}".strip(),
    )
