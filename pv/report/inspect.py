"""A file of tensors as `pv inspect` shows it: what it is, what it says of itself, what is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pv.checkpoints import Array, Checkpoint, TensorEntry
from pv.contract.quote import shorten
from pv.report.plain import plural
from pv.report.tensors import Measured, dominant, dtype_counts, finite, footer, print_tensors, size_text, tensor_value
from pv.report.text import one_line

if TYPE_CHECKING:
    from pv.introspect.forward import Forward

PROVENANCE = ("license", "data_source", "data_license")
VOCABULARY = "tokenizer."  # what of the metadata is about it
# Metadata of an APR file that is shown by a name of its own
_GENERAL = {
    "name": "Name", "model_type": "Model type", "description": "Description", "author": "Author", "source": "Source",
    "original_format": "Original format", "created_at": "Created",
}  # fmt: skip
_LONG = 100  # characters of a value that are shown
_MANY, _FIRST, _LAST = 24, 10, 2  # of more tensors than these, the first and the last are shown


def print_file(checkpoint: Checkpoint) -> None:
    """What the file is: format, size, tensors, and the facts of its format."""
    print("\nFile")
    for label, text in file_lines(checkpoint):
        print(f"  {label:<16} {one_line(text)}")
    for line in problem_lines(checkpoint):
        print(line)


def file_lines(checkpoint: Checkpoint) -> Iterator[tuple[str, str]]:
    """Labels and texts, in order."""
    yield "Format", checkpoint.format
    yield "Size", f"{size_text(checkpoint.size)} ({checkpoint.size:,} bytes)"
    counts = ", ".join(f"{dtype} {count:,}" for dtype, count in dtype_counts(checkpoint.tensors).items())
    yield "Dtypes", counts or "-"
    facts = dict(checkpoint.facts)
    yield (
        "Quantization",
        facts.pop("Quantization", f"{dominant(checkpoint.tensors) or '-'} (most tensors of two or more axes)"),
    )
    yield from facts.items()
    if is_apr(checkpoint):
        for key, label in _GENERAL.items():
            if checkpoint.metadata.get(key) is not None:
                yield label, str(checkpoint.metadata[key])
        for key, value in provenance(checkpoint).items():
            yield key, "(missing)" if value is None else str(value)


def problem_lines(checkpoint: Checkpoint) -> list[str]:
    """Why the file must not be believed."""
    return [f"problem: {one_line(problem)}" for problem in checkpoint.problems]


def is_apr(checkpoint: Checkpoint) -> bool:
    """Whether it is a file of the format that has a block of provenance."""
    return checkpoint.format.startswith("APR")


def provenance(checkpoint: Checkpoint) -> dict[str, Any]:
    """Where the model comes from; what is missing is None, and never left out."""
    return {key: checkpoint.metadata.get(key) for key in PROVENANCE}


def print_metadata(checkpoint: Checkpoint, *, vocabulary: bool) -> None:
    """What the file says of itself; of the vocabulary only how much there is, unless it was asked for."""
    own = {key: value for key, value in checkpoint.metadata.items() if vocabulary or not key.startswith(VOCABULARY)}
    hidden = len(checkpoint.metadata) - len(own)
    _print_keys("Metadata", own, f"; {hidden:,} more of the vocabulary: --vocab" if hidden else "")
    _print_keys("config.json", checkpoint.config)


def _print_keys(title: str, values: Mapping[str, Any], more: str = "") -> None:
    if values or more:
        print(f"\n{title} ({plural(len(values), 'key')}{more})")
    for key, value in values.items():
        print(f"  {one_line(key if len(key) <= 60 else key[:59] + '…')}: {value_text(value)}")


def value_text(value: Any) -> str:
    """A value of the metadata in one line; of a long text its beginning, and how long it is."""
    if isinstance(value, Array):
        head = ", ".join(value_text(item) for item in value.head)
        return f"{value.count:,} of {value.type} [{head}{', …' if value.count > len(value.head) else ''}]"
    if isinstance(value, Mapping):
        return one_line(shorten(", ".join(f"{key}: {item!r}" for key, item in value.items()), _LONG)[1:-1])
    length = f" ({len(value):,} characters)" if isinstance(value, str) and len(value) > _LONG else ""
    return one_line(shorten(value, _LONG)) + length


def print_some_tensors(entries: Sequence[TensorEntry], rows: Mapping[str, Measured]) -> None:
    """The table; of many tensors the first and the last."""
    print("\nTensors")
    first, last = (entries, ()) if len(entries) <= _MANY else (entries[:_FIRST], entries[-_LAST:])
    shown = [rows.get(entry.name, Measured(entry)) for entry in (*first, *last)]
    if shown:
        print_tensors(shown)
    print(footer(entries, len(shown)))


def print_forward(passed: Forward) -> None:
    """What went in, and what comes next."""
    print("\nForward pass")
    for label, text in _forward(passed):
        print(f"  {label:<16} {one_line(text)}")


def _forward(passed: Forward) -> Iterator[tuple[str, str]]:
    last = passed.predictions[-1]
    yield "Input", " ".join(passed.label(token) for token in passed.asked.tokens)
    if shape := output_shape(passed):
        yield "Output shape", str(shape)
    yield "Next token", "none: its logits are no numbers" if last.predicted is None else passed.label(last.predicted)


def output_shape(passed: Forward) -> list[int] | None:
    """The shape of the last stage: the logits."""
    return list(passed.rows[-1].summary.shape) if passed.rows and passed.rows[-1].summary else None


def forward_value(passed: Forward) -> dict[str, Any]:
    """The same as JSON."""
    last = passed.predictions[-1]
    return {
        "input_tokens": list(passed.asked.tokens),
        "output_shape": output_shape(passed),
        "next_token": last.predicted,
        "next_label": None if last.predicted is None else passed.label(last.predicted),
    }


def file_value(checkpoint: Checkpoint) -> dict[str, Any]:
    """The file as JSON."""
    return {
        "size_bytes": checkpoint.size,
        "tensor_count": len(checkpoint.tensors),
        "dtypes": dtype_counts(checkpoint.tensors),
        "dominant_dtype": dominant(checkpoint.tensors) or None,
        "facts": dict(checkpoint.facts),
        "problems": list(checkpoint.problems),
        **({"provenance": provenance(checkpoint)} if is_apr(checkpoint) else {}),
        "metadata": {key: json_value(value) for key, value in checkpoint.metadata.items()},
        "config": json_value(checkpoint.config),
    }


def json_value(value: Any) -> Any:
    """A value of the metadata as JSON."""
    if isinstance(value, Array):
        return {"type": value.type, "count": value.count, "first": [json_value(item) for item in value.head]}
    if isinstance(value, Mapping):
        return {key: json_value(item) for key, item in value.items()}
    return [json_value(item) for item in value] if isinstance(value, list) else finite(value)


def rows_value(entries: Sequence[TensorEntry], rows: Mapping[str, Measured]) -> dict[str, dict[str, Any]]:
    """Every tensor as JSON, by name."""
    return {entry.name: tensor_value(rows.get(entry.name, Measured(entry))) for entry in entries}
