"""Facts about reading ratings: every file that people have, and every way it can be wrong."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import random
import time
import zipfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradsheet.formula.values import UserError
from gradsheet.ratings.reader import Preview, ReadOptions, ReadResult, read, sniff
from gradsheet.ratings.table import UNKNOWN_TIME, RatingTable
from gradsheet.tasks import Cancelled, Control, Progress, Task, live_tasks

MOVIELENS = Path(__file__).resolve().parents[4] / "shared" / "reference" / "ml-latest-small"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(data: str | bytes, name: str = "ratings.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode(encoding))
        return path

    return make


def result_of(path: Path, options: Any = None, **changes: Any) -> ReadResult:
    if changes:
        options = dataclasses.replace(options or sniff(path).options, **changes)
    found: list[ReadResult] = []

    def collect() -> Generator[Progress, None, None]:
        found.append((yield from read(path, options)))

    assert all(isinstance(step, Progress) for step in collect())
    return found[0]


def triples(table: RatingTable) -> list[tuple[Any, Any, float]]:
    users, items = table.user_ids[table.users], table.item_ids[table.items]
    return list(zip(users.tolist(), items.tolist(), table.ratings.tolist(), strict=True))


EXPECTED = [(196, 242, 3.0), (186, 302, 3.5), (196, 377, 1.0)]


# --- files people have ----------------------------------------------------------------------------


def test_csv_with_header_is_recognised_by_its_names(write: Write) -> None:
    path = write("userId,movieId,rating,timestamp\n196,242,3,881250949\n186,302,3.5,891717742\n"
                 "196,377,1,878887116\n")  # fmt: skip
    preview = sniff(path)
    assert preview.header
    assert preview.separator == ","
    assert preview.columns == ("userId", "movieId", "rating", "timestamp")
    assert preview.roles == {"user": 0, "item": 1, "rating": 2, "timestamp": 3}
    assert preview.rows[0] == ("196", "242", "3", "881250949")
    assert any("named “movieId”" in note for note in preview.notes)
    result = result_of(path)
    assert triples(result.table) == EXPECTED
    assert result.table.timestamps is not None
    assert result.table.timestamps.tolist() == [881250949, 891717742, 878887116]
    assert result.table.users.dtype == result.table.items.dtype == np.int32
    assert result.table.ratings.dtype == np.float32
    assert (result.bad_rows, result.bad_count, result.duplicates) == ((), 0, 0)


def test_codes_follow_the_first_appearance(write: Write) -> None:
    table = result_of(write("user,item,rating\n9,7,1\n3,8,2\n9,5,3\n1,7,4\n")).table
    assert table.user_ids.tolist() == [9, 3, 1]
    assert table.item_ids.tolist() == [7, 8, 5]
    assert table.users.tolist() == [0, 1, 0, 2]


def test_columns_in_another_order_are_found_by_name(write: Write) -> None:
    path = write("timestamp,rating,title,movieId,userId\n881250949,3,Kolya,242,196\n"
                 "891717742,3.5,L.A.,302,186\n878887116,1,Heat,377,196\n")  # fmt: skip
    assert triples(result_of(path).table) == EXPECTED


def test_u_data_has_tabs_and_no_header(write: Write) -> None:
    path = write("196\t242\t3\t881250949\n186\t302\t3.5\t891717742\n196\t377\t1\t878887116\n",
                 "u.data")  # fmt: skip
    preview = sniff(path)
    assert not preview.header
    assert preview.separator == "\t"
    assert preview.columns == ("Column 1", "Column 2", "Column 3", "Column 4")
    assert preview.options.timestamp == 3
    assert triples(result_of(path).table) == EXPECTED


def test_ratings_dat_has_double_colons(write: Write) -> None:
    path = write("196::242::3::881250949\n186::302::3.5::891717742\n196::377::1::878887116\n",
                 "ratings.dat")  # fmt: skip
    preview = sniff(path)
    assert preview.separator == "::"
    assert preview.rows[0] == ("196", "242", "3", "881250949")
    assert triples(result_of(path).table) == EXPECTED


def test_bad_row_of_double_colons_is_shown_as_it_stands(write: Write) -> None:
    path = write("1::2::3::881250949\n1::3::x::881250949\n1::4::5::881250949\n", "ratings.dat")
    assert result_of(path).bad_rows[0].text == "1::3::x::881250949"


def test_double_colons_leave_single_colons_alone(write: Write) -> None:
    rows = "".join(f"{i}::A:{i}::4\n" for i in range(1, 9))
    assert result_of(write(rows, "ratings.dat")).table.item_ids[0] == "A:1"


def test_bars_separate_too(write: Write) -> None:
    path = write("user|item|rating\n196|242|3\n186|302|3.5\n196|377|1\n", "x.txt")
    assert triples(result_of(path).table) == EXPECTED


def test_semicolons_with_decimal_commas(write: Write) -> None:
    path = write("user;item;rating\n196;242;3,0\n186;302;3,5\n196;377;1\n")
    preview = sniff(path)
    assert preview.separator == ";"
    assert preview.options.decimal == ","
    assert triples(result_of(path).table) == EXPECTED


def test_decimal_commas_and_a_bad_row_together(write: Write) -> None:
    path = write("user;item;rating\n196;242;3,0\n186;302;3,5\nx\n196;377;1\n")
    result = result_of(path)
    assert triples(result.table) == EXPECTED
    assert result.bad_rows[0].line == 4


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_encodings_of_excel(write: Write, encoding: str) -> None:
    path = write(
        "user\titem\trating\r\nAnaïs\tÄon Flux\t3.5\r\nBo\tŒuvre\t2\r\n", "e.txt", encoding
    )
    expected = "utf-16" if encoding == "utf-16" else encoding
    assert sniff(path).encoding == expected
    assert triples(result_of(path).table) == [("Anaïs", "Äon Flux", 3.5), ("Bo", "Œuvre", 2.0)]


def test_bytes_that_are_not_utf8_are_read_as_western_european(write: Write) -> None:
    path = write("user,item,rating\nRené,Léon,4\n", encoding="latin-1")
    assert sniff(path).encoding == "cp1252"
    assert triples(result_of(path).table) == [("René", "Léon", 4.0)]


def test_western_european_byte_far_into_a_file_is_still_read(write: Write) -> None:
    rows = "".join(f"u{i},i{i % 7},3\n" for i in range(20_000))
    path = write(("user,item,rating\n" + rows + "René,Léon,4\n").encode("latin-1"))
    assert sniff(path).encoding == "utf-8"
    assert triples(result_of(path).table)[-1] == ("René", "Léon", 4.0)


def test_text_ids_are_labels(write: Write) -> None:
    path = write("reviewerID,asin,overall\nA2SU,B001,5\nA3XX,0007,4\n")
    preview = sniff(path)
    assert preview.options.text_users
    assert preview.options.text_items
    assert triples(result_of(path).table) == [("A2SU", "B001", 5.0), ("A3XX", "0007", 4.0)]


def test_leading_zeros_of_ids_are_kept(write: Write) -> None:
    path = write("user,isbn,rating\n1,0312,5\n2,0059,4\n")
    assert result_of(path).table.item_ids.tolist() == ["0312", "0059"]


def test_ids_that_turn_out_to_be_text_later_are_all_kept_as_text(write: Write) -> None:
    rows = "".join(f"{i % 50},{i},3\n" for i in range(20_000))
    path = write("user,item,rating\n" + rows + "1,05X,4\n")
    assert not sniff(path).options.text_items
    result = result_of(path, block_bytes=10_000)
    assert result.table.item_ids[-1] == "05X"
    assert result.table.item_ids[5] == "5"
    assert result.table.user_ids[5] == 5
    assert any("05X" in note for note in result.notes)


def test_text_that_begins_with_an_equals_sign_stays_text(write: Write) -> None:
    path = write('user,item,rating\n=1+1,"=HYPERLINK(""x"")",5\n@a,+b,4\n')
    assert triples(result_of(path).table) == [
        ("=1+1", '=HYPERLINK("x")', 5.0),
        ("@a", "+b", 4.0),
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2020-02-01", "2020-02-13"),
        ("01.02.2020", "13.02.2020"),
        ("13/02/2020", "01/02/2020"),
        ("02/01/2020", "02/13/2020"),
        ("2020-02-01T00:00:00Z", "2020-02-13T00:00:00Z"),
        ("2020-02-01 00:00:00", "2020-02-13 00:00:00"),
    ],
)
def test_dates_instead_of_seconds(write: Write, first: str, second: str) -> None:
    preview = sniff(path := write(f"user,item,rating,when\n1,1,3,{first}\n1,2,4,{second}\n"))
    assert preview.options.time_kind == "date"
    times = result_of(path).table.timestamps
    assert times is not None
    assert sorted(times.tolist()) == [1580515200, 1581552000]


def test_milliseconds_become_seconds(write: Write) -> None:
    path = write("user,item,rating,timestamp\n1,1,3,1580515200123\n1,2,x,9\n1,3,4,1580515201999\n")
    times = result_of(path).table.timestamps
    assert times is not None
    assert times.tolist() == [1580515200, 1580515201]


def test_time_that_cannot_be_read_keeps_its_rating(write: Write) -> None:
    path = write("user,item,rating,timestamp\n1,1,3,881250949\n1,2,4,yesterday\n1,3,5,\n")
    result = result_of(path)
    assert result.table.timestamps is not None
    assert result.table.timestamps.tolist() == [881250949, UNKNOWN_TIME, UNKNOWN_TIME]
    assert result.bad_count == 0
    assert any("2 times" in note for note in result.notes)


def test_last_of_duplicates_wins_and_they_are_counted(write: Write) -> None:
    result = result_of(write("user,item,rating\n1,1,3\n1,2,4\n1,1,5\n1,1,2\n"))
    assert result.duplicates == 2
    assert triples(result.table) == [(1, 2, 4.0), (1, 1, 2.0)]


def test_rating_that_is_no_number_is_a_bad_row_with_its_line(write: Write) -> None:
    path = write("user,item,rating\n1,1,3\n1,2,good\n1,3,\n\n,4,2\n1,,2\n1\n1,5,nan\n1,6,inf\n"
                 "1,7,4,extra\n1,8,5\n")  # fmt: skip
    result = result_of(path)
    assert triples(result.table) == [(1, 1, 3.0), (1, 7, 4.0), (1, 8, 5.0)]
    assert [(bad.line, bad.text, bad.reason) for bad in result.bad_rows] == [
        (3, "1,2,good", "the rating “good” is not a number"),
        (4, "1,3,", "no rating"),
        (6, ",4,2", "no user"),
        (7, "1,,2", "no item"),
        (8, "1", "no item"),
        (9, "1,5,nan", "the rating “nan” is not a number"),
        (10, "1,6,inf", "the rating “inf” is not a number"),
    ]
    assert result.bad_count == 7


@pytest.mark.parametrize("block_bytes", [64, 1000, 1 << 20])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_numbers_hold_across_blocks(write: Write, block_bytes: int, newline: str) -> None:
    rows = [f"{i % 9},{i},{'x' if i % 100 == 50 else 3}" for i in range(1000)]
    path = write(newline.join(["user,item,rating", *rows]) + newline)
    result = result_of(path, block_bytes=block_bytes)
    assert [bad.line for bad in result.bad_rows] == [i + 2 for i in range(1000) if i % 100 == 50]
    assert all(bad.text == rows[bad.line - 2] for bad in result.bad_rows)
    assert len(result.table) == 990


def test_first_thousand_bad_rows_are_kept_and_all_counted(write: Write) -> None:
    rows = "".join(f"1,{i},bad\n" for i in range(3000))
    result = result_of(write("user,item,rating\n1,1,3\n" + rows + "2,2,4\n"))
    assert len(result.bad_rows) == 1000
    assert result.bad_count == 3000
    assert len(result.table) == 2


@pytest.mark.parametrize("block_bytes", [50, 1 << 20])
def test_quoted_fields_may_hold_separators_and_line_breaks(write: Write, block_bytes: int) -> None:
    path = write('user,item,rating\n"Smith, A","two\nlines",3\n"B ""x""",b,4\nc,d,bad\ne,f,2\n')
    result = result_of(path, block_bytes=block_bytes)
    assert triples(result.table) == [
        ("Smith, A", "two\nlines", 3.0),
        ('B "x"', "b", 4.0),
        ("e", "f", 2.0),
    ]
    assert [(bad.line, bad.text) for bad in result.bad_rows] == [(5, "c,d,bad")]


