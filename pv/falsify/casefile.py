"""Cases as files: `NAME.json` says what it is (schemas/case-v1.json), `NAME.safetensors` holds the bytes of its tensors.

Nothing in them is ever executed, and neither torch nor numpy is needed to write or to read them. NAME is how the digest of
the arguments begins, so that the same case found twice is the same file.
"""

from __future__ import annotations

import base64
import ctypes
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pv.digest import canonical
from pv.falsify.encode import ITEM_SIZES, Bits, decode, fingerprint
from pv.finding import Exit, PvError
from pv.ledger.formats import problem_of
from pv.write import write_whole

FORMAT = "pv/case-v1"
MAX_JSON = 8 * 1024 * 1024
MAX_TENSORS = 256 * 1024 * 1024
_TENSORS = ".safetensors"
# What safetensors calls the dtypes it has; the others lie in the file as bytes.
_CODES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "uint16": "U16", "int16": "I16", "uint32": "U32", "int32": "I32",
    "uint64": "U64", "int64": "I64", "float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64",
    "complex64": "C64", "float8_e4m3fn": "F8_E4M3", "float8_e4m3fnuz": "F8_E4M3FNUZ", "float8_e5m2": "F8_E5M2",
    "float8_e5m2fnuz": "F8_E5M2FNUZ", "float8_e8m0fnu": "F8_E8M0",
}  # fmt: skip


def case_name(digest: str) -> str:
    """The name of the case whose arguments have the fingerprint `digest` (hexadecimal)."""
    return digest[:16]


def case_path(folder: Path, contract: str, test: str, digest: str) -> Path:
    """Where `keep_counterexample` puts a case: `folder`/contract/test/NAME.json."""
    return folder / contract / test / f"{case_name(digest)}.json"


def keep_counterexample(
    folder: Path,
    contract: str,
    test: str,
    subject: str,
    counterexample: Mapping[str, Any],
    arguments: Mapping[str, Any],
) -> Path:
    """Keep what broke `test` of `contract` on the binding `subject` below `folder`; its JSON file.

    `counterexample` is that of the receipt, `arguments` are the encoded ones, whole and in their order. Raises PvError as
    `write_case` does.
    """
    case = counterexample_case(contract, test, subject, counterexample, arguments)
    return write_case(case_path(folder, contract, test, case["digest"]).parent, case)


