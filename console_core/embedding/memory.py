"""How much memory a device has left."""

from dataclasses import dataclass
from pathlib import Path

from console_core.embedding.device_errors import loss_told

_CONTAINER = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Memory:
    """In bytes: what can be had now, and all there is."""

    available: int
    total: int

    @property
    def reserve(self) -> int:
        """What is to stay available for others: a twentieth, at least 0.5 GB and at most 4 GB."""
        return min(max(self.total // 20, 500_000_000), 4_000_000_000)


def memory_of(device: str) -> Memory:
    """The memory of "cpu" or "cuda:<n>".

    Raises:
        DeviceLost: the device does not work any more.
    """
    if device.startswith("cuda"):
        import torch

        with loss_told(device):
            free, total = torch.cuda.mem_get_info(device)
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return Memory(free + kept, total)  # what torch keeps for later is ours
    import psutil

    machine = psutil.virtual_memory()
    return _within_container(Memory(machine.available, machine.total), _CONTAINER)


def _within_container(machine: Memory, folder: Path) -> Memory:
    """The limit of a container counts where it is lower; what it holds of files can be had."""
    try:
        limit = int((folder / "memory.max").read_text(encoding="ascii"))
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        lines = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
        files = dict(line.split(" ", 1) for line in lines).get("inactive_file", "0")
    except (OSError, ValueError):  # no container, or one without a limit: "max"
        return machine
    return Memory(min(machine.available, max(0, limit - used + int(files))), min(machine.total, limit))
