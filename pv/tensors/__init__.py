"""Captured tensors on disk: APRT files, and folders of them with a manifest."""

from pv.tensors.aprt import Aprt, read_aprt, write_aprt
from pv.tensors.folder import StoredCapture, open_capture
from pv.tensors.manifest import Manifest, StageRecord
from pv.tensors.place import Place
from pv.tensors.writer import CaptureWriter

__all__ = [
    "Aprt", "CaptureWriter", "Manifest", "Place", "StageRecord", "StoredCapture", "open_capture", "read_aprt", "write_aprt",
]  # fmt: skip