def test_quote_that_nothing_closes_does_not_swallow_the_file(write: Write) -> None:
    path = write('user,item,rating\n1,"12 inch,3\n2,b,4\n3,c,5\n')
    result = result_of(path)
    assert len(result.table) + result.bad_count == 3
    assert (3, "c", 5.0) in [(int(u), i, r) for u, i, r in triples(result.table)]


def test_old_line_ends_are_understood(write: Write) -> None:
    assert len(result_of(write("user,item,rating\r1,1,3\r1,2,4\r")).table) == 2


def test_separator_may_be_named_in_the_first_line(write: Write) -> None:
    path = write("sep=;\nuser;item;rating\n1;1;3\n1;2;x\n1;3;4\n")
    result = result_of(path)
    assert len(result.table) == 2
    assert result.bad_rows[0].line == 4


def test_file_without_a_last_newline_loses_nothing(write: Write) -> None:
    assert len(result_of(write("user,item,rating\n1,1,3\n1,2,4")).table) == 2


def test_crosstab_is_taken_apart(write: Write) -> None:
    path = write(";Braveheart;Pulp Fiction;Fargo;Toy Story\n14;3,5;;5;\n29;;4;n/a;2\n72;1;x;;\n")
    preview = sniff(path)
    assert preview.options.crosstab
    result = result_of(path)
    assert triples(result.table) == [
        (14, "Braveheart", 3.5),
        (14, "Fargo", 5.0),
        (29, "Pulp Fiction", 4.0),
        (29, "Toy Story", 2.0),
        (72, "Braveheart", 1.0),
    ]
    assert result.table.item_ids.tolist() == ["Braveheart", "Pulp Fiction", "Fargo", "Toy Story"]
    assert [(b.line, b.reason) for b in result.bad_rows] == [
        (4, "“x” under “Pulp Fiction” is not a number")
    ]


