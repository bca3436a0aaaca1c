"""Animated GIFs: what is read back is what was written."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QImageReader

from gradsheet.files.gif import GifWriter, Palette, lzw
from gradsheet.qt.export.pictures import pixels_of


def unpacked(data: bytes) -> bytes:
    """Decompress as the specification says, appendix F: independent of the writer."""
    clear, stop = 256, 257
    bits = count = at = 0
    width, out, table, before = 9, bytearray(), [], None
    while True:
        while count < width:
            bits |= data[at] << count
            at, count = at + 1, count + 8
        code = bits & ((1 << width) - 1)
        bits, count = bits >> width, count - width
        if code == clear:
            table = [bytes([i]) for i in range(256)] + [b"", b""]
            width, before = 9, None
            continue
        if code == stop:
            return bytes(out)
        if before is None:
            entry = table[code]
        else:
            entry = table[code] if code < len(table) else before + before[:1]
            if len(table) < 4096:
                table.append(before + entry[:1])
            if len(table) == 1 << width and width < 12:
                width += 1
        out += entry
        before = entry


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=3000), st.integers(1, 6))
def test_lzw_gives_the_same_bytes_back(data: bytes, times: int) -> None:
    assert unpacked(lzw(data * times)) == data * times


def test_lzw_survives_more_codes_than_a_table_holds() -> None:
    data = np.random.default_rng(0).integers(0, 255, 60_000, dtype=np.uint8).tobytes()
    assert unpacked(lzw(data)) == data


def frames(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    colours = rng.integers(0, 256, (40, 3)).astype(np.uint8)
    first = colours[rng.integers(0, 40, (37, 53))]
    made = [first]
    for i in range(1, count):
        following = made[-1].copy()
        following[i : i + 9, 5 : 20 + i] = colours[i]
        made.append(following)
    return made


def test_every_frame_shows_as_it_was(tmp_path: Path, qapp: object) -> None:
    made = frames(6)
    path = tmp_path / "frames.gif"
    with path.open("wb") as file:
        writer = GifWriter(file, (53, 37), Palette(made))
        for frame in made:
            writer.add(frame, 120)
        writer.finish()
    assert path.stat().st_size == writer.written
    reader = QImageReader(str(path))
    assert reader.imageCount() == len(made)
    for frame in made:
        # Six bits of a channel are told apart.
        shown = pixels_of(reader.read()).astype(int)
        assert np.abs(shown - frame).max() <= 4
        assert reader.nextImageDelay() == 120


def test_a_frame_that_changes_little_takes_little() -> None:
    made = frames(3)
    writer = GifWriter(io.BytesIO(), (53, 37), Palette(made))
    whole = writer.add(made[0], 40)
    assert writer.add(made[1], 40) < whole / 4
    assert writer.add(made[1], 40) < 64


def test_many_colours_become_the_nearest_of_the_palette() -> None:
    ramp = np.stack(np.meshgrid(np.arange(256), np.arange(256)), -1).astype(np.uint8)
    frame = np.concatenate([ramp, np.full((256, 256, 1), 128, np.uint8)], 2)
    palette = Palette([frame])
    assert len(palette.colours) == 255
    shown = palette.colours[palette.indices(frame)].astype(int)
    assert np.abs(shown - frame).sum(2).mean() < 64


def test_a_frame_of_another_size_is_refused() -> None:
    made = frames(1)
    writer = GifWriter(io.BytesIO(), (10, 10), Palette(made))
    with pytest.raises(ValueError, match="53 x 37"):
        writer.add(made[0], 40)
