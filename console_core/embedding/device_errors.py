"""What torch says where a device has no memory left, or does not work any more."""

from collections.abc import Iterator
from contextlib import contextmanager

from console_core.errors import DeviceLost

_SIGNS = ("out of memory", "defaultcpuallocator", "alloc_failed")
"""What the CPU's allocator and CUDA's libraries say; their errors have no class of their own."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch says that memory is out."""
    import torch

    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(sign in str(error).lower() for sign in _SIGNS)


@contextmanager
def loss_told(device: str) -> Iterator[None]:
    """What is asked of a device within the block raises DeviceLost where that cannot be used in this process any more.

    Other errors pass as they are.
    """
    import torch

    try:
        yield
    except torch.AcceleratorError as error:
        if is_out_of_memory(error):
            raise
        raise DeviceLost(
            f"{device} stopped working: {first_line(error)}",
            "Resume the run. Where the engine has no process of its own, restart the console before.",
        ) from error


def first_line(error: BaseException) -> str:
    """What an error says, without the hints for programmers that torch adds in further lines."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