def test_crosstab_with_item_numbers_across_is_recognised(write: Write) -> None:
    path = write("user,27,49,57,72,79\n14,3,5,1,3,4\n29,5,,,5,4\n72,4,5,5,,5\n")
    preview = sniff(path)
    assert preview.options.crosstab
    assert preview.header
    table = result_of(path).table
    assert len(table) == 12
    assert table.user_ids.tolist() == [14, 29, 72]
    assert np.isnan(table.crosstab([0, 1, 2], list(range(5)))).sum() == 3


def test_movielens_zip_is_read_without_unpacking(tmp_path: Path) -> None:
    path = tmp_path / "ml.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ml/README.txt", "read me")
        archive.writestr("ml/tags.csv", "userId,movieId,tag\n" * 1000)
        archive.writestr(
            "ml/movies.csv", 'movieId,title,genres\n242,"Kolya, the (1996)",C\n302,B,\n'
        )
        archive.writestr("ml/ratings.csv", "userId,movieId,rating\n196,242,3\n186,302,3.5\n")
    assert sniff(path).source.member == "ml/ratings.csv"
    result = result_of(path)
    assert triples(result.table) == EXPECTED[:2]
    assert result.table.item_title(0) == "Kolya, the (1996)"
    assert list(tmp_path.iterdir()) == [path]


