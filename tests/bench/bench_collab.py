"""Benchmarks of the recommenders; each table compares figures of one run on one thread.

    python tests/bench/bench_collab.py lesson   the notebook's models and figures
    python tests/bench/bench_collab.py steps    a mini-batch step against the DataLoader loop
    python tests/bench/bench_collab.py peers    time to validation RMSE beside other libraries
    python tests/bench/bench_collab.py large    ratings a second at 0.1 to 10 million ratings
    python tests/bench/bench_collab.py foldin   a new user's row against retraining with the user

``--write FILE`` replaces the table between the markers of that name in a Markdown file.
``--peers-python PATH`` is an interpreter that has scikit-surprise, cornac, lenskit and fastai;
without it this one is asked. The set is MovieLens ml-latest-small where it lies under
../shared/reference, else made up.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice
from gradsheet.app.ratings.learners import make_learner
from gradsheet.app.ratings.newcomer import chosen_ridge
from gradsheet.collab.fast import FastRun, FastSettings
from gradsheet.collab.fit import Fit, FitSettings
from gradsheet.collab.foldin import fold_in_user, fold_in_user_by_steps
from gradsheet.collab.models import EmbeddingDot, EmbeddingDotBias, EmbeddingNet, Recommender
from gradsheet.collab.splits import Split
from gradsheet.collab.tune import tune
from gradsheet.learn.hyper import Hyper
from gradsheet.ratings.synthetic import synthetic_ratings
from gradsheet.ratings.table import RatingTable
from gradsheet.tasks import Control

HERE = Path(__file__).resolve()
MOVIELENS = HERE.parents[3] / "shared" / "reference" / "ml-latest-small" / "ratings.csv"
ONE_THREAD = os.environ | dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "LK_NUM_THREADS",
        "LK_NUM_BACKEND_THREADS",
    ),
    "1",
)
"""Environment of the processes that are timed."""

TARGETS = (0.94, 0.92, 0.89, 0.88)
SEEDS = range(5)


def ratings() -> tuple[RatingTable, str]:
    """Return the lesson's ratings, or made-up ones of that size, and what they are called."""
    if not MOVIELENS.exists():
        table, _ = synthetic_ratings(671, 9066, 100_004, factors=20, noise=0.8, seed=0)
        return table, "made-up ratings (MovieLens is not there)"
    rows = np.loadtxt(MOVIELENS, delimiter=",", skiprows=1)
    user_ids, users = np.unique(rows[:, 0], return_inverse=True)
    item_ids, items = np.unique(rows[:, 1], return_inverse=True)
    table = RatingTable(
        users.astype(np.int32), items.astype(np.int32), rows[:, 2].astype(np.float32),
        user_ids.astype(np.int64), item_ids.astype(np.int64),
    )  # fmt: skip
    return table, "MovieLens ml-latest-small"


def peak_mb() -> float:
    """Return the most memory this process has held, in MB.

    Not ru_maxrss where there is /proc: that one starts from the parent's.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


# --- the lesson's models ----------------------------------------------------------------------


LESSON: dict[str, tuple[Callable[..., Recommender], str, Hyper, tuple[float, ...]]] = {
    "EmbeddingDot": (
        EmbeddingDot,
        "momentum",
        Hyper(lr=0.1, momentum=0.9, weight_decay=1e-5),
        (1.64, 1.29, 1.23, 1.15, 1.14, 1.13),
    ),
    "EmbeddingDotBias": (
        EmbeddingDotBias,
        "momentum",
        Hyper(lr=0.1, momentum=0.9, weight_decay=2e-4),
        (0.836, 0.818, 0.810, 0.803, 0.802, 0.801),
    ),
    "EmbeddingNet": (
        EmbeddingNet,
        "adam",
        Hyper(lr=1e-3, weight_decay=1e-5),
        (0.824, 0.813, 0.807, 0.786, 0.782, 0.781),
    ),
}
"""Model, optimizer, settings, and the notebook's validation MSE after each of six epochs."""


def make(name: str, table: RatingTable, seed: int) -> Recommender:
    """Return a model of the lesson with its start from a seed."""
    generator = torch.Generator().manual_seed(seed)
    return LESSON[name][0](table.n_users, table.n_items, generator=generator)


