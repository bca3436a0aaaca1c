"""The MovieLens sets that can be had from GroupLens, and the way to get one.

Owns the catalogue: what each set holds, under which conditions, where it lies. How a file is
fetched is `gradsheet.ratings.download`'s. Knows nothing of what the files' columns mean.

The sizes are those that files.grouplens.org announces. The checksums are those that GroupLens
publishes beside each file (``URL.md5``) for the sets that it promises never to change;
latest-small changes from time to time, so its checksum is asked before each download.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from gradsheet.ratings.download import STALL_S, Remote, download
from gradsheet.tasks import Control, Progress

CITATION = (
    "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
    "ACM Transactions on Interactive Intelligent Systems 5, 4, Article 19."
)
CITATION_URL = "https://doi.org/10.1145/2827872"
_SHARED = (
    "for research, not for commercial use without permission",
    "name the source in publications (citation below)",
    "claim no endorsement by the University of Minnesota or GroupLens",
)
_BASE = "https://files.grouplens.org/datasets/movielens"


@dataclass(frozen=True, slots=True)
class MovieLens:
    """One set of ratings.

    Attributes
    ----------
    id : str
        As GroupLens calls it, without "ml-".
    title : str
    about : str
        When the ratings were given, and what stands beside them.
    ratings, users, films : int
        Of latest-small: as of September 2018.
    conditions : tuple of str
        The licence in short; `licence_url` has it in full.
    licence_url : str
    remote : Remote
    """

    id: str
    title: str
    about: str
    ratings: int
    users: int
    films: int
    conditions: tuple[str, ...]
    licence_url: str
    remote: Remote


def data_folder() -> Path:
    """Return where sets are kept: `GRADSHEET_DATA` if set, else the user's data folder."""
    folder = os.environ.get("GRADSHEET_DATA")
    return Path(folder) if folder else Path(platformdirs.user_data_dir("gradsheet", False))


def _set(
    name: str,
    title: str,
    about: str,
    counts: tuple[int, int, int],
    size: int,
    md5: str | None,
    readme: str,
    *,
    may_share: bool,
) -> MovieLens:
    sharing = (
        "pass it on only under the same conditions"
        if may_share
        else "do not pass it on without permission"
    )
    page = f"https://grouplens.org/datasets/movielens/{name.removesuffix('-small')}/"
    file = f"ml-{name}.zip"
    return MovieLens(
        name, title, about, *counts, (*_SHARED, sharing), f"{_BASE}/{readme}",
        Remote(f"{_BASE}/{file}", file, size, md5, page),
    )  # fmt: skip


CATALOGUE: tuple[MovieLens, ...] = (
    _set(
        "latest-small", "Latest, small",
        "1996 to 2018, half stars, with titles and genres. GroupLens renews it now and then: "
        "good to learn with, not to publish figures of.",
        (100_836, 610, 9_742), 978_202, None, "ml-latest-small-README.html", may_share=True,
    ),
    _set(
        "100k", "100K",
        "1997 and 1998, whole stars, with titles, genres, and age, sex and occupation of users.",
        (100_000, 943, 1_682), 4_924_029, "0e33842e24a9c977be4e0107933c0723",
        "ml-100k-README.txt", may_share=False,
    ),
    _set(
        "1m", "1M",
        "2000 to 2003, whole stars, with titles, genres, and age, sex and occupation of users.",
        (1_000_209, 6_040, 3_883), 5_917_549, "c4d9eecfca2ab87c1945afe126590906",
        "ml-1m-README.txt", may_share=False,
    ),
    _set(
        "25m", "25M",
        "1995 to 2019, half stars, with titles, genres and tags.",
        (25_000_095, 162_541, 62_423), 261_978_986, "6b51fb2759a8657d3bfcbfc42b592ada",
        "ml-25m-README.html", may_share=True,
    ),
    _set(
        "32m", "32M",
        "1995 to 2023, half stars, with titles, genres and tags.",
        (32_000_204, 200_948, 87_585), 238_950_008, "d472be332d4daa821edc399621853b57",
        "ml-32m-README.html", may_share=True,
    ),
)  # fmt: skip


def kept(entry: MovieLens, folder: Path | None = None) -> Path | None:
    """Return where a set lies on this computer; None if it does not."""
    path = (folder or data_folder()) / entry.remote.name
    return path if path.is_file() else None


def getter(
    entry: MovieLens, folder: Path | None = None, *, stall_s: float = STALL_S
) -> Callable[[Control], Generator[Progress, None, Path]]:
    """Return the work of getting a set, for a `Task`; its result is the path of the zip.

    Parameters
    ----------
    entry : MovieLens
    folder : Path, optional
        `data_folder()` if not given.
    stall_s : float
        Seconds without a byte after which the download is given up.
    """

    def get(control: Control) -> Generator[Progress, None, Path]:
        where = folder or data_folder()
        return (yield from download(entry.remote, where, control, stall_s=stall_s))

    return get
