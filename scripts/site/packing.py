"""Files as they go over the wire: a Brotli and a gzip copy beside each that gains by it."""

import gzip
import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import brotli

from scripts.site.steps import BUILD

PACKED = BUILD / "packed"
COMPRESSED = {".css", ".html", ".js", ".json", ".svg", ".txt", ".wasm", ".xml", ".zip"}
CHANGING = {".html", ".json"}
"""Pages are many, small and often changed: the last percents are not worth the wait."""


def _pack(data: bytes, ending: str, quality: int) -> bytes:
    """Return packed data, from the cache if it was packed before."""
    file = PACKED / f"{hashlib.sha256(data).hexdigest()}-{quality}{ending}"
    if not file.exists():
        PACKED.mkdir(parents=True, exist_ok=True)
        small = brotli.compress(data, quality=quality) if ending == ".br" else gzip.compress(data)
        file.write_bytes(small)
    return file.read_bytes()


def _packings(file: Path) -> Iterable[tuple[str, bytes]]:
    """Yield the ending and the contents of each copy of a file."""
    data = file.read_bytes()
    quality = 6 if file.suffix in CHANGING else 11
    for ending in (".br", ".gz"):
        yield ending, _pack(data, ending, quality)


def files_to_pack(folder: Path) -> list[Path]:
    """Return the files in a folder that gain by packing, the largest first."""
    files = [file for file in folder.rglob("*") if file.suffix in COMPRESSED]
    return sorted(files, key=lambda file: -file.stat().st_size)


def pack_ahead(files: Iterable[Path]) -> None:
    """Pack files into the cache, so that packing a folder that has them takes no time."""
    for file in files:
        list(_packings(file))


def pack_folder(folder: Path) -> None:
    """Put a Brotli and a gzip copy beside every file in a folder that gains by it."""

    def pack(file: Path) -> None:
        for ending, data in _packings(file):
            file.with_name(file.name + ending).write_bytes(data)

    with ThreadPoolExecutor() as pool:
        list(pool.map(pack, files_to_pack(folder)))
