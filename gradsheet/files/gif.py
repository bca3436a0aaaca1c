"""Animated GIFs: a palette for all frames, only what changed of each, LZW.

Owns the format (GIF89a) and nothing of what is shown. Frames are arrays of pixels; they are taken
one after another, so that an animation of any length needs the memory of two.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.uint8]

SAME = 255
"""The palette's entry for a pixel that is as it was in the frame before."""
_BITS = 6
"""Bits of a channel by which colours are told apart: antialiased text looks the same."""
_CODE_BITS = 8
_MOST_CODES = 4096


class Palette:
    """At most 255 colours, and the nearest of them to any.

    Parameters
    ----------
    samples : sequence of ndarray (height, width, 3) uint8
        Frames whose colours it takes: the most frequent ones, and some of every region of
        colours, so that a scale of many stays one.
    """

    def __init__(self, samples: Sequence[Pixels]) -> None:
        keys, counts, exact = [], [], []
        for sample in samples:
            flat = sample.reshape(-1, 3)
            found, first, number = np.unique(_keys(flat), return_index=True, return_counts=True)
            keys.append(found)
            counts.append(number)
            exact.append(flat[first])
        all_keys, where = np.unique(np.concatenate(keys), return_index=True)
        colours = np.concatenate(exact)[where]
        order = np.searchsorted(all_keys, np.concatenate(keys))
        weights = np.bincount(order, np.concatenate(counts), len(all_keys)).astype(np.float64)
        chosen = _chosen(all_keys, weights)
        self.colours: Pixels = colours[chosen]
        """The colours (n, 3)."""
        self._nearest: npt.NDArray[np.int16] = np.full(1 << (3 * _BITS), -1, dtype=np.int16)
        self._nearest[all_keys[chosen]] = np.arange(len(chosen))

    def indices(self, frame: Pixels) -> Indices:
        """Return for every pixel the number of the nearest colour."""
        keys = _keys(frame.reshape(-1, 3))
        missing = np.unique(keys[self._nearest[keys] < 0])
        if len(missing):
            step = 8 - _BITS
            mask = (1 << _BITS) - 1
            wanted = np.stack([(missing >> (shift * _BITS)) & mask for shift in (2, 1, 0)], 1)
            wanted = (wanted << step) + (1 << (step - 1))
            apart = wanted[:, None, :] - self.colours[None].astype(np.int64)
            self._nearest[missing] = (apart**2).sum(2).argmin(1)
        return self._nearest[keys].astype(np.uint8).reshape(frame.shape[:2])


def _chosen(
    keys: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]
) -> npt.NDArray[np.intp]:
    """Return the places of at most 255 colours."""
    frequent = np.argsort(-weights, kind="stable")
    if len(keys) <= SAME:
        return frequent
    for bits in range(_BITS, 0, -1):
        shift, mask = _BITS - bits, (1 << _BITS) - 1
        coarse = np.zeros_like(keys)
        for channel in range(3):
            at = channel * _BITS
            coarse |= (((keys >> at) & mask) >> shift) << at
        _, first = np.unique(coarse[frequent], return_index=True)
        if len(first) <= SAME // 2 + 1:
            spread = frequent[np.sort(first)]
            rest = frequent[~np.isin(frequent, spread)]
            return np.concatenate([spread, rest])[:SAME]
    return frequent[:SAME]


class GifWriter:
    """Writes frames as they come.

    Parameters
    ----------
    file : binary file
    size : (width, height)
    palette : Palette

    Notes
    -----
    GIF89a, https://www.w3.org/Graphics/GIF/spec-gif89a.txt; the loop is Netscape's extension.
    """

    def __init__(self, file: BinaryIO, size: tuple[int, int], palette: Palette) -> None:
        self._file, self._size, self._palette = file, size, palette
        self._shown: Indices | None = None
        table = np.zeros((256, 3), dtype=np.uint8)
        table[: len(palette.colours)] = palette.colours
        file.write(b"GIF89a" + struct.pack("<HHBBB", *size, 0xF7, 0, 0) + table.tobytes())
        file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")
        self.written = 13 + table.size + 19
        """Bytes so far."""

    def add(self, frame: Pixels, delay_ms: int) -> int:
        """Write a frame that is shown for so long; return how many bytes it took.

        Parameters
        ----------
        frame : ndarray (height, width, 3) uint8
        delay_ms : int
            In steps of 10.
        """
        width, height = self._size
        if frame.shape != (height, width, 3):
            raise ValueError(f"a frame of {frame.shape[1]} x {frame.shape[0]} pixels in a GIF of "
                             f"{width} x {height}")  # fmt: skip
        new = self._palette.indices(frame)
        left, top, part = 0, 0, new
        if self._shown is not None:
            changed = new != self._shown
            rows, cols = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
            if not len(rows):
                rows = cols = np.array([0])
            top, bottom, left, right = rows[0], rows[-1] + 1, cols[0], cols[-1] + 1
            part = np.where(changed, new, SAME)[top:bottom, left:right]
        self._shown = new
        control = struct.pack("<BBBBHBB", 0x21, 0xF9, 4, 0x05, max(2, delay_ms // 10), SAME, 0)
        place = struct.pack("<BHHHHB", 0x2C, left, top, part.shape[1], part.shape[0], 0)
        data = b"".join(_blocks(lzw(part.tobytes())))
        piece = control + place + bytes([_CODE_BITS]) + data
        self._file.write(piece)
        self.written += len(piece)
        return len(piece)

    def finish(self) -> None:
        """Write the end."""
        self._file.write(b"\x3b")
        self.written += 1


def lzw(data: bytes) -> bytes:
    """Return bytes compressed as GIF wants them: codes from 9 to 12 bits, lowest bit first."""
    clear, stop = 1 << _CODE_BITS, (1 << _CODE_BITS) + 1
    out = bytearray()
    bits, count, width = clear, _CODE_BITS + 1, _CODE_BITS + 1
    table: dict[int, int] = {}
    following = stop + 1
    prefix = -1
    for byte in data:
        if prefix < 0:
            prefix = byte
            continue
        key = prefix << 8 | byte
        known = table.get(key)
        if known is not None:
            prefix = known
            continue
        bits |= prefix << count
        count += width
        while count >= 8:
            out.append(bits & 255)
            bits >>= 8
            count -= 8
        if following < _MOST_CODES:
            table[key] = following
            if following == 1 << width:
                width += 1
            following += 1
        else:
            bits |= clear << count
            count += width
            table.clear()
            following, width = stop + 1, _CODE_BITS + 1
        prefix = byte
    for code in ([prefix] if prefix >= 0 else []) + [stop]:
        bits |= code << count
        count += width
        if code != stop and following == 1 << width and width < 12:
            width += 1
    while count > 0:
        out.append(bits & 255)
        bits >>= 8
        count -= 8
    return bytes(out)


def _blocks(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), 255):
        piece = data[at : at + 255]
        yield bytes([len(piece)]) + piece
    yield b"\x00"


def _keys(flat: Pixels) -> npt.NDArray[np.int64]:
    """Return colours (n, 3) as numbers."""
    wide = (flat >> (8 - _BITS)).astype(np.int64)
    return (wide[:, 0] << (2 * _BITS)) | (wide[:, 1] << _BITS) | wide[:, 2]
