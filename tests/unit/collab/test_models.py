"""Facts about the lesson's three models."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gradsheet.collab.models import (
    EmbeddingDot,
    EmbeddingDotBias,
    EmbeddingNet,
    Recommender,
    SeededDropout,
    half_of_categories,
    linear,
    power_of_categories,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


USERS, ITEMS = torch.tensor([0, 3, 3]), torch.tensor([1, 0, 6])


def test_dot_is_the_dot_product_of_the_rows() -> None:
    model = EmbeddingDot(4, 7, 5, generator=generator())
    expected = [(model.u.weight[u] @ model.m.weight[i]).item() for u, i in ((0, 1), (3, 0), (3, 6))]
    assert model(USERS, ITEMS).tolist() == pytest.approx(expected)
    assert 0.0 <= model.u.weight.min().item() <= model.u.weight.max().item() <= 0.05


def test_dot_bias_adds_biases_and_spans_the_range() -> None:
    model = EmbeddingDotBias(4, 7, 5, y_range=(0.5, 5.0), generator=generator())
    plain = EmbeddingDotBias(4, 7, 5, y_range=None, generator=generator())
    score = (model.u.weight[3] @ model.m.weight[6]) + model.ub.weight[3, 0] + model.mb.weight[6, 0]
    assert plain(USERS, ITEMS)[2].item() == pytest.approx(score.item())
    assert model(USERS, ITEMS)[2].item() == pytest.approx((torch.sigmoid(score) * 4.5 + 0.5).item())
    assert model.mb.weight.abs().max().item() <= 0.01


def test_net_is_the_lessons_formula() -> None:
    model = EmbeddingNet(4, 7, 3, 5, generator=generator()).eval()
    x = torch.cat([model.u.weight[USERS], model.m.weight[ITEMS]], 1)
    hidden = torch.relu(model.lins[0](x))
    expected = torch.sigmoid(model.lins[1](hidden)) * 5.5
    torch.testing.assert_close(model(USERS, ITEMS), expected[:, 0])


def test_net_takes_genres_and_times() -> None:
    genres = torch.eye(7)[:, :2]
    model = EmbeddingNet(
        4, 7, 3, 5, hidden=(8, 4), dropouts=(0, 0, 0), genres=genres, n_times=2,
        generator=generator(),
    )  # fmt: skip
    assert model.lins[0].in_features == 3 + 5 + 2 + 2
    times = torch.zeros(3, 2)
    other = model(USERS, ITEMS, times + 1.0)
    assert not torch.equal(model(USERS, ITEMS, times), other)
    with pytest.raises(ValueError, match="2 time features"):
        model(USERS, ITEMS)


def test_a_net_wants_a_dropout_for_each_layer() -> None:
    with pytest.raises(ValueError, match="2 hidden layers need 3 dropouts"):
        EmbeddingNet(4, 7, hidden=(8, 4), dropouts=(0.1,), generator=generator())


def test_embedding_sizes_follow_the_lessons_rules() -> None:
    assert [half_of_categories(n) for n in (1, 7, 24, 671)] == [1, 4, 12, 50]
    assert [power_of_categories(n) for n in (2, 10, 671, 9066)] == [2, 6, 61, 263]
    assert power_of_categories(10**6) == 600


def make(kind: type[Recommender], seed: int) -> Recommender:
    return kind(4, 7, generator=generator(seed))  # type: ignore[call-arg, arg-type]


@pytest.mark.parametrize("kind", [EmbeddingDot, EmbeddingDotBias, EmbeddingNet])
def test_the_start_depends_on_the_generator_alone(kind: type[Recommender]) -> None:
    before = torch.get_rng_state()
    a, b, c = make(kind, 1), make(kind, 1), make(kind, 2)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    assert not torch.equal(next(a.parameters()), next(c.parameters()))


@pytest.mark.parametrize("kind", [EmbeddingDot, EmbeddingDotBias, EmbeddingNet])
def test_groups_hold_every_parameter_once(kind: type[Recommender]) -> None:
    model = make(kind, 0)
    held = [id(p) for g in model.groups() for m in g.modules for p in m.parameters()]
    assert sorted(held) == sorted(id(p) for p in model.parameters())


def test_linear_starts_as_torch_does() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        theirs = nn.Linear(6, 4)
    ours = linear(6, 4, generator(3))
    assert torch.allclose(ours.weight, theirs.weight, atol=1e-7)
    assert torch.allclose(ours.bias, theirs.bias, atol=1e-7)


def test_dropout_gives_the_numbers_of_torchs_own() -> None:
    x = torch.randn(64, 10, generator=generator())
    ours = SeededDropout(0.3)
    ours.generator = generator(5)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        theirs = nn.Dropout(0.3)(x)
    torch.testing.assert_close(ours(x), theirs)
    assert torch.equal(ours.eval()(x), x)
