"""Checkpoints that are code: what is said of a pickle that torch did not open, because it holds more than tensors."""

import pickle
import re
from collections.abc import Iterator
from pathlib import Path

from console_core.errors import ModelNotLoadable

_NAMED = re.compile(r"GLOBAL ([\w.]*\w)|Unsupported globals: ([\w., ]*\w)")
_BEGINS = b"\x80"
"""The first byte of every pickle since Python 2.3."""


def refusal(error: BaseException, title: str, file: Path) -> ModelNotLoadable | None:
    """The error to raise in place of one that says that a pickle was not opened as weights; None for any other.

    Every reader of weights here opens pickles with torch's `weights_only`, which builds tensors and runs nothing.
    """
    said = list(_chain(error))
    text = " ".join(str(one) for one in said)
    named = dict.fromkeys(name for found in _NAMED.findall(text) for name in found if name)
    unread = any(isinstance(one, pickle.UnpicklingError) for one in said) and _is_pickle(file)
    if not (named or unread or "TorchScript" in text):
        return None
    holds = f"asks for {', '.join(named)}" if named else "is no plain state_dict"
    return ModelNotLoadable(
        f"{title} was not loaded: {file} {holds}, and opening it could run anything here. Nothing of it was run.",
        "Ask whoever made it for safetensors. If you trust it, open it on a machine that may come to harm, and save "
        "its state_dict with safetensors.torch.save_file.",
    )


def _is_pickle(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(1) == _BEGINS


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
