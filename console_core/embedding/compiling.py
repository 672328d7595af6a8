"""Compiled forward passes, where compiling takes less time than it saves."""

import threading
from collections.abc import Callable
from typing import Any

from console_core.embedding.device_errors import first_line, is_out_of_memory

COMPILED_FROM = 50_000
"""So many pictures must be waiting: compiling takes about a minute."""


def pays(family: str, tower: str) -> bool:
    """Whether compiling makes such a model much faster: published are 26 to 80 % for SigLIP and Swin, 4 % for CLIP.

    `tower` is timm's name of the picture tower, "" where timm does not build it.
    """
    return family.startswith("SigLIP") or tower.startswith("swin")


class Compiled:
    """A function of torch, compiled for one shape when first called. Where that fails, the plain function is called.

    Other threads call the plain function too while one compiles: a thread that waited would keep its place on the
    device for a minute, and queries would have none.

    `failure` says why it failed, for people; "" while it works.
    """

    def __init__(self, plain: Callable[[Any], Any], compile: Callable[..., Callable[[Any], Any]]) -> None:
        self._plain = plain
        self._compile = compile
        self._guard = threading.Lock()
        self._compiled: Callable[[Any], Any] | None = None
        self.failure = ""

    def __call__(self, given: Any) -> Any:
        if self._compiled is not None:
            return self._attempt(given)
        if not self._guard.acquire(blocking=False):
            return self._plain(given)
        try:
            return self._attempt(given)
        finally:
            self._guard.release()

    def _attempt(self, given: Any) -> Any:
        if self.failure:
            return self._plain(given)
        try:
            compiled = self._compiled or self._compile(self._plain, dynamic=False)
            answer = compiled(given)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            self.failure = first_line(error)
        else:
            self._compiled = compiled
            return answer
        return self._plain(given)  # the error is gone here, and with it what the failed pass kept on the device
