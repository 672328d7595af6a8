"""Compiled forward passes, where compiling takes less time than it saves."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from console_core.embedding.device_errors import first_line, is_out_of_memory

COMPILED_FROM = 50_000
"""So many pictures must be waiting: compiling takes about a minute."""


def pays(family: str, vision: Mapping[str, Any]) -> bool:
    """Whether compiling makes such a model much faster: published are 26 to 80 % for SigLIP and Swin, 4 % for CLIP."""
    return family.startswith("SigLIP") or str(vision.get("timm_model_name", "")).startswith("swin")


class Compiled:
    """A function of torch, compiled for one shape when first called. Where that fails, the plain function is called.

    `failure` says why, for people; "" while it works.
    """

    def __init__(self, plain: Callable[[Any], Any], compile: Callable[..., Callable[[Any], Any]]) -> None:
        self._plain = plain
        self._compile = compile
        self._guard = threading.Lock()
        self._compiled: Callable[[Any], Any] | None = None
        self.failure = ""

    def __call__(self, given: Any) -> Any:
        if self.failure:
            return self._plain(given)
        try:
            if self._compiled is not None:
                return self._compiled(given)
            with self._guard:  # two threads would compile it twice
                compiled = self._made()
                answer = compiled(given)
                self._compiled = compiled
                return answer
        except Exception as error:
            if is_out_of_memory(error):
                raise
            self.failure = first_line(error)
        return self._plain(given)

    def _made(self) -> Callable[[Any], Any]:
        """What another thread compiled meanwhile, else what is compiled now."""
        return self._compiled or self._compile(self._plain, dynamic=False)
