"""The values of a tensor as numpy arrays, a piece at a time, whatever dtype they lie in the file as."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pv.checkpoints.dtypes import APR_Q8_SCALE, GGML
from pv.checkpoints.model import TensorEntry
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INSTALL = "pip install 'pv-contracts[tensors]'"
PIECE = 2**18  # elements; four bytes each, and eight as float64, still fit the cache

_PLAIN: Mapping[str, str] = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "u1",
}  # fmt: skip
_BLOCKS: Mapping[str, tuple[int, int, int]] = {
    name: (number, block, size) for number, (name, block, size) in GGML.items() if block > 1
}
# name: bits of the exponent, of the fraction, its bias, and what is not a number as every other code is
_SMALL_FLOATS: Mapping[str, tuple[int, int, int, str]] = {
    "F8_E4M3": (4, 3, 7, "nan"), "F8_E5M2": (5, 2, 15, "ieee"), "F8_E4M3FNUZ": (4, 3, 8, "fnuz"),
    "F8_E5M2FNUZ": (5, 2, 16, "fnuz"),
}  # fmt: skip


def pieces(entry: TensorEntry) -> Iterator[NDArray[Any]]:
    """All values of `entry` in order, as one-dimensional arrays of numbers.

    Raises PvError: `Exit.RUN` where a library is missing or nothing here decodes the dtype.
    """
    numpy = _numpy()
    if entry.held is not None:
        flat = entry.held.reshape(-1)
        yield from (flat[start : start + PIECE] for start in range(0, flat.size, PIECE))
    elif entry.opaque:
        raise PvError(
            f"{entry.opaque}, which is not decoded here", exit=Exit.RUN, hint="save it in a dtype of real numbers"
        )
    elif entry.count:
        yield from _decoder(entry)(entry, numpy.memmap(entry.file, numpy.uint8, "r", entry.offset, (entry.size,)))


def _decoder(entry: TensorEntry) -> Callable[[TensorEntry, NDArray[np.uint8]], Iterator[NDArray[Any]]]:
    for known, decoder in ((_PLAIN, _plain), (("BF16",), _bfloat16), (_SMALL_FLOATS, _small_floats),
                           (("AprQ8",), _apr_q8)):  # fmt: skip
        if entry.dtype in known:
            return decoder
    if entry.dtype in _BLOCKS or entry.dtype == "AprQ4":
        _require_whole_blocks(entry)
        return _blocks
    raise PvError(
        f"values of {entry.dtype} are not decoded here", exit=Exit.RUN, hint="convert it to safetensors first"
    )


def _plain(entry: TensorEntry, data: NDArray[np.uint8]) -> Iterator[NDArray[Any]]:
    values = data.view(_PLAIN[entry.dtype])
    yield from (values[start : start + PIECE] for start in range(0, values.size, PIECE))


def _bfloat16(entry: TensorEntry, data: NDArray[np.uint8]) -> Iterator[NDArray[Any]]:
    upper = data.view("<u2")
    for start in range(0, upper.size, PIECE):
        yield (upper[start : start + PIECE].astype("<u4") << 16).view("<f4")


def _small_floats(entry: TensorEntry, data: NDArray[np.uint8]) -> Iterator[NDArray[Any]]:
    numpy = _numpy()
    table = numpy.array([_small_float(code, *_SMALL_FLOATS[entry.dtype]) for code in range(256)], "<f4")
    for start in range(0, data.size, PIECE):
        yield table[data[start : start + PIECE]]


def _small_float(code: int, exponent_bits: int, fraction_bits: int, bias: int, special: str) -> float:
    """What eight bits stand for: OCP 8-bit floating point 1.0; FNUZ has one NaN, where −0 would be, and no infinity."""
    sign = -1.0 if code & 0x80 else 1.0
    exponent = (code >> fraction_bits) & ((1 << exponent_bits) - 1)
    fraction = code & ((1 << fraction_bits) - 1)
    if (special == "fnuz" and code == 0x80) or (special == "nan" and code & 0x7F == 0x7F):
        return float("nan")
    if special == "ieee" and exponent == (1 << exponent_bits) - 1:
        return float("nan") if fraction else sign * float("inf")
    if exponent == 0:
        return sign * fraction * 2.0 ** (1 - bias - fraction_bits)
    return sign * (1 + fraction / (1 << fraction_bits)) * 2.0 ** (exponent - bias)


def _apr_q8(entry: TensorEntry, data: NDArray[np.uint8]) -> Iterator[NDArray[Any]]:
    scale, codes = data[:APR_Q8_SCALE].view("<f4")[0], data[APR_Q8_SCALE:].view("i1")
    for start in range(0, codes.size, PIECE):
        yield codes[start : start + PIECE] * scale


def _blocks(entry: TensorEntry, data: NDArray[np.uint8]) -> Iterator[NDArray[Any]]:
    """By the `gguf` package, some blocks at a time. AprQ4 has blocks of Q4_0, in an order that no statistic sees."""
    try:
        from gguf import GGMLQuantizationType, dequantize
    except ImportError as error:
        needed = f"values of {entry.dtype} need the package gguf, which is not installed"
        raise PvError(needed, exit=Exit.RUN, hint="pip install 'pv-contracts[gguf]'") from error
    number, block, size = _BLOCKS["Q4_0" if entry.dtype == "AprQ4" else entry.dtype]
    rows = data.reshape(-1, size)
    step = PIECE // block
    for start in range(0, len(rows), step):
        try:
            yield dequantize(rows[start : start + step], GGMLQuantizationType(number)).reshape(-1)
        except (NotImplementedError, ValueError) as error:
            seen = f"values of {entry.dtype} are not decoded by the package gguf that is installed"
            raise PvError(seen, exit=Exit.RUN, hint="pip install --upgrade gguf") from error


def _require_whole_blocks(entry: TensorEntry) -> None:
    _, block, size = _BLOCKS["Q4_0" if entry.dtype == "AprQ4" else entry.dtype]
    if entry.count % block or entry.size != entry.count // block * size:
        raise PvError(
            f"its last blocks of {entry.dtype} are padded, which is not decoded here",
            exit=Exit.RUN,
            hint="convert it to safetensors first",
        )


def _numpy() -> Any:
    try:
        import numpy
    except ImportError as error:
        raise PvError("statistics need numpy, which is not installed", exit=Exit.RUN, hint=INSTALL) from error
    return numpy
