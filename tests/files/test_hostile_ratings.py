"""3,000 damaged rating files of every kind: right, or a message that says where; nothing is lost.

Half are damaged in ways whose outcome is known (an oracle of plain Python keeps the account), half
byte by byte. Seeded: the same number, the same file.
"""

from __future__ import annotations

import random
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from gradsheet.formula.values import UserError
from gradsheet.ratings.reader import ReadResult, read
from gradsheet.tasks import Control

CHUNKS = 30
OF_EACH = 50
LIMIT_S = 5.0

Row = tuple[str, str, float]


@dataclass(frozen=True)
class Form:
    """How a kind of file writes its rows."""

    name: str
    separator: str
    header: str
    encoding: str = "utf-8"
    decimal: str = "."
    user: Callable[[int], str] = str
    when: Callable[[int], str] = str
    zipped: bool = False

    def line(self, user: str, item: str, rating: str, at: int) -> str:
        return self.separator.join((user, item, rating, self.when(at)))

    def write(self, folder: Path, lines: list[str], end: str) -> Path:
        text = end.join([self.header, *lines] if self.header else lines) + end
        path = folder / self.name
        if not self.zipped:
            path.write_bytes(text.encode(self.encoding))
            return path
        path = folder / "ml-small.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("ml-small/ratings.csv", text)
            archive.writestr("ml-small/movies.csv", "movieId,title,genres\n1,Heat (1995),Crime\n")
        return path


def _date(seconds: int) -> str:
    return str(np.datetime64(seconds, "s")).replace("T", " ")


FORMS = (
    Form("ratings.csv", ",", "userId,movieId,rating,timestamp"),
    Form("u.data", "\t", ""),
    Form("ratings.dat", "::", ""),
    Form("bewertungen.csv", ";", "user;item;rating;time", decimal=","),
    Form("excel.csv", "\t", "userId\tmovieId\trating\ttimestamp", encoding="utf-16"),
    Form("people.csv", ",", "userId,movieId,rating,timestamp", user=lambda n: f"Zoë {n}"),
    Form("dated.csv", ",", "userId,movieId,rating,date", when=_date),
    Form("ratings.csv", ",", "userId,movieId,rating,timestamp", zipped=True),
)


@dataclass
class Account:
    """What must come of a file, kept while it is written."""

    lines: list[str] = field(default_factory=list)
    ratings: dict[tuple[str, str], float] = field(default_factory=dict)
    bad: list[int] = field(default_factory=list)
    duplicates: int = 0

    def good(self, line: str, user: str, item: str, rating: float) -> None:
        self.lines.append(line)
        self.duplicates += (user, item) in self.ratings
        self.ratings[user, item] = rating

    def lost(self, line: str, first: int) -> None:
        self.lines.append(line)
        self.bad.append(len(self.lines) - 1 + first)


def a_file_with_known_damage(form: Form, chance: random.Random) -> Account:
    account, first = Account(), 2 if form.header else 1
    for n in range(chance.randint(8, 40)):
        user, item = form.user(chance.randint(1, 9)), str(chance.randint(1, 12))
        rating, at = chance.randint(1, 10) / 2, 881_250_949 + 1000 * n
        stars = f"{rating:g}".replace(".", form.decimal)
        # The first rows stay whole, for what a file is, is guessed from its beginning.
        damage = chance.random() if n >= 6 else 1.0
        if damage < 0.05:
            account.lost(form.line(user, item, chance.choice(["good", "--", "4x"]), at), first)
        elif damage < 0.10:
            account.lost(form.line(user, item, "", at), first)
        elif damage < 0.15:
            account.lost(form.line("", item, stars, at), first)
        elif damage < 0.20:
            account.lost(form.line(user, "", stars, at), first)
        elif damage < 0.25:
            account.lost(form.separator.join((user, item)), first)
        elif damage < 0.32:
            account.lines.append("")
            account.good(form.line(user, item, stars, at), user, item, rating)
        else:
            account.good(form.line(user, item, stars, at), user, item, rating)
    return account


def result_of(path: Path) -> ReadResult:
    steps = read(path, None, Control())
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result = end.value
            assert isinstance(result, ReadResult)
            return result


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_row_is_read_or_reported_with_its_line(tmp_path: Path, chunk: int) -> None:
    for seed in range(chunk * OF_EACH, (chunk + 1) * OF_EACH):
        chance = random.Random(seed)
        form = FORMS[seed % len(FORMS)]
        account = a_file_with_known_damage(form, chance)
        path = form.write(tmp_path, account.lines, chance.choice(["\n", "\r\n"]))
        result = result_of(path)
        table = result.table
        users = [str(user) for user in table.user_ids[table.users]]
        items = [str(item) for item in table.item_ids[table.items]]
        found = dict(zip(zip(users, items, strict=True), table.ratings.tolist(), strict=True))
        where = f"seed {seed}, {form.name}"
        assert found == account.ratings, where
        assert [bad.line for bad in result.bad_rows] == account.bad, where
        assert all(bad.reason for bad in result.bad_rows), where
        assert result.bad_count == len(account.bad), where
        assert result.duplicates == account.duplicates, where


SPICE = (b'"', b"\n", b"x", b",", b"::", b"\r\n", b"\x00", b"1e999", b"nan", b"9" * 20, b"\xc3",
         b"\xff\xfe", b"=1+1", b"\t" * 50, b"-")  # fmt: skip


def damaged(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(out) + 1)
        kind = chance.random()
        if kind < 0.5:
            out[at:at] = chance.choice(SPICE)
        elif kind < 0.8:
            del out[at : at + chance.randint(1, 12)]
        elif kind < 0.9:
            out[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 9)))
        else:
            del out[at:]
    return bytes(out)


def result_or_refusal(path: Path) -> ReadResult | UserError:
    try:
        return result_of(path)
    except UserError as refusal:
        return refusal


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_bytes_gone_wrong_are_read_or_refused_in_words(tmp_path: Path, chunk: int) -> None:
    for seed in range(chunk * OF_EACH, (chunk + 1) * OF_EACH):
        chance = random.Random(10_000 + seed)
        form = FORMS[seed % len(FORMS)]
        path = form.write(tmp_path, a_file_with_known_damage(form, chance).lines, "\n")
        path.write_bytes(damaged(path.read_bytes(), chance))
        lines = len(path.read_bytes().splitlines()) + 1
        began = time.process_time()
        result = result_or_refusal(path)
        assert time.process_time() - began < LIMIT_S
        if isinstance(result, UserError):
            said = f"{result.text} {result.hint}"
            assert path.name in said or "ratings" in said, seed
            continue
        assert len(result.table) > 0
        assert np.isfinite(result.table.ratings).all()
        assert result.bad_count >= len(result.bad_rows)
        if not form.zipped and form.encoding == "utf-8":
            assert all(1 <= bad.line <= lines for bad in result.bad_rows), seed
