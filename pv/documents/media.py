"""Media files: what they begin with is what their name says they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

_Begins = Callable[[bytes], bool]


def _with(*magic: bytes) -> _Begins:
    return lambda data: data.startswith(magic)


# How a file of each suffix begins; `WEBP` and `ftyp` stand behind a length.
MAGIC: Mapping[str, _Begins] = {
    ".png": _with(b"\x89PNG\r\n\x1a\n"),
    ".jpg": _with(b"\xff\xd8\xff"),
    ".jpeg": _with(b"\xff\xd8\xff"),
    ".gif": _with(b"GIF87a", b"GIF89a"),
    ".webp": lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP",
    ".avif": lambda data: data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"),
    ".ico": _with(b"\0\0\1\0"),
    ".bmp": _with(b"BM"),
    ".tif": _with(b"II*\0", b"MM\0*"),
    ".tiff": _with(b"II*\0", b"MM\0*"),
    ".pdf": _with(b"%PDF-"),
    ".mp4": lambda data: data[4:8] == b"ftyp",
    ".webm": _with(b"\x1a\x45\xdf\xa3"),
    ".mp3": _with(b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"),
    ".ogg": _with(b"OggS"),
    ".wav": lambda data: data[:4] == b"RIFF" and data[8:12] == b"WAVE",
    ".woff": _with(b"wOFF"),
    ".woff2": _with(b"wOF2"),
}


def media_kind(data: bytes) -> str:
    """The suffix of the first kind that begins so; empty when none does."""
    return next((suffix for suffix, begins in MAGIC.items() if begins(data)), "")


def media_problem(suffix: str, data: bytes) -> str:
    """Why a file that begins with `data` is not what `suffix` says; empty when it is."""
    if MAGIC[suffix.lower()](data):
        return ""
    kind = media_kind(data)
    return f"a {suffix} file that begins with {data[:8]!r}" + (f", as a {kind} file does" if kind else "")
