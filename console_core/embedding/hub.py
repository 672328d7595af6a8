"""Files of public model repositories: from the local Hugging Face cache, else downloaded, never waited for in vain.

huggingface_hub alone tries an unreachable hub for 23 seconds a file; one short question before it avoids that.
"""

import shlex
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

    `said` and `patterns` are what people are told of them where they are missing, the names themselves where nothing is
    given; `instead` says in a sentence how else the files can be given.
    """

    repository: str
    names: tuple[str, ...]
    first: bool = True
    needed: tuple[str, ...] = ()
    said: str = ""
    patterns: tuple[str, ...] = ()
    instead: str = ""


def cached(wanted: Wanted) -> list[Path]:
    """Those of the files that are in the local cache, in the order asked for; none where a needed one is missing. Never
    uses the network."""
    from huggingface_hub import try_to_load_from_cache

    found = (try_to_load_from_cache(wanted.repository, name) for name in wanted.names)
    files = [Path(one) for one in found if isinstance(one, str)]
    return [] if wanted.needed and not any(file.name in wanted.needed for file in files) else files


def fetch(several: Sequence[Wanted]) -> list[list[Path]]:
    """Download those of the files that the repositories have; of alternatives only the first.

    Raises:
        ModelNotLoadable: the hub cannot be reached or refuses, or a repository has none of them.
    """
    import huggingface_hub
    from huggingface_hub import constants

    try:
        huggingface_hub.get_session().head(constants.ENDPOINT, timeout=PATIENCE)
    except Exception as error:
        raise missing(several, f"{constants.ENDPOINT} cannot be reached") from error
    return [_fetch(wanted, several) for wanted in several]


def _fetch(wanted: Wanted, several: Sequence[Wanted]) -> list[Path]:
    import huggingface_hub
    from huggingface_hub import constants

    try:
        hub = huggingface_hub.HfApi(endpoint=constants.ENDPOINT)
        existing = set(hub.list_repo_files(wanted.repository))
        names = [name for name in wanted.names if name in existing]
        paths = [Path(hub.hf_hub_download(wanted.repository, name)) for name in names[: 1 if wanted.first else None]]
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise missing(several, f"downloading failed: {reason}") from error
    if not paths:
        raise missing([wanted], "the repository has none of them")
    return paths


def missing(several: Sequence[Wanted], reason: str) -> ModelNotLoadable:
    """The error for files that are not on this machine, with what to put where."""
    from huggingface_hub import constants

    patterns: dict[str, list[str]] = {}
    for wanted in several:
        patterns.setdefault(wanted.repository, []).extend(wanted.patterns or wanted.names)
    needs = " and ".join(wanted.said or " or ".join(wanted.names) for wanted in several)
    commands = " and ".join(
        f"`hf download {repository} {' '.join(f'--include {shlex.quote(one)}' for one in included)}`"
        for repository, included in patterns.items()
    )
    folders = " and ".join(f"models--{repository.replace('/', '--')}" for repository in patterns)
    instead = next((wanted.instead for wanted in several if wanted.instead), "")
    return ModelNotLoadable(
        f"Files of {' and '.join(patterns)} are not on this machine, and {reason}.",
        f"It needs {needs}. Load the model once while {constants.ENDPOINT} can be reached. Or run {commands} where it "
        f"can, and copy {folders} from the cache there into {constants.HF_HUB_CACHE}. {instead}".strip(),
    )
