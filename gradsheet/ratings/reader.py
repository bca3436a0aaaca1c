"""Reads rating tables of any size from files, block by block, and keeps account of bad rows.

Owns the way from bytes to a RatingTable. Must not know sheets or learning. Work is a generator
for gradsheet.tasks: it yields Progress, stops at checkpoints, and holds one block of text at a
time. A block that the fast parser refuses is read again slowly to find its bad rows.
"""

from __future__ import annotations

import codecs
import dataclasses
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from gradsheet.formula.values import UserError
from gradsheet.ratings.memory import give_back
from gradsheet.ratings.parsing import BadRow as BadRow
from gradsheet.ratings.parsing import Gatherer, IdsAreText
from gradsheet.ratings.sniffing import Preview as Preview
from gradsheet.ratings.sniffing import ReadOptions as ReadOptions
from gradsheet.ratings.sniffing import read_sample, split_rows
from gradsheet.ratings.sniffing import sniff as sniff
from gradsheet.ratings.source import Source, blocks, decode, locate, opened
from gradsheet.ratings.table import RatingTable
from gradsheet.ratings.titles import Beside, titles_beside, titles_in
from gradsheet.tasks import Control, Pace, Progress

_CROSSTAB_BYTES = 1 << 18


@dataclass(frozen=True, slots=True, eq=False)
class ReadResult:
    """What came of reading a file.

    Attributes
    ----------
    table : RatingTable
        One rating a pair at most.
    bad_rows : tuple of BadRow
        The first 1,000 rows (of a crosstab: cells) that were left out, in order.
    bad_count : int
        All that were left out.
    duplicates : int
        Ratings overruled by a later one for the same user and item.
    notes : tuple of str
        What the user should know: where titles came from, what changed on the way.
    genres : tuple of str (n_items,), or None
        Genres of each item, "Adventure|Comedy", where a file of movies has them.
    """

    table: RatingTable
    bad_rows: tuple[BadRow, ...]
    bad_count: int
    duplicates: int
    notes: tuple[str, ...]
    genres: tuple[str, ...] | None = None


def read(
    path: Path | str,
    options: ReadOptions | Preview | None = None,
    control: Control | None = None,
) -> Generator[Progress, None, ReadResult]:
    """Read a file of ratings.

    Parameters
    ----------
    path : Path or str
        A text file, a gzip, a zip, or a folder with ratings in it.
    options : ReadOptions or Preview, optional
        How to read it; guessed from its beginning if not given.
    control : Control, optional
        For pause and cancel, once a block.

    Yields
    ------
    Progress

    Returns
    -------
    ReadResult

    Raises
    ------
    UserError
        If the file cannot be read, lacks the columns, or no rating is left.
    """
    control = control or Control()
    if options is None:
        options = sniff(path)
    source = options.source if isinstance(options, Preview) else locate(path)
    wanted = options.titles if isinstance(options, Preview) else "beside"
    if isinstance(options, Preview):
        options = options.options
    names = _check_columns(source, options)
    notes: list[str] = []
    while True:
        gatherer = Gatherer(options, names)
        try:
            yield from _gather(source, options, gatherer, control)
            break
        except IdsAreText as found:
            # Nothing read so far is lost by starting again, and "007" keeps its zeros.
            notes.append(f"{found}, so all are kept as text.")
            if found.role == "user":
                options = dataclasses.replace(options, text_users=True)
            else:
                options = dataclasses.replace(options, text_items=True)
    if not gatherer.count:
        first = f" The first: line {b.line}, {b.reason}." if (b := gatherer.first_bad()) else ""
        raise UserError(
            f"No rating is left of {source.name}: "
            f"{gatherer.bad_count:,} rows could not be read.{first}",
            "Check the separator and the three columns in the preview.",
        )
    yield Progress(None, "Sorting out duplicates")
    control.checkpoint()
    give_back()
    table = gatherer.table()
    single = table.without_duplicates(control.checkpoint)
    duplicates = len(table) - len(single)
    yield Progress(None, "Looking for titles")
    control.checkpoint()
    if isinstance(wanted, Path):
        beside = titles_in(wanted, single.item_ids)
    elif wanted == "beside":
        beside = titles_beside(source, single.item_ids)
    else:
        beside = Beside(None, None, ())
    if beside.titles is not None:
        single = dataclasses.replace(single, titles=beside.titles)
    return ReadResult(
        single,
        tuple(gatherer.bad_rows),
        gatherer.bad_count,
        duplicates,
        (*notes, *gatherer.notes(), *beside.notes),
        beside.genres,
    )


def _gather(
    source: Source, options: ReadOptions, gatherer: Gatherer, control: Control
) -> Generator[Progress, None, None]:
    pace = Pace(source.size, control)
    with opened(source) as stream:
        skip = options.skip + options.header
        # Crosstabs are taken apart in Python, so smaller blocks keep checkpoints close together.
        size = (
            min(options.block_bytes, _CROSSTAB_BYTES) if options.crosstab else options.block_bytes
        )
        cut = blocks(stream, options.encoding, options.separator, options.quoting, size)
        for block in cut:
            control.checkpoint()
            gatherer.add(block, skip)
            skip = 0
            if source.size:
                # Later lines may be shorter: a tenth more than the rows so far promise.
                gatherer.reserve(int(1.1 * gatherer.count * source.size / block.bytes_read))
            yield pace.progress(block.bytes_read, f"{gatherer.count:,} ratings")


def _check_columns(source: Source, options: ReadOptions) -> tuple[str, ...]:
    """Return the names of the columns; refuse options that do not fit the file."""
    try:
        decoder = codecs.getincrementaldecoder(options.encoding)("replace")
    except LookupError as error:
        raise UserError(
            f"There is no encoding {options.encoding!r}.", "Choose another, such as utf-8."
        ) from error
    if len(options.separator) != 1 and options.separator != "::":
        raise UserError(
            f"{options.separator!r} cannot separate columns.", "Give one character, or ::."
        )
    sample, _ = read_sample(source)
    text = decode(decoder, sample, final=False).lstrip("\ufeff")
    lines = text.splitlines()[options.skip :][:200]
    rows = split_rows(lines, options.separator, options.quoting)
    if not rows:
        raise UserError(f"{source.name} is empty.", "Choose a file with ratings in it.")
    width = max(len(row) for row in rows)
    wanted = {"user": options.user}
    if not options.crosstab:
        wanted |= {"item": options.item, "rating": options.rating}
    for role, column in wanted.items():
        if column is None:
            raise UserError(
                f"{source.name}: no column is chosen for the {role}.",
                f"Choose the column that holds the {role} in the preview.",
            )
    if options.timestamp is not None and not options.crosstab:
        wanted["timestamp"] = options.timestamp
    for role, column in wanted.items():
        if column is not None and not 0 <= column < width:
            raise UserError(
                f"{source.name} has no column {column + 1} for the {role}: it has {width}.",
                "Choose another column, or another separator.",
            )
    if len(set(wanted.values())) < len(wanted):
        raise UserError(
            f"{source.name}: one column is chosen for two things.",
            "Choose different columns for user, item and rating.",
        )
    header = rows[0] if options.header else []
    return tuple(
        header[i].strip() if i < len(header) and header[i].strip() else f"Column {i + 1}"
        for i in range(width)
    )