def lesson() -> str:
    """Three epochs at the notebook's rate and three at a tenth, five seeds each."""
    table, called = ratings()
    rows = []
    for name, (_, optimizer, hyper, notebook) in LESSON.items():
        found = []
        for seed in SEEDS:
            train, valid = table.split(0.2, seed)
            settings = FitSettings(optimizer=optimizer, hyper=hyper, seed=seed)
            fit = Fit(make(name, table, seed), train, valid, settings)
            fit.run(epochs=3)
            fit.set_rate(hyper.lr / 10)
            fit.run(epochs=3)
            found.append([(row.valid_rmse or 0.0) ** 2 for row in fit.epochs])
        mse = np.array(found)
        rows.append([name, "notebook", *(f"{x:.3f}" for x in notebook)])
        rows.append(["", "gradsheet, mean", *(f"{x:.3f}" for x in mse.mean(0))])
        spread = [f"{a:.3f} to {b:.3f}" for a, b in zip(mse.min(0), mse.max(0), strict=True)]
        rows.append(["", "lowest to highest", *spread])
    head = ["model", "validation MSE", *(f"epoch {i}" for i in range(1, 7))]
    note = (
        f"{called}, a random 20 % for validation, batches of 64, five seeds (split, start and"
        " order); epochs 4 to 6 at a tenth of the rate. The notebook is one seed on one split"
        " of its own."
    )
    return f"{note}\n\n{markdown(head, rows)}"


def steps() -> str:
    """Interleave both loops, 100 steps at a time, so that a busy machine is fair to both."""
    table, called = ratings()
    train, _ = table.split(0.2, 0)
    data = TensorDataset(
        torch.from_numpy(train.users).long(),
        torch.from_numpy(train.items).long(),
        torch.from_numpy(train.ratings),
    )
    rows = []
    for name, (_, optimizer_name, hyper, _) in LESSON.items():
        fit = Fit(make(name, table, 0), train, None, FitSettings(
            optimizer=optimizer_name, hyper=hyper))  # fmt: skip
        fit.model.train()
        model = make(name, table, 0)
        optimizer: torch.optim.Optimizer
        if optimizer_name == "adam":
            optimizer = torch.optim.Adam(model.parameters(), hyper.lr, weight_decay=1e-5)
        else:
            optimizer = torch.optim.SGD(
                model.parameters(), hyper.lr, 0.9, weight_decay=hyper.weight_decay
            )
        loader = DataLoader(data, batch_size=64, shuffle=True)
        endless = itertools.chain.from_iterable(itertools.repeat(loader))
        theirs, ours = [], []
        for _ in range(30):
            began = time.perf_counter()
            for users, items, stars in itertools.islice(endless, 100):
                optimizer.zero_grad()
                functional.mse_loss(model(users, items), stars).backward()
                optimizer.step()
            theirs.append(time.perf_counter() - began)
            began = time.perf_counter()
            for _ in range(100):
                fit.learn_batch()
            ours.append(time.perf_counter() - began)
        a, b = statistics.median(theirs), statistics.median(ours)
        epoch = fit.steps_per_epoch / 100
        rows.append([name, f"{a * epoch:.2f}", f"{b * epoch:.2f}", f"{b / a:.2f}"])
    head = ["model", "DataLoader loop, s/epoch", "gradsheet, s/epoch", "share of the time"]
    return f"{called}, batches of 64, medians of 30 stretches.\n\n{markdown(head, rows)}"


# --- beside other libraries -------------------------------------------------------------------


GRIDS: dict[str, tuple[dict[str, list[Any]], list[int]]] = {
    "surprise": (
        {"lr_all": [0.005, 0.01, 0.02], "reg_all": [0.02, 0.06, 0.1]},
        [1, 2, 3, 5, 8, 12, 20, 40],
    ),
    "cornac": (
        {"learning_rate": [0.01, 0.02, 0.04], "lambda_reg": [0.02, 0.06, 0.1]},
        [1, 2, 3, 5, 8, 12, 20, 40],
    ),
    "lenskit": ({"regularization": [0.1, 0.2, 0.4]}, [1, 2, 3, 5, 10]),
    "lesson loop": ({"lr": [0.1], "weight_decay": [2e-4]}, [5]),
    "lesson loop Adam": (
        {"optimizer": ["adam"], "lr": [1e-3, 3e-3], "weight_decay": [1e-5]},
        [5],
    ),
    "fastai": ({"lr": [5e-3], "wd": [0.1]}, [5]),
}
"""Settings tried for each library on a validation part of the training data, and epochs."""


