"""Tiny films and pictures for the live tests, each with contents of its own. ffmpeg makes them."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import zipfile
import zlib
from base64 import b64encode
from pathlib import Path

FILMS = {"otter.mp4": "testsrc2", "kingfisher.mp4": "mandelbrot", "beaver dam.mkv": "rgbtestsrc"}
PICTURES = ("reed bed.png", "heron, grey.jpg", "dragonfly 🪰.png", "marsh.png")


def available() -> bool:
    """Whether films can be made here."""
    return shutil.which("ffmpeg") is not None


def make_library(media: Path, clips: Path) -> None:
    """Fill a library: three films (one with a script), pictures (one of them twice), a folder of
    pictures, two equal zips of pictures, and a short film that is to be taken as a picture."""
    for name, pattern in FILMS.items():
        film(media / name, pattern)
    script(media / "otter.funscript")
    for number, name in enumerate(PICTURES):
        picture(media / name, number)
    (media / "river").mkdir(exist_ok=True)
    shutil.copyfile(media / PICTURES[0], media / "river" / "reed bed again.png")
    picture(media / "river" / "bank.png", 20)
    zipped(media / "pond.zip", 30)
    shutil.copyfile(media / "pond.zip", media / "river" / "pond copy.cbz")
    film(clips / "splash.mp4", "life")


def caption(media: Path) -> None:
    """Give one film captions in two languages. Stash only takes them up for films it has found before."""
    (media / "otter.en.srt").write_text("1\n00:00:00,000 --> 00:00:00,900\nThe river wakes.\n", encoding="utf-8")
    (media / "otter.de.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:00.900\nDer Fluss erwacht.\n", encoding="utf-8")


def film(path: Path, pattern: str) -> None:
    """Make a film of one second, with sound, that shows an ffmpeg test pattern."""
    _ffmpeg("-f", "lavfi", "-i", f"{pattern}=size=160x120:rate=10", "-f", "lavfi", "-i", "sine=frequency=330",
            "-t", "1", "-pix_fmt", "yuv420p", "-shortest", path)  # fmt: skip


def picture(path: Path, number: int) -> None:
    """Make a small picture whose contents depend on ``number``."""
    if path.suffix == ".png":
        path.write_bytes(png(number))
    else:
        _ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=1", "-frames:v", "1", "-update", "1", path)


def zipped(path: Path, number: int) -> None:
    """Make a zip of three pictures."""
    with zipfile.ZipFile(path, "w") as out:
        for page in range(3):
            out.writestr(f"page {page + 1}.png", png(number + page))


def script(path: Path) -> None:
    """Make a script that moves, so that Stash finds a speed."""
    actions = [{"at": at * 50, "pos": 90 if at % 2 else 10} for at in range(20)]
    path.write_text(json.dumps({"version": "1.0", "actions": actions}), encoding="utf-8")


def png(number: int, words: str = "") -> bytes:
    """Give a valid picture of 16 by 16 pixels with a colour and a comment of its own."""
    colour = bytes(((number * 37) % 256, (number * 91) % 256, (number * 151) % 256))
    rows = (b"\0" + colour * 16) * 16
    comment = _chunk(b"tEXt", b"Comment\0" + words.encode("latin-1")) if words else b""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + comment + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def data_url(number: int, words: str = "") -> str:
    """Give the picture as Stash's inputs take it."""
    return "data:image/png;base64," + b64encode(png(number, words)).decode()


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _ffmpeg(*arguments: str | Path) -> None:
    command = ["ffmpeg", "-loglevel", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)
