"""In which type of numbers a model is held on a device, and what is tried where that cannot hold an answer.

Weights are cast once, after loading; autocast is not used, because it halves a CPU's speed. How far each precision
moves vectors is told in `fingerprint.DTYPE_CLASSES`.
"""

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

Precision = Literal["float32", "float16", "bfloat16"]
Wanted = Literal["auto", "float32", "float16", "bfloat16"]

LARGE = 20_000_000
"""Parameters from which bfloat16 pays on a CPU that computes in it.

Measured on one core with AVX512-BF16, pictures a second in batches of 16, float32 against bfloat16: ViT-B-32 (151
million parameters) 11.2 and 39.7, 3.5 times as many, and a text in 23 ms instead of 99. The demo models (4 million)
1,187 and 1,475, 826 and 1,076: 1.3 times as many. With decoding, which then takes as long as embedding, that is less
than a tenth of a run, and a single text is no faster. So small models stay exact.
"""

ORDER: Mapping[Precision, tuple[Precision, ...]] = {
    "float16": ("float16", "bfloat16", "float32"),
    "bfloat16": ("bfloat16", "float32"),
    "float32": ("float32",),
}
"""What a batch is computed in, one after the other, until its answer is finite. bfloat16 reaches as far as float32."""

_INSTRUCTIONS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""As Linux names them: two of x86, one of ARM."""


def chosen(device: str, parameters: int, *, bfloat16: bool) -> Precision:
    """What "auto" means for a model. `bfloat16`: the processor has the instructions.

    CUDA gets float16: as fast as bfloat16, and its vectors drift much less. A CPU computes float16 very slowly, and
    bfloat16 too where it has no instructions for it.
    """
    if device.startswith("cuda"):
        return "float16"
    return "bfloat16" if bfloat16 and parameters >= LARGE else "float32"


def computes_bfloat16() -> bool:
    """Whether this machine's processor says that it computes in bfloat16. False where nothing can be read."""
    return sys.platform == "linux" and _says_bfloat16(Path("/proc/cpuinfo"))


@cache
def _says_bfloat16(cpuinfo: Path) -> bool:
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    told = (line.partition(":") for line in lines)
    return any(
        not _INSTRUCTIONS.isdisjoint(words.split())
        for name, _, words in told
        if name.strip().lower() in ("flags", "features")
    )


def dtype(precision: Precision) -> Any:
    """The type of torch."""
    import torch

    return getattr(torch, precision)