def save(path: Path, train: RatingTable, held: RatingTable) -> Path:
    """Write both parts for a process of another library."""
    np.savez(
        path, users=train.users, items=train.items, ratings=train.ratings, test_users=held.users,
        test_items=held.items, test_ratings=held.ratings, n_users=train.n_users,
        n_items=train.n_items, low=float(train.ratings.min()), high=float(train.ratings.max()),
    )  # fmt: skip
    return path


def ask(python: str, name: str, path: Path, settings: dict[str, Any], epochs: list[int]) -> Any:
    """Return what a library's process prints."""
    script = str(HERE.with_name("collab_peers.py"))
    result = subprocess.run(
        [python, script, name, str(path), json.dumps(settings), json.dumps(epochs)],
        capture_output=True, text=True, timeout=900, check=False, env=ONE_THREAD,
    )  # fmt: skip
    lines = result.stdout.strip().splitlines()
    if result.returncode or not lines:
        return {"missing": (result.stderr.strip().splitlines() or ["failed"])[-1][:60]}
    return json.loads(lines[-1])


def ask_ours(path: Path, settings: FastSettings) -> Any:
    """Return what a process of the fast mode prints, learning three times as the warm-up."""
    named = {
        "strength": settings.strength,
        "share_of_noise": settings.share_of_noise,
        "passes": 40,
        "patience": 0,
    }
    result = subprocess.run(
        [sys.executable, str(HERE), "ours", str(path), json.dumps(named)],
        capture_output=True, text=True, timeout=600, check=True, env=ONE_THREAD,
    )  # fmt: skip
    return json.loads(result.stdout.strip().splitlines()[-1])


def ours(path: Path, settings: dict[str, Any]) -> str:
    """Learn in this process and return the curve as JSON; sorting and all set-up count."""
    with np.load(path) as file:
        ids = np.arange(int(file["n_users"])), np.arange(int(file["n_items"]))
        train = RatingTable(file["users"], file["items"], file["ratings"], *ids)
        held = RatingTable(file["test_users"], file["test_items"], file["test_ratings"], *ids)
    before = peak_mb()
    for _ in range(4):
        run = FastRun(train, held, FastSettings(**settings))
        run.run()
    peak = peak_mb()
    curve = [(row.seconds, row.valid_rmse) for row in run.epochs]
    return json.dumps({"curve": curve, "peak_mb": peak, "before_mb": before})


def time_to(curve: list[list[float]], target: float) -> float | None:
    """Return the seconds after which a curve first is at or below a target."""
    return next((seconds for seconds, error in curve if error <= target), None)


def choose(python: str, name: str, inner: Path) -> list[dict[str, Any]] | str:
    """Return the quickest and the most accurate settings on the inner validation part."""
    grid, epochs = GRIDS[name]
    found = []
    for values in itertools.product(*grid.values()):
        settings = dict(zip(grid, values, strict=True))
        answer = ask(python, name, inner, settings, epochs)
        if "missing" in answer:
            return str(answer["missing"])
        quick = time_to(answer["curve"], 0.92)
        best = min(error for _, error in answer["curve"])
        found.append((quick if quick is not None else 1e9, best, settings))
    quickest, most_accurate = min(found, key=lambda f: f[:2])[2], min(found, key=lambda f: f[1])[2]
    return [quickest] if quickest == most_accurate else [quickest, most_accurate]