def test_gzip_is_read_without_unpacking(write: Write) -> None:
    path = write(gzip.compress(b"user,item,rating\n196,242,3\n186,302,3.5\n"), "ratings.csv.gz")
    assert triples(result_of(path).table) == EXPECTED[:2]


def test_folder_with_ratings_is_read(write: Write) -> None:
    path = write("196\t242\t3\t881250949\n186\t302\t4\t891717742\n", "u.data")
    assert len(result_of(path.parent).table) == 2


def test_titles_of_u_item_are_latin_1(write: Write) -> None:
    write("1|Cité des enfants perdus, La (1995)|01-Jan-1995\n2|Heat|x\n", "u.item", "latin-1")
    path = write("7\t1\t3\t881250949\n7\t2\t4\t891717742\n8\t1\t4\t891717742\n", "u.data")
    table = result_of(path).table
    assert table.item_title(0) == "Cité des enfants perdus, La (1995)"


def test_titles_of_movies_dat_may_hold_colons(write: Write) -> None:
    write("1::Star Wars: Episode IV::Action\n2::Heat::x\n", "movies.dat")
    path = write("7::1::3::881250949\n7::2::4::891717742\n", "ratings.dat")
    assert result_of(path).table.item_title(0) == "Star Wars: Episode IV"


def test_genres_come_with_the_titles(write: Write) -> None:
    write("movieId,title,genres\n1,Heat (1995),Action|Crime\n2,Up,(no genres listed)\n",
          "movies.csv")  # fmt: skip
    result = result_of(write("user,item,rating\n1,2,3\n1,1,4\n1,9,4\n"))
    assert result.genres == ("(no genres listed)", "Action|Crime", "")
    assert "Titles and genres of 2 of 3 items from movies.csv." in result.notes


