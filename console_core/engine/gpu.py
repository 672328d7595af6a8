"""How busy graphics cards are and what is in their memory, where NVIDIA's library answers; else nothing is known."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Card:
    """A graphics card: the share of the last moment in which it computed (None: it does not tell), and bytes of memory
    that are taken by everybody."""

    name: str
    busy: float | None
    taken: int
    memory: int


class Cards:
    """Asks for cards as torch names them ("cuda:1"). Where the library is not there, or does not start, it is not asked
    again."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._visible = (os.environ if environment is None else environment).get("CUDA_VISIBLE_DEVICES", "")
        self._library: Any = None
        self._absent = False

    def look(self, device: str) -> Card | None:
        """The card of a device now; None for another kind of device, and where nothing is known."""
        kind, _, number = device.partition(",")[0].partition(":")
        if kind != "cuda" or not self._found():
            return None
        nvml = self._library
        with suppress(nvml.NVMLError, ValueError, IndexError):
            handle = self._handle(int(number or 0))
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
            return Card(_text(nvml.nvmlDeviceGetName(handle)), self._busy(handle), int(memory.used), int(memory.total))
        return None

    def _found(self) -> bool:
        if self._library is None and not self._absent:
            try:
                import pynvml

                pynvml.nvmlInit()
            except Exception:  # no library, no driver, no card, no permission: each has its own error
                self._absent = True
            else:
                self._library = pynvml
        return self._library is not None

    def _handle(self, number: int) -> Any:
        """The library counts all cards of the machine; torch those that CUDA_VISIBLE_DEVICES lets it see."""
        visible = [name.strip() for name in self._visible.split(",") if name.strip()]
        name = visible[number] if visible else str(number)
        if name.isdigit():
            return self._library.nvmlDeviceGetHandleByIndex(int(name))
        return self._library.nvmlDeviceGetHandleByUUID(name)

    def _busy(self, handle: Any) -> float | None:
        """Parts of a card (MIG) do not tell."""
        with suppress(self._library.NVMLError):
            return int(self._library.nvmlDeviceGetUtilizationRates(handle).gpu) / 100
        return None


def _text(name: str | bytes) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else name
