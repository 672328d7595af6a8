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


def test_while_one_thread_compiles_others_run_as_it_is_and_afterwards_what_was_compiled() -> None:
    inside, ready, calls = threading.Event(), threading.Event(), [0]

    def compile(_: Callable[[Any], Any], **__: Any) -> Callable[[Any], Any]:
        calls[0] += 1

        def compiled(given: int) -> int:
            inside.set()
            assert ready.wait(20)
            return 2 * plain(given)

        return compiled

    function = Compiled(plain, compile)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(function, 4)
        try:
            assert inside.wait(20)
            assert pool.submit(function, 5).result(20) == 6
        finally:
            ready.set()
        assert first.result(20) == 10
    assert function(5) == 12
    assert calls[0] == 1


def test_it_pays_for_siglip_and_swin_only() -> None:
    assert pays("SigLIP 2", "")
    assert pays("CLIP", "swin_large_patch4_window12_384")
    assert pays("MegaDescriptor", "swin_large_patch4_window12_384")
    assert not pays("CLIP", "")
    assert not pays("timm", "resnet50")