def test_genres_of_u_item_are_its_flags(write: Write) -> None:
    flags = ["0"] * 19
    flags[4] = flags[5] = "1"
    babe = "|".join(["1", "Babe (1995)", "01-Jan-1995", "", "http://x", *flags])
    write(f"{babe}\n2|Heat (1995)|x\n", "u.item")
    result = result_of(write("7\t1\t3\t881250949\n7\t2\t4\t891717742\n", "u.data"))
    assert result.genres == ("Children's|Comedy", "")


def test_a_file_of_titles_alone_gives_no_genres(write: Write) -> None:
    write("movieId,title\n1,Heat (1995)\n", "movies.csv")
    assert result_of(write("user,item,rating\n1,1,3\n")).genres is None


@pytest.mark.parametrize(
    "text",
    [
        "movieId,title,genres\n1,Heat (1995),Crime\n2,Up (2009),\n",
        "1::Heat (1995)::Crime\n2::Up (2009)::\n",
        f"1|Heat (1995)|x||y|{'|'.join('0' * 6)}|1|{'|'.join('0' * 12)}\n2|Up (2009)|x||y\n",
    ],
    ids=["csv", "dat", "item"],
)
def test_titles_come_from_a_file_that_was_chosen(write: Write, text: str) -> None:
    chosen = write(text, "mine.txt")
    write("movieId,title\n1,Beside\n2,Beside\n", "movies.csv")
    preview = sniff(write("user,item,rating\n1,1,3\n1,2,4\n"))
    result = result_of(preview.source.path, dataclasses.replace(preview, titles=chosen))
    assert [result.table.item_title(i) for i in (0, 1)] == ["Heat (1995)", "Up (2009)"]
    assert result.genres == ("Crime", "")
    none = result_of(preview.source.path, dataclasses.replace(preview, titles="none"))
    assert none.table.titles is None


def test_a_chosen_file_without_these_items_says_so(write: Write) -> None:
    preview = sniff(write("user,item,rating\n1,1,3\n1,2,4\n"))
    chosen = write("movieId,title\n900,Nothing\n", "mine.csv")
    with pytest.raises(UserError, match="has no title of these items"):
        result_of(preview.source.path, dataclasses.replace(preview, titles=chosen))


def test_titles_of_other_items_are_left_alone(write: Write) -> None:
    write("movieId,title\n900,Nothing\n901,Never\n", "movies.csv")
    result = result_of(write("user,item,rating\n1,1,3\n1,2,4\n"))
    assert result.table.titles is None
    assert any("does not belong" in note for note in result.notes)


def test_corrected_options_are_obeyed(write: Write) -> None:
    path = write("a,b,c,d\n1,2,3,4\n5,6,7,8\n")
    options = ReadOptions(user=3, item=0, rating=1)
    assert triples(result_of(path, options).table) == [(4, 1, 2.0), (8, 5, 6.0)]


# --- errors ---------------------------------------------------------------------------------------


def refusal(path: Path, options: ReadOptions | None = None) -> UserError:
    with pytest.raises(UserError) as caught:
        result_of(path, options)
    assert caught.value.text
    assert caught.value.hint
    return caught.value


def test_missing_file_is_named(tmp_path: Path) -> None:
    assert "nowhere.csv" in refusal(tmp_path / "nowhere.csv").text


@pytest.mark.parametrize("data", [b"", b"\n\n  \r\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_empty_file_is_refused(write: Write, data: bytes) -> None:
    error = refusal(write(data))
    assert "empty" in error.text or "no rows" in error.text


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
        b"\x7fELF" + bytes(200),
        b"SQLite format 3\0" + bytes(range(256)) * 9,
        np.random.default_rng(0).bytes(5000),
    ],
)
def test_binary_file_is_refused(write: Write, data: bytes) -> None:
    assert "not a text file" in refusal(write(data)).text


def test_folder_without_ratings_is_refused(tmp_path: Path) -> None:
    assert "folder" in refusal(tmp_path).text


