import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from console_core.embedding.compiling import Compiled, pays


class Compiler:
    """What stands in for torch.compile: the compiled function answers with twice the plain answer, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.options: dict[str, Any] = {}
        self.calls = 0

    def __call__(self, plain: Callable[[Any], Any], **options: Any) -> Callable[[Any], Any]:
        self.options = options

        def compiled(given: Any) -> Any:
            self.calls += 1
            if self.error is not None:
                raise self.error
            return 2 * plain(given)

        return compiled


def plain(given: int) -> int:
    return given + 1


def test_a_function_is_compiled_for_one_shape() -> None:
    compiler = Compiler()
    assert Compiled(plain, compiler)(4) == 10
    assert compiler.options == {"dynamic": False}


def test_where_compiling_fails_the_plain_function_answers_from_then_on_and_the_cause_is_told() -> None:
    compiler = Compiler(RuntimeError("no C compiler was found\nSet CC"))
    function = Compiled(plain, compiler)
    assert [function(4), function(5)] == [5, 6]
    assert compiler.calls == 1
    assert function.failure == "no C compiler was found"


def test_where_nothing_can_be_compiled_at_all_the_plain_function_answers() -> None:
    def compile(_: Callable[[Any], Any], **__: Any) -> Callable[[Any], Any]:
        raise RuntimeError("torch.compile is not supported on this version of Python")

    function = Compiled(plain, compile)
    assert function(4) == 5
    assert "not supported" in function.failure


def test_out_of_memory_is_no_failure_of_compiling() -> None:
    compiler = Compiler(torch.OutOfMemoryError("CUDA out of memory."))
    function = Compiled(plain, compiler)
    with pytest.raises(torch.OutOfMemoryError):
        function(4)
    compiler.error = None
    assert function(4) == 10


def test_threads_do_not_compile_at_once() -> None:
    inside, most, guard = [0], [0], threading.Lock()

    def compile(_: Callable[[Any], Any], **__: Any) -> Callable[[Any], Any]:
        def compiled(given: int) -> int:
            with guard:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            threading.Event().wait(0.05)
            with guard:
                inside[0] -= 1
            return given

        return compiled

    function = Compiled(plain, compile)
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(function, number) for number in range(2)]
    assert [answer.result() for answer in answers] == [0, 1]
    assert most[0] == 1


def test_it_pays_for_siglip_and_swin_only() -> None:
    assert pays("SigLIP 2", {})
    assert pays("CLIP", {"timm_model_name": "swin_large_patch4_window12_384"})
    assert not pays("CLIP", {"layers": 12})
