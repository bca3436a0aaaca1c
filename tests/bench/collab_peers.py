"""One recommender library in a process of its own, for bench_collab.py.

Reads training and held-out ratings from an .npz, learns with settings given as JSON, and prints
one JSON object: the curve of (seconds of training, RMSE) and the memory. Libraries that are not
installed print {"missing": ...}. Knows nothing of gradsheet, so that it runs in any environment.
"""

from __future__ import annotations

import importlib.util
import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Curve = list[tuple[float, float]]
NEEDS = {
    "surprise": "surprise", "cornac": "cornac", "lenskit": "lenskit", "fastai": "fastai",
    "lesson loop": "torch", "lesson loop Adam": "torch",
}  # fmt: skip


def peak_mb() -> float:
    """Return the most memory this process has held, in MB.

    Not ru_maxrss where there is /proc: that one starts from the parent's.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def rmse(predicted: Any, actual: Any, low: float, high: float) -> float:
    errors = np.clip(np.asarray(predicted, dtype=np.float64), low, high) - actual
    return float(np.sqrt(np.mean(errors**2)))


def surprise(data: dict[str, Any], settings: dict[str, Any], epochs: list[int]) -> Curve:
    """Train anew for each number of epochs: the library has no callback."""
    import pandas as pd
    from surprise import SVD, Dataset, Reader

    frame = pd.DataFrame({k: data[k] for k in ("users", "items", "ratings")})
    reader = Reader(rating_scale=(data["low"], data["high"]))
    train = Dataset.load_from_df(frame, reader).build_full_trainset()
    curve = []
    for count in epochs:
        model = SVD(n_factors=50, n_epochs=count, random_state=0, **settings)
        began = time.perf_counter()
        model.fit(train)
        seconds = time.perf_counter() - began
        pairs = zip(data["test_users"].tolist(), data["test_items"].tolist(), strict=True)
        predicted = [model.predict(u, i).est for u, i in pairs]
        curve.append((seconds, rmse(predicted, data["test_ratings"], data["low"], data["high"])))
    return curve


def cornac(data: dict[str, Any], settings: dict[str, Any], epochs: list[int]) -> Curve:
    import cornac as library

    triples = list(
        zip(data["users"].tolist(), data["items"].tolist(), data["ratings"].tolist(), strict=True)
    )
    train = library.data.Dataset.from_uir(triples, seed=0)
    curve = []
    for count in epochs:
        model = library.models.MF(
            k=50, max_iter=count, use_bias=True, early_stop=False, num_threads=1, seed=0,
            verbose=False, **settings,
        )  # fmt: skip
        began = time.perf_counter()
        model.fit(train)
        seconds = time.perf_counter() - began
        users = np.array([train.uid_map.get(u, -1) for u in data["test_users"].tolist()])
        items = np.array([train.iid_map.get(i, -1) for i in data["test_items"].tolist()])
        u, i = np.maximum(users, 0), np.maximum(items, 0)
        known_u, known_i = users >= 0, items >= 0
        predicted = np.full(len(u), model.global_mean, dtype=np.float64)
        predicted += np.where(known_u, model.u_biases[u], 0.0)
        predicted += np.where(known_i, model.i_biases[i], 0.0)
        dot = np.einsum("nk,nk->n", model.u_factors[u], model.i_factors[i])
        predicted += np.where(known_u & known_i, dot, 0.0)
        curve.append((seconds, rmse(predicted, data["test_ratings"], data["low"], data["high"])))
    return curve


def lenskit(data: dict[str, Any], settings: dict[str, Any], epochs: list[int]) -> Curve:
    import pandas as pd
    from lenskit.als import BiasedMFScorer
    from lenskit.data import ItemList, from_interactions_df
    from lenskit.training import TrainingOptions

    frame = pd.DataFrame(
        {"user_id": data["users"], "item_id": data["items"], "rating": data["ratings"]}
    )
    train = from_interactions_df(frame)
    options = TrainingOptions(rng=0)
    BiasedMFScorer(embedding_size=50, epochs=1, **settings).train(train, options)  # warm-up
    order = np.argsort(data["test_users"], kind="stable")
    users = data["test_users"][order]
    groups = np.split(order, np.flatnonzero(np.diff(users)) + 1)
    curve = []
    for count in epochs:
        model = BiasedMFScorer(embedding_size=50, epochs=count, **settings)
        began = time.perf_counter()
        model.train(train, options)
        seconds = time.perf_counter() - began
        predicted = np.empty(len(order))
        for rows in groups:
            wanted = ItemList(item_ids=data["test_items"][rows])
            scores = model(int(data["test_users"][rows[0]]), wanted).scores()
            predicted[rows] = np.nan_to_num(scores, nan=float(data["ratings"].mean()))
        curve.append((seconds, rmse(predicted, data["test_ratings"], data["low"], data["high"])))
    return curve


def lesson_loop(data: dict[str, Any], settings: dict[str, Any], epochs: list[int]) -> Curve:
    """The notebook's EmbeddingDotBias in a plain PyTorch loop with a DataLoader, batch 64."""
    import torch
    from torch import nn
    from torch.nn import functional
    from torch.utils.data import DataLoader, TensorDataset

    torch.set_num_threads(1)
    torch.manual_seed(0)
    users, items, ratings, test_users, test_items = (
        torch.from_numpy(data[k]) for k in ("users", "items", "ratings", "test_users", "test_items")
    )
    low, high = float(data["low"]), float(data["high"])

    def embedding(count: int, width: int) -> nn.Embedding:
        made = nn.Embedding(count, width)
        nn.init.uniform_(made.weight, -0.01, 0.01)
        return made

    n_users, n_items = int(data["n_users"]), int(data["n_items"])
    u, m, ub, mb = (
        embedding(*s) for s in ((n_users, 50), (n_items, 50), (n_users, 1), (n_items, 1))
    )

    def predict(a: Any, b: Any) -> Any:
        score = (u(a) * m(b)).sum(1) + ub(a).squeeze(1) + mb(b).squeeze(1)
        return torch.sigmoid(score) * (high - low) + low

    parameters = [p for layer in (u, m, ub, mb) for p in layer.parameters()]
    if settings.pop("optimizer", "sgd") == "adam":
        optimizer: Any = torch.optim.Adam(parameters, **settings)
    else:
        optimizer = torch.optim.SGD(parameters, momentum=0.9, **settings)
    loader = DataLoader(TensorDataset(users.long(), items.long(), ratings), 64, shuffle=True)
    curve, seconds = [], 0.0
    for _ in range(max(epochs)):
        began = time.perf_counter()
        for a, b, r in loader:
            optimizer.zero_grad()
            functional.mse_loss(predict(a, b), r).backward()
            optimizer.step()
        seconds += time.perf_counter() - began
        with torch.no_grad():
            predicted = predict(test_users.long(), test_items.long()).numpy()
        curve.append((seconds, rmse(predicted, data["test_ratings"], low, high)))
    return curve


