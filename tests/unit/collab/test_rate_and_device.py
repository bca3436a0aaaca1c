"""Facts about the learning-rate range test and the choice of the device."""

from __future__ import annotations

import pytest
import torch

from gradsheet.collab import devices
from gradsheet.collab.fit import FitSettings
from gradsheet.collab.models import EmbeddingDotBias
from gradsheet.collab.rate_test import rate_test
from gradsheet.formula.values import UserError
from gradsheet.ratings.table import RatingTable


def test_the_range_test_leaves_the_model_alone_and_suggests_a_rate(planted: RatingTable) -> None:
    model = EmbeddingDotBias(
        planted.n_users, planted.n_items, 8, generator=torch.Generator().manual_seed(0)
    )
    before = {name: value.clone() for name, value in model.state_dict().items()}
    settings = FitSettings(optimizer="adam", group_rates=slice(1e-3, 1e-2))
    *_, last = rate_test(model, planted, settings, count=150, last=100.0)
    after = model.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert last.suggestion is not None
    assert 1e-4 < last.suggestion.tenth_of_lowest < 1.0
    assert len(last.rates) == len(last.losses) <= 150
    assert (last.rates[1:] > last.rates[:-1]).all()


def test_small_sets_stay_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "available_devices", lambda: ("cuda", "cpu"))
    small = devices.choose_device("auto", 100_000)
    assert small.device.type == "cpu"
    assert "fewer than 1,000,000" in small.reason
    assert devices.choose_device("auto", 10_000_000).device.type == "cuda"
    assert devices.choose_device("cpu", 10_000_000).device.type == "cpu"


def test_without_a_gpu_the_cpu_is_taken_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "available_devices", lambda: ("cpu",))
    assert "no GPU" in devices.choose_device("auto", 10**9).reason
    with pytest.raises(UserError, match="no device 'cuda'"):
        devices.choose_device("cuda")
