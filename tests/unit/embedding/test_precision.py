from pathlib import Path

import pytest

from console_core.embedding import precision
from console_core.embedding.fingerprint import DTYPE_CLASSES
from console_core.embedding.precision import LARGE, ORDER, chosen

X86 = "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu sse2 avx512f {} rdtscp\n\nprocessor\t: 1\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd {} sha2\nCPU implementer\t: 0x41\n"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (X86.format("avx512_bf16"), True),
        (X86.format("amx_bf16 amx_tile"), True),
        (X86.format("avx512_fp16"), False),
        (ARM.format("bf16 i8mm"), True),
        (ARM.format("asimddp"), False),
        ("processor\t: 0\nmodel name\t: a bf16 processor\n", False),
        ("", False),
    ],
)
def test_a_processor_computes_in_bfloat16_where_it_says_so(tmp_path: Path, text: str, answer: bool) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text(text)
    assert precision._says_bfloat16(told) is answer


def test_a_processor_that_says_nothing_does_not(tmp_path: Path) -> None:
    assert precision._says_bfloat16(tmp_path / "absent") is False


def test_cuda_gets_float16_and_a_cpu_bfloat16_for_large_models_where_it_has_the_instructions() -> None:
    for instructions in (True, False):
        assert chosen("cuda:0", 1_000, bfloat16=instructions) == "float16"
        assert chosen("cuda:1", 10**9, bfloat16=instructions) == "float16"
        assert chosen("cpu", LARGE - 1, bfloat16=instructions) == "float32"
    assert chosen("cpu", LARGE, bfloat16=True) == "bfloat16"
    assert chosen("cpu", LARGE, bfloat16=False) == "float32"


def test_every_precision_ends_in_float32_and_begins_with_itself() -> None:
    for first, order in ORDER.items():
        assert order[0] == first
        assert order[-1] == "float32"


def test_all_precisions_bear_the_label_that_is_in_the_digest_of_every_collection() -> None:
    assert set(DTYPE_CLASSES) == set(ORDER)
    assert set(DTYPE_CLASSES.values()) == {"float16 or finer"}