def peers(python: str, repeats: int = 5) -> str:
    """Choose settings on a validation part of the training data; judge on the held-out part."""
    table, called = ratings()
    train, held = table.split(0.2, 0)
    part, inner_held = train.split(0.2, 1)
    with tempfile.TemporaryDirectory() as folder:
        inner = save(Path(folder) / "inner.npz", part, inner_held)
        outer = save(Path(folder) / "outer.npz", train, held)
        search, best_settings = tune(train), FastSettings()
        try:
            while True:
                next(search)
        except StopIteration as end:
            best_settings = end.value
        entries: dict[str, Callable[[], Any]] = {
            "gradsheet fast, defaults": lambda: ask_ours(outer, FastSettings()),
            "gradsheet fast, tuned": lambda: ask_ours(outer, best_settings),
        }
        missing = []
        for name, (_, epochs) in GRIDS.items():
            chosen = choose(python, name, inner)
            if isinstance(chosen, str):
                missing.append([name, chosen, *[""] * (len(TARGETS) + 1)])
                continue
            for settings in chosen:
                label = f"{name} ({', '.join(f'{k} {v}' for k, v in settings.items())})"
                entries[label] = lambda n=name, s=settings, e=epochs: ask(python, n, outer, s, e)
        times: dict[str, list[list[float | None]]] = {label: [] for label in entries}
        best, peak = dict.fromkeys(entries, 9.0), dict.fromkeys(entries, 0.0)
        for _ in range(repeats):  # round robin, so that a busy moment hits all alike
            for label, entry in entries.items():
                is_slow = "loop" in label or "fastai" in label
                if is_slow and len(times[label]) >= 2:
                    continue
                answer = entry()
                times[label].append([time_to(answer["curve"], t) for t in TARGETS])
                best[label] = min(best[label], *(e for _, e in answer["curve"]))
                peak[label] = max(peak[label], answer["peak_mb"])
    rows = []
    for label, tries in times.items():
        cells = [
            "never" if any(x is None for x in column) else f"{statistics.median(column) * 1e3:.1f}"
            for column in zip(*tries, strict=True)
        ]
        rows.append([label, *cells, f"{best[label]:.4f}", f"{peak[label]:.0f}"])
    head = ["library", *(f"ms to {t}" for t in TARGETS), "best RMSE", "peak MB"]
    note = (
        f"{called}: 80 % to learn from, 20 % held out, 50 factors, one thread, medians. Settings"
        " of all were chosen on a fifth of the training part. Ours count sorting and every other"
        " set-up, after a warm-up; of the others only fit() counts, which is run anew for each"
        " number of epochs. Peak memory is the whole process's, imports included."
    )
    return f"{note}\n\n{markdown(head, rows + missing)}"


# --- large sets -------------------------------------------------------------------------------


def large(sizes: list[float]) -> str:
    """Passes over made-up sets with the shapes of MovieLens 100k, 1M, 10M and 25M."""
    shapes = {
        0.1: (943, 1_682),
        1.0: (6_040, 3_706),
        10.0: (69_878, 10_677),
        25.0: (162_541, 59_047),
    }
    rows = []
    for million in sizes:
        answer = subprocess.run(
            [sys.executable, str(HERE), "pass", str(million), *map(str, shapes[million])],
            capture_output=True, text=True, check=True, timeout=1800, env=ONE_THREAD,
        )  # fmt: skip
        rows.append([f"{million:g} M", *json.loads(answer.stdout.strip().splitlines()[-1])])
    head = ["ratings", "sort and biases, s", "start, s", "pass, s", "million ratings/s",
            "RMSE biases", "RMSE after 20 passes", "peak GB"]  # fmt: skip
    note = (
        "50 factors, one thread, default settings, 5 % held out. Seconds are of the processor, so"
        " that other work on the machine does not count, though it does share caches and memory."
    )
    return f"{note}\n\n{markdown(head, rows)}"


def one_size(million: float, users: int, items: int) -> str:
    """Learn one made-up set in this process and return the row as JSON."""
    count = round(million * 1e6)
    table, _ = synthetic_ratings(users, items, count, factors=10, noise=0.75, seed=0)
    train, held = table.split(0.05, 0)
    del table
    for _ in range(3 if million < 1 else 1):  # the first runs warm up, where that matters
        run = FastRun(train, None, FastSettings(passes=20, patience=0))
        seconds = [_processor_seconds(run.sort_and_fit_biases)]
        biases = _error(run, held)
        seconds.append(_processor_seconds(run.start_factors))
        seconds += [_processor_seconds(run.learn_pass) for _ in range(20)]
    one = statistics.median(seconds[2:])
    return json.dumps([
        f"{seconds[0]:.3f}", f"{seconds[1]:.3f}", f"{one:.4f}", f"{len(train) / one / 1e6:.1f}",
        f"{biases:.4f}", f"{_error(run, held):.4f}", f"{peak_mb() / 1024:.2f}",
    ])  # fmt: skip


def _processor_seconds(action: Callable[[], None]) -> float:
    began = time.process_time()
    action()
    return time.process_time() - began


def _error(run: FastRun, held: RatingTable) -> float:
    predicted = run.factors().predict(held.users, held.items)
    return float(np.sqrt(np.mean((predicted - held.ratings) ** 2)))


# --- somebody new -----------------------------------------------------------------------------