def fastai(data: dict[str, Any], settings: dict[str, Any], epochs: list[int]) -> Curve:
    import pandas as pd
    import torch
    from fastai.callback.core import Callback
    from fastai.collab import CollabDataLoaders, collab_learner

    torch.set_num_threads(1)
    frame = pd.DataFrame({k: data[k] for k in ("users", "items", "ratings")})
    loaders = CollabDataLoaders.from_df(frame, valid_pct=0.01, seed=0, bs=64)
    test = pd.DataFrame({"users": data["test_users"], "items": data["test_items"]})
    learner = collab_learner(loaders, n_factors=50, y_range=(0, 5.5))
    test_loader = loaders.test_dl(test)
    curve: Curve = []
    spent = [0.0, 0.0]

    class Clock(Callback):  # type: ignore[misc]
        def before_train(self) -> None:
            spent[1] = time.perf_counter()

        def after_train(self) -> None:
            spent[0] += time.perf_counter() - spent[1]
            self.learn.model.eval()
            with torch.no_grad():
                parts = [self.learn.model(batch[0]).cpu() for batch in test_loader]
            predicted = torch.cat(parts).numpy().ravel()
            curve.append(
                (spent[0], rmse(predicted, data["test_ratings"], data["low"], data["high"]))
            )

    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(max(epochs), settings["lr"], wd=settings["wd"], cbs=[Clock()])
    return curve


LIBRARIES: dict[str, Callable[[dict[str, Any], dict[str, Any], list[int]], Curve]] = {
    "surprise": surprise, "cornac": cornac, "lenskit": lenskit, "fastai": fastai,
    "lesson loop": lesson_loop, "lesson loop Adam": lesson_loop,
}  # fmt: skip


def main() -> None:
    name, path, settings, epochs = sys.argv[1:5]
    if importlib.util.find_spec(NEEDS[name]) is None:
        print(json.dumps({"missing": f"{NEEDS[name]} is not installed"}))
        return
    warnings.simplefilter("ignore")
    with np.load(path) as file:
        data = {key: file[key] for key in file.files}
    try:
        curve = LIBRARIES[name](data, json.loads(settings), json.loads(epochs))
    except ImportError as error:
        print(json.dumps({"missing": str(error)}))
        return
    peak = peak_mb()
    print(json.dumps({"curve": curve, "peak_mb": peak}))


if __name__ == "__main__":
    main()
