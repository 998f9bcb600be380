"""A plain zip as an input, its two ends and both descriptions of each member checked."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

from .names import MEMBER_LIMIT, RATIO_FROM, RATIO_LIMIT, check_names, looks_like, name_problem

_LOCAL = struct.Struct("<4s5H3L2H")
_SIZE64 = 0xFFFFFFFF
"""Stands where a size of 64 bits follows elsewhere."""
_END_RECORD = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64_RECORD = struct.Struct("<4sQ2H2L4Q")
_ENTRY_LIMIT = 46 + 1024 + 1024
"""Bytes of one entry of the directory: what is fixed, the longest name, and room for what programs add."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class ZipInput:
    """A plain zip."""

    def __init__(self, path: Path) -> None:
        count = _check_zip(path)
        self._zip = zipfile.ZipFile(path)
        if len(self._zip.filelist) != count:
            raise ValueError("its end and its directory tell of different numbers of members")
        infos = [info for info in self._zip.infolist() if not _is_folder(info)]
        check_names(info.orig_filename for info in infos)
        for info in infos:
            _check_info(info)
        _check_apart(infos, self._zip.start_dir)
        self.sizes: Mapping[str, int] = {info.filename: info.file_size for info in infos}

    def open(self, name: str) -> IO[bytes]:
        """See Input."""
        self._check_local(self._zip.getinfo(name))
        return self._zip.open(name)

    def _check_local(self, info: zipfile.ZipInfo) -> None:
        """A member says twice what it is; readers differ in which of the two they go by."""
        file = self._zip.fp
        assert file  # noqa: S101 - never closed
        file.seek(info.header_offset)
        signature, _, flags, method, _, _, crc, packed, size, *_ = _LOCAL.unpack(file.read(_LOCAL.size))
        later = flags & 0x8  # sizes and checksum stand behind the member
        same = later or (crc, min(packed, _SIZE64), min(size, _SIZE64)) in (
            (info.CRC, info.compress_size, info.file_size),
            (info.CRC, _SIZE64, _SIZE64),
        )
        if signature != b"PK\3\4" or (flags, method) != (info.flag_bits, info.compress_type) or not same:
            raise ValueError(f"{info.filename!r} is described in two ways")


def _check_apart(infos: Iterable[zipfile.ZipInfo], end: int) -> None:
    """Refuse members that share bytes: a few of them can unpack to any size. Raises ValueError."""
    for info in sorted(infos, key=lambda one: -one.header_offset):
        if info.header_offset + _LOCAL.size + len(info.orig_filename) + info.compress_size > end:
            raise ValueError(f"{info.orig_filename!r} overlaps another member")
        end = info.header_offset


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith("/") and not info.file_size and not name_problem(info.orig_filename.rstrip("/"))


def _check_zip(path: Path) -> int:
    """Check the two ends of a zip before it is taken apart: nothing before, nothing after, not too many members. Give
    how many it says it has."""
    with path.open("rb") as file:
        begin = file.read(4)
        size = file.seek(0, os.SEEK_END)
        if not size:
            raise ValueError("it is empty")
        if not begin.startswith(b"PK"):
            raise ValueError(f"it is not a zip; it looks like {looks_like(begin)}")
        if size < _END_RECORD.size:
            raise ValueError("it is truncated")
        file.seek(-_END_RECORD.size, os.SEEK_END)
        end = _END_RECORD.unpack(file.read())
        if end[0] != b"PK\5\6" or end[7] != 0:
            raise ValueError("it does not end as a zip ends: it is truncated, or something was added")
        count, length = (end[4], end[5]) if end[4] != 0xFFFF else _counts64(file)
    if count > MEMBER_LIMIT:
        raise ValueError(f"it has {count:,} members; {MEMBER_LIMIT:,} is the limit")
    if length > count * _ENTRY_LIMIT:
        raise ValueError(f"its directory is too long for {count:,} members")
    return count


def _counts64(file: IO[bytes]) -> tuple[int, int]:
    """How many members a large zip has, and how long its directory is."""
    file.seek(-_END_RECORD.size - _END64_LOCATOR.size, os.SEEK_END)
    signature, _, offset, _ = _END64_LOCATOR.unpack(file.read(_END64_LOCATOR.size))
    if signature != b"PK\6\7":
        return 0xFFFF, 0
    file.seek(offset)
    record = file.read(_END64_RECORD.size)
    _, _, _, _, _, _, _, count, length, _ = _END64_RECORD.unpack(record)
    return count, length


def _check_info(info: zipfile.ZipInfo) -> None:
    name, mode = info.orig_filename, info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise ValueError(f"{name!r} is a link or a device")
    if info.flag_bits & 0x1:
        raise ValueError(f"{name!r} is encrypted")
    if info.compress_type not in _METHODS:
        raise ValueError(f"{name!r} is packed by the unknown method {info.compress_type}")
    if info.file_size > RATIO_FROM and info.file_size > RATIO_LIMIT * info.compress_size:
        raise ValueError(f"{name!r} unpacks to more than {RATIO_LIMIT} times its size")