def counterexample_case(
    contract: str, test: str, subject: str, counterexample: Mapping[str, Any], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """The case that `keep_counterexample` keeps, as `read_case` gives it."""
    return {
        "format": FORMAT,
        "contract": contract,
        "test": test,
        "equation": counterexample["invariant"].partition("/")[0],
        "invariant": counterexample["invariant"],
        "stratum": counterexample["stratum"],
        "subject": subject,
        "digest": counterexample["digest"],
        "failure": {key: counterexample[key] for key in ("message", "observed", "expected", "at")},
        "arguments": arguments,
    }


def captured_case(
    contract: str, equation: str, subject: str, digest: str, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """A call of `subject` by its live command, as a case of no test: it stands for all of the equation."""
    return {
        "format": FORMAT,
        "contract": contract,
        "test": f"{equation}-{subject}",
        "equation": equation,
        "invariant": None,
        "stratum": "captured",
        "subject": subject,
        "digest": digest,
        "failure": None,
        "arguments": arguments,
    }


def write_case(folder: Path, case: Mapping[str, Any]) -> Path:
    """Write `case` (what `read_case` gives) into `folder`; its JSON file, which is there only when all of it is.

    Raises PvError when the case is larger than `MAX_JSON` and `MAX_TENSORS` allow, or cannot be written.
    """
    tensors: dict[str, Bits] = {}
    arguments = [
        {"name": name, "value": _without_data(value, name, tensors)} for name, value in case["arguments"].items()
    ]
    data = canonical({**case, "format": FORMAT, "arguments": arguments}) + b"\n"
    target = folder / f"{case_name(case['digest'])}.json"
    if len(data) > MAX_JSON or sum(len(bits.data) for bits in tensors.values()) > MAX_TENSORS:
        raise PvError(
            f"the case {target.stem} of {case['test']} is too large to be kept",
            hint="narrow the sizes in the contract, so that a smaller case breaks it",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if tensors:
            write_whole(target.with_suffix(_TENSORS), _serialized(tensors))
        write_whole(target, data)
    except OSError as error:
        raise PvError(
            f"cannot write {target}: {error.strerror or error}",
            hint="see that its folder is there, that you may write to it, and that there is room",
        ) from error
    return target


def read_case(path: Path) -> dict[str, Any]:
    """The case at `path` (its JSON file): the keys of its format, with `arguments` by name as `encode` writes them.

    Raises PvError, naming the file, when it is not whole: cut short, changed, of another format, or not what its digest says.
    """
    try:
        return _read(path)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _unreadable(path, f"is no case that can be read: {error!s:.200}") from error


def load_case(path: str | Path) -> dict[str, Any]:
    """The arguments kept at `path`, by name and ready to be passed; needs torch where there are tensors.

    >>> import pv, tempfile
    >>> from pathlib import Path
    >>> from pv.falsify.casefile import captured_case, write_case
    >>> from pv.falsify.encode import encode, fingerprint
    >>> values = {"a": 7, "b": [2, 3]}
    >>> arguments = {name: encode(value) for name, value in values.items()}
    >>> case = captured_case("division-v1", "division", "plain", fingerprint(values).hex(), arguments)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pv.load_case(write_case(Path(folder) / case["test"], case))
    {'a': 7, 'b': [2, 3]}

    Raises PvError as `read_case` does.
    """
    return {name: decode(value) for name, value in read_case(Path(path))["arguments"].items()}


def _read(path: Path) -> dict[str, Any]:
    case = json.loads(_bytes_of(path, MAX_JSON))
    problem = problem_of(FORMAT, case)
    if problem:
        raise _unreadable(path, problem)
    if (path.stem, path.parent.name) != (case_name(case["digest"]), case["test"]):
        raise _unreadable(path, f"is the case {case_name(case['digest'])} of {case['test']}: it was renamed or moved")
    beside = path.with_suffix(_TENSORS)
    held = _tensors_of(beside) if beside.is_file() else {}
    case["arguments"] = {row["name"]: _with_data(row["value"], held) for row in case["arguments"]}
    if held:
        raise ValueError(f"{beside.name} holds {min(held)!r:.80}, which is no argument's")
    values = {name: decode(value, _sound) for name, value in case["arguments"].items()}
    if fingerprint(values).hex() != case["digest"]:
        raise _unreadable(path, "does not hold what its digest says: it was changed")
    return dict(case)


def _bytes_of(path: Path, largest: int) -> bytes:
    try:
        if not path.is_file():
            raise _unreadable(path, "is not there")
        if path.stat().st_size > largest:
            raise _unreadable(path, f"is larger than {largest:,} bytes")
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {error.strerror or error}") from error


def _unreadable(path: Path, problem: str) -> PvError:
    return PvError(f"{path} {problem}", exit=Exit.MEND, hint="restore the file, or delete it")


def _without_data(value: Any, place: str, tensors: dict[str, Bits]) -> Any:
    """`value` with the data of its tensors put into `tensors`, each under a name of its own."""
    match value:
        case {"tensor": _}:
            tensors[place] = decode(value, lambda bits: bits)
            return {**{key: item for key, item in value.items() if key != "data"}, "file": place}
        case dict():
            return {kind: _without_data(item, place, tensors) for kind, item in value.items()}
        case list():
            return [_without_data(item, f"{place}.{index}", tensors) for index, item in enumerate(value)]
    return value


def _with_data(value: Any, held: dict[str, Mapping[str, Any]]) -> Any:
    """The reverse of `_without_data`; takes out of `held` what it uses."""
    match value:
        case {"tensor": dtype, "file": name}:
            row = held.pop(name, None)
            if row is None:
                raise ValueError(f"there is no tensor {name!r:.80} beside it")
            wanted = (_CODES[dtype], value["shape"]) if dtype in _CODES else ("U8", [len(row["data"])])
            if (row["dtype"], row["shape"]) != wanted:
                raise ValueError(f"{name!r:.80} is a {row['dtype']} tensor of shape {row['shape']}, not what was kept")
            data = base64.b64encode(row["data"]).decode()
            return {**{key: item for key, item in value.items() if key != "file"}, "data": data}
        case dict():
            return {kind: _with_data(item, held) for kind, item in value.items()}
        case list():
            return [_with_data(item, held) for item in value]
    return value


def _sound(bits: Bits) -> Bits:
    """`bits`, unless they ask for more memory than a case may have, or for the gradient of what has none."""
    if bits.extent * ITEM_SIZES[bits.dtype] > MAX_TENSORS:
        raise ValueError(f"a tensor with the strides {list(bits.strides)} is too large")
    if bits.requires_grad and not bits.dtype.startswith(("float", "bfloat", "complex")):
        raise ValueError(f"a tensor of {bits.dtype} has no gradient")
    return bits


def _serialized(tensors: Mapping[str, Bits]) -> bytes:
    from safetensors import TensorSpec, serialize

    specs = {}
    for name, bits in tensors.items():
        known = bits.dtype in _CODES
        dtype, shape = (bits.dtype, list(bits.shape)) if known else ("uint8", [len(bits.data)])
        # `tensors` keeps the bytes alive, at this address, until they have been copied.
        address = ctypes.cast(ctypes.c_char_p(bits.data), ctypes.c_void_p).value or 0
        specs[name] = TensorSpec(dtype=dtype, shape=shape, data_ptr=address, data_len=len(bits.data))
    return bytes(serialize(specs))


def _tensors_of(path: Path) -> dict[str, Mapping[str, Any]]:
    """Each tensor of a safetensors file: its dtype, shape and data."""
    data = _bytes_of(path, MAX_TENSORS + MAX_JSON)
    try:
        from safetensors import SafetensorError, deserialize
    except ModuleNotFoundError as error:
        hint = "pip install 'pv-contracts[tensors]'"
        raise PvError(
            f"reading {path} needs safetensors, which is not installed here", exit=Exit.RUN, hint=hint
        ) from error
    try:
        return dict(deserialize(data))  # type: ignore[no-untyped-call] # its stub lacks this one's types
    except SafetensorError as error:
        raise _unreadable(path, f"is no safetensors file: {error}") from error