def test_workbook_is_pointed_to_the_right_door(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    error = refusal(path)
    assert "workbook" in error.text
    assert "File > Open" in error.hint


def test_zip_without_ratings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("README.txt", "nothing")
    assert "no ratings inside" in refusal(path).text


def test_damaged_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        noise = "".join(f"{i * 7919 % 1000},{i * 31 % 977},3\n" for i in range(30_000))
        archive.writestr("ratings.csv", "user,item,rating\n" + noise)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    path.write_bytes(bytes(data))
    assert "damaged" in refusal(path).text


def test_damaged_gzip_is_refused(write: Write) -> None:
    packed = gzip.compress(b"user,item,rating\n" + b"1,2,3\n" * 50_000)
    path = write(packed[: len(packed) // 2], "ratings.csv.gz")
    assert "ratings.csv.gz" in refusal(path).text


def test_column_that_does_not_exist_is_refused(write: Write) -> None:
    path = write("user,item,rating\n1,2,3\n")
    assert "no column 7" in refusal(path, ReadOptions(rating=6)).text
    assert "for the item" in refusal(path, ReadOptions(item=None)).text
    assert "two things" in refusal(path, ReadOptions(item=0)).text


def test_file_of_titles_has_no_ratings(write: Write) -> None:
    path = write("movieId,title,genres\n1,Toy Story (1995),Comedy\n2,Heat (1995),Crime\n", "m.csv")
    assert "rating" not in sniff(path).roles
    assert "no column is chosen for the rating" in refusal(path).text


def test_file_whose_rows_are_all_bad_is_refused_with_the_first(write: Write) -> None:
    path = write("user,item,rating\n1,2,good\n1,3,bad\n")
    error = refusal(path, ReadOptions())
    assert "2 rows" in error.text
    assert "line 2" in error.text


def test_unknown_encoding_or_separator_is_refused(write: Write) -> None:
    path = write("user,item,rating\n1,2,3\n")
    assert "klingon" in refusal(path, ReadOptions(encoding="klingon")).text
    assert "separate" in refusal(path, ReadOptions(separator="ab")).text


def test_wrong_encoding_is_refused(write: Write) -> None:
    error = refusal(write("user,item,rating\n1,2,3\n"), ReadOptions(encoding="utf-16"))
    assert "encoding" in error.text


def test_unreadable_file_is_named(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("user,item,rating\n1,2,3\n")

    def forbid(*arguments: Any, **more: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbid)
    error = refusal(path)
    assert "ratings.csv" in error.text
    assert "Permission denied" in error.text


# --- long work ------------------------------------------------------------------------------------


def test_progress_grows_to_one(write: Write) -> None:
    path = write("user,item,rating\n" + "".join(f"{i},{i},3\n" for i in range(5000)))
    options = dataclasses.replace(sniff(path).options, block_bytes=5000)
    fractions = [p.fraction for p in read(path, options) if p.fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert len(fractions) > 5


def test_reading_can_be_paused_and_cancelled_between_blocks(write: Write) -> None:
    path = write("user,item,rating\n" + "".join(f"{i},{i},3\n" for i in range(5000)))
    options = dataclasses.replace(sniff(path).options, block_bytes=100)
    task = Task("read", lambda control: read(path, options, control))
    task.pause()
    task.start()
    assert task.control.wait_until_paused(10)
    task.cancel()
    assert task.join(10)
    assert task.is_cancelled
    assert live_tasks() == ()


def test_cancelled_reading_closes_the_file(write: Write) -> None:
    path, control = write("user,item,rating\n" + "1,2,3\n" * 5000), Control()
    work = read(path, dataclasses.replace(sniff(path).options, block_bytes=100), control)
    next(work)
    control.cancel()
    with pytest.raises(Cancelled):
        next(work)
    path.unlink()


def test_sniffing_reads_the_beginning_only(write: Write) -> None:
    path = write("user,item,rating\n" + "".join(f"{i},{i},3\n" for i in range(2_000_000)))
    began = time.perf_counter()
    sniff(path)
    assert time.perf_counter() - began < 1.0


def test_a_preview_is_plain_data(write: Write) -> None:
    preview = sniff(write("user,item,rating\n1,2,3\n"))
    assert isinstance(preview, Preview)
    with pytest.raises(dataclasses.FrozenInstanceError):
        preview.columns = ()  # type: ignore[misc]


# --- the lesson's data ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def movielens() -> ReadResult:
    if not (MOVIELENS / "ratings.csv").exists():
        pytest.skip("the reference ratings are not here")
    return result_of(MOVIELENS / "ratings.csv")


def test_movielens_has_the_known_size(movielens: ReadResult) -> None:
    table = movielens.table
    assert (len(table), table.n_users, table.n_items) == (100_004, 671, 9066)
    assert (movielens.bad_count, movielens.duplicates) == (0, 0)


def test_busiest_of_movielens_are_those_of_the_lesson(movielens: ReadResult) -> None:
    table = movielens.table
    users, items = table.busiest(15, 15)
    assert users.tolist() == [
        14, 29, 72, 211, 212, 293, 310, 379, 451, 467, 508, 546, 563, 579, 623,
    ]  # fmt: skip
    lesson = {27, 49, 57, 72, 79, 89, 92, 99, 143, 179, 180, 197, 402, 417, 505}
    # American Beauty (121) ties with Raiders of the Lost Ark (180) on count and comes first.
    assert set(items.tolist()) - lesson == {121}
    assert lesson - set(items.tolist()) == {180}
    counts = table.item_counts()
    assert counts[121] == counts[180]


def test_crosstab_of_the_lesson_has_206_ratings(movielens: ReadResult) -> None:
    table = movielens.table
    users, _ = table.busiest(15, 15)
    items = [27, 49, 57, 72, 79, 89, 92, 99, 143, 179, 180, 197, 402, 417, 505]
    grid = table.crosstab(users, items)
    assert int(np.isfinite(grid).sum()) == 206
    assert grid[0, :3].tolist() == [3.0, 5.0, 1.0]
    titles = [table.item_title(i) for i in items]
    assert titles[0] == "Braveheart (1995)"
    assert titles[-1] == "Fargo (1996)"
    assert movielens.genres is not None
    assert movielens.genres[items[0]] == "Action|Drama|War"


def test_crosstab_as_wide_as_movielens_gives_the_same_ratings(
    movielens: ReadResult, write: Write
) -> None:
    table = movielens.table
    users = np.arange(60, dtype=np.int32)
    grid = table.crosstab(users, np.arange(table.n_items, dtype=np.int32))
    lines = [",".join(["user", *map(str, table.item_ids.tolist())])]
    for user, row in zip(users, grid, strict=True):
        cells = ["" if np.isnan(x) else f"{x:g}" for x in row]
        lines.append(",".join([str(table.user_ids[user]), *cells]))
    path = write("\n".join(lines))
    preview = sniff(path)
    assert preview.options.crosstab
    read_back = result_of(path).table
    np.testing.assert_array_equal(
        read_back.crosstab(users, np.arange(read_back.n_items, dtype=np.int32)), grid
    )
    assert read_back.item_ids.tolist() == [str(i) for i in table.item_ids]


# --- anything at all ------------------------------------------------------------------------------

SEEDS = (
    b"userId,movieId,rating,timestamp\n1,2,3.5,881250949\n2,3,4,881250950\n",
    b"1\t2\t3\t881250949\n" * 5,
    b"1::2::3::881250949\n" * 4,
    b";a;b;c;d\n1;2,5;;3;\n2;;4;;1\n",
    "u\ti\tr\n1\t2\t3\n".encode("utf-16"),
)
SPICE = (b'"', b"\n", b"x", b",", b"::", b"\r\n", b"\x1f", b"1e999", b"nan", b"9" * 20, b"\xc3")


@pytest.mark.parametrize("seed", range(150))
def test_damaged_files_are_read_or_refused_but_never_crash(write: Write, seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(chance.choice(SEEDS) * chance.choice([1, 1, 3]))
    for _ in range(chance.randint(0, 6)):
        at = chance.randrange(len(data))
        if chance.random() < 0.6:
            data[at:at] = chance.choice(SPICE)
        else:
            del data[at : at + chance.randint(1, 4)]
            data += b"\n"
    path = write(bytes(data))
    wild = ReadOptions(
        separator=chance.choice(",;\t|"),
        encoding=chance.choice(["utf-8", "utf-16", "latin-1"]),
        header=chance.random() < 0.5,
        user=chance.choice([0, 1, 3]),
        item=chance.choice([1, 2]),
        timestamp=chance.choice([None, 3]),
        crosstab=chance.random() < 0.2,
    )
    for options in (None, wild):
        with contextlib.suppress(UserError):
            assert result_of(path, options, block_bytes=chance.choice([7, 50, 10_000]))