NEWCOMERS = 30
FOLDED: dict[str, tuple[ModelChoice, LearnChoice]] = {
    "fast": (ModelChoice(), LearnChoice(mode="fast")),
    "as in the lesson, as proposed (AdamW, one cycle)": (
        ModelChoice(y_range=(0.0, 5.5)),
        LearnChoice(),
    ),
    "as in the lesson, the notebook's settings": (
        ModelChoice(y_range=(0.5, 5.0)),
        LearnChoice(
            epochs=3, optimizer="momentum", schedule="constant",
            hyper=Hyper(lr=0.1, momentum=0.9, weight_decay=2e-4),
        ),
    ),
}


def foldin() -> str:
    """Fold users in who were held out, with the window's ridge; learn anew with them, too."""
    table, called = ratings()
    train, valid = table.split(0.2, 0)
    users = np.random.default_rng(0).choice(table.n_users, NEWCOMERS, replace=False)
    is_new = np.zeros(table.n_users, dtype=bool)
    is_new[users] = True
    without, judged = train.take(~is_new[train.users]), valid.take(~is_new[valid.users])
    rows = []
    for name, (model, learn) in FOLDED.items():
        whole, part = _factors(train, valid, model, learn), _factors(without, judged, model, learn)
        ridge = chosen_ridge(part, without, judged)
        errors: list[list[float]] = [[], [], []]
        times: list[list[float]] = [[], []]
        for user in users.tolist():
            mine, held = train.users == user, valid.users == user
            items, stars = train.items[mine], train.ratings[mine]
            began = time.process_time()
            closed = fold_in_user(part, items, stars, ridge)
            times[0].append(time.process_time() - began)
            began = time.process_time()
            *_, stepped = fold_in_user_by_steps(part, items, stars, ridge)
            times[1].append(time.process_time() - began)
            for found, predicted in zip(errors, (
                whole.predict(valid.users[held], valid.items[held]),
                part.predict_items(closed.bias, closed.factors)[valid.items[held]],
                part.predict_items(stepped.bias, stepped.factors)[valid.items[held]],
            ), strict=True):  # fmt: skip
                found += np.square(predicted - valid.ratings[held]).tolist()
        again, closed_rmse, steps_rmse = (float(np.sqrt(np.mean(e))) for e in errors)
        rows.append([
            name, f"{again:.4f}", f"{closed_rmse:.4f}", f"{steps_rmse:.4f}",
            f"{closed_rmse / again:.3f}", *(f"{1e3 * max(t):.1f}" for t in times),
        ])  # fmt: skip
    head = ["learned", "RMSE retrained", "closed form", "200 steps", "folded in / retrained",
            "closed form, ms at most", "200 steps, ms at most"]  # fmt: skip
    note = (
        f"{called}: {NEWCOMERS} users who were held out altogether, folded in from their training"
        " ratings and judged on their validation ratings, beside a training that had them from"
        " the start. The ridge is the window's, chosen without them. Times are of the processor."
    )
    return f"{note}\n\n{markdown(head, rows)}"


def _factors(train: RatingTable, valid: RatingTable, model: ModelChoice, learn: LearnChoice) -> Any:
    learner = make_learner(model, learn, Split(train, valid, ""))
    for _ in learner.frames(Control(), None):
        pass
    return learner.learned(1).factors


# --- command line -----------------------------------------------------------------------------


def write(path: Path, name: str, text: str) -> None:
    """Replace what stands between the markers of a name."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    old = path.read_text(encoding="utf-8")
    head, rest = old.split(begin, 1)
    path.write_text(f"{head}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}", encoding="utf-8")


TABLES = ("lesson", "steps", "peers", "large", "foldin")


def main() -> None:
    """Run one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", choices=[*TABLES, "ours", "pass"])
    parser.add_argument("rest", nargs="*")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--peers-python", default=sys.executable)
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.1, 1.0, 10.0])
    options = parser.parse_args()
    if options.table == "foldin" and any(os.environ.get(k) != v for k, v in ONE_THREAD.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], ONE_THREAD)
    torch.set_num_threads(1)
    if options.table == "ours":
        print(ours(Path(options.rest[0]), json.loads(options.rest[1])))
        return
    if options.table == "pass":
        print(one_size(float(options.rest[0]), *map(int, options.rest[1:])))
        return
    tables: dict[str, Callable[[], str]] = {
        "lesson": lesson,
        "steps": steps,
        "peers": lambda: peers(options.peers_python),
        "large": lambda: large(options.sizes),
        "foldin": foldin,
    }
    text = tables[options.table]()
    print(text)
    if options.write is not None:
        write(options.write, options.table, text)


if __name__ == "__main__":
    main()
