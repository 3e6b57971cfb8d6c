"""How many bytes the elements of each dtype take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# name: bits of one element, as safetensors 0.8 names them
SAFETENSORS: Mapping[str, int] = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
    "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}  # fmt: skip

# number: (name, elements of a block, bytes of a block), as ggml.h has them; 4, 5, 31 to 33 and 36 to 38 were withdrawn
GGML: Mapping[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 40), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17), 40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18),
}  # fmt: skip

# As GGML; 8 and 9 are what 128 and 129 were called first. AprQ8 has one float32 scale for the whole tensor.
APR: Mapping[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 3: ("F64", 1, 8), 4: ("I32", 1, 4), 5: ("I64", 1, 8), 6: ("I8", 1, 1),
    7: ("U8", 1, 1), 8: ("AprQ4", 32, 18), 9: ("AprQ8", 1, 1), 12: ("Q4_K", 256, 144), 14: ("Q6_K", 256, 210),
    30: ("BF16", 1, 2), 128: ("AprQ4", 32, 18), 129: ("AprQ8", 1, 1),
}  # fmt: skip
APR_Q8_SCALE = 4

_MAX_COUNT = 2**63


def count_of(shape: Sequence[int]) -> int | None:
    """How many elements a shape has; None when that is no number of 63 bits, or one of its sizes is none."""
    count = 1
    for size in shape:
        if not 0 <= size < _MAX_COUNT:
            return None
        count *= max(size, 1)  # an empty tensor must not hide sizes that overflow
        if count >= _MAX_COUNT:
            return None
    return 0 if 0 in shape else count


def blocks_size(count: int, block: int, bytes_of_block: int) -> int:
    """How many bytes `count` elements take in whole blocks."""
    return -(-count // block) * bytes_of_block
