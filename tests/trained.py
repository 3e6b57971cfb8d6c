"""What training microGPT came to: `python tests/trained.py --write` records it in docs/microgpt.json, a test runs it again."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "docs/microgpt.json"
NAMES = 3


def trained() -> dict[str, Any]:
    """Steps, seed, mean loss of the last 500 steps, and the first names, by the shipped command with its defaults."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "model")
        command = [sys.executable, "-m", "implementations.microgpt"]
        for words in (["train", "--output", folder], ["sample", folder, "--count", str(NAMES)]):
            done = subprocess.run([*command, *words], cwd=ROOT, check=True, capture_output=True, text=True)
        training = json.loads((folder / "config.json").read_text(encoding="utf-8"))["training"]
    names = done.stdout.split()
    return {"steps": training["steps"], "seed": training["seed"], "loss": training["loss_last_500"], "names": names}


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    RECORD.write_text(json.dumps(trained(), indent=2) + "\n", encoding="utf-8")
