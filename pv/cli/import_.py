"""`pv import`: a contract of the predecessor rewritten as ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.contract.predecessor.model import PredecessorContract


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--output", "-o", default="-", show_default=True, help="The file to write; - writes to standard output.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def import_(file: Path, output: str, force: bool) -> Exit:
    """Rewrite a contract of the predecessor's dialect as ours.

    Nameless invariants and obligations get ids, aliases their one name; comments and version are kept. What has no
    place in our format is kept under keys that begin with x-, and listed on standard error together with what had to be
    left open. FILE itself is not touched.

    \b
      pv import old/softmax-kernel-v1.yaml --output contracts/softmax-kernel-v1.yaml
      pv import old/softmax-kernel-v1.yaml | less
    """
    from pv.contract.document import read_document
    from pv.contract.predecessor.read import predecessor_of

    document = read_document(file, file.as_posix())
    found = predecessor_of(document, file.stem)
    contract = _require(
        file, None if found is None else found.contract, findings=found is not None and bool(found.findings)
    )
    text, notes = rewritten(file.read_text(encoding="utf-8-sig"), file, contract)
    if output == "-":
        click.echo(text, nl=False)
    else:
        _write(Path(output), text, force=force)
        click.echo(f"{output}: written", err=True)
    for note in notes:
        click.echo(f"{file.as_posix()}: {note}", err=True)
    return Exit.OK


def rewritten(text: str, file: Path, contract: PredecessorContract) -> tuple[str, list[str]]:
    """The contract of `file`, whose text is `text`, as a text in our format; and what the reader should know of it."""
    from pv.contract.document import parse_document
    from pv.contract.predecessor.comments import move_comments, read_comments
    from pv.contract.predecessor.emit import emit
    from pv.contract.predecessor.rewrite import rewrite

    document = parse_document(text.encode(), file.as_posix())
    work = rewrite(contract, document.value)
    comments = move_comments(read_comments(text, document), work.moved, work.value)
    out = emit(work.value, comments)
    again = parse_document(out.encode(), file.as_posix())
    if again.findings or again.value != work.value:
        raise PvError(
            f"{file} was rewritten as a text that does not say the same", exit=Exit.BUG, hint="report this file"
        )
    return out, work.notes


def _require(file: Path, contract: PredecessorContract | None, *, findings: bool) -> PredecessorContract:
    if findings:
        raise PvError(f"{file} is no valid contract", exit=Exit.MEND, hint=f"pv validate {file}")
    if contract is None:
        hint = "a contract of the predecessor has `metadata`, and no `schema: pv/…`"
        raise PvError(f"{file} is no contract of the predecessor", hint=hint)
    if not contract.equations:
        hint = "a contract of ours speaks of equations; write those the file is about, or leave it where it is"
        raise PvError(f"{file} has no equation: there is nothing to rewrite", exit=Exit.MEND, hint=hint)
    return contract


def _write(path: Path, text: str, *, force: bool) -> None:
    from pv.write import write_whole

    if path.exists() and not force:
        raise PvError(f"{path} is there already", hint="--force writes over it")
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise PvError(
            f"{path} cannot be written: {error.strerror}", hint="name a file in a folder that is there"
        ) from error
