"""Random numbers and the normal distribution.

Owns what volatile functions draw: once per recalculation, from the program's own generator,
never inside an objective, where the last draw counts as a constant.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradsheet.formula.batch import Batch, error, flagged, numbered, numbers, truths
from gradsheet.formula.functions.table import Domain, function, lifted, numeric
from gradsheet.formula.values import ErrorCode

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator

FAMILY = "Chance"
_DRAWN = "none: drawn once, then a constant"


@function("RAND", "", "A random number from 0 to below 1.", family=FAMILY, gradient=_DRAWN,
          is_volatile=True)  # fmt: skip
def rand(evaluator: Evaluator) -> Batch:
    """Uniform on [0, 1)."""
    return Batch(evaluator.drawn((evaluator.part.rows, evaluator.part.cols, 1, 1)))


@function("RANDBETWEEN", "bottom, top", "A random whole number between two.", family=FAMILY,
          gradient=_DRAWN, is_volatile=True)  # fmt: skip
def randbetween(evaluator: Evaluator, bottom: Batch, top: Batch) -> Batch:
    """Uniform on the whole numbers from bottom to top; #NUM! if top is below."""
    share = Batch(evaluator.drawn((evaluator.part.rows, evaluator.part.cols, 1, 1)))

    def code(low: Tensor, high: Tensor, u: Tensor) -> tuple[Tensor, Domain]:
        low, high = torch.ceil(low), torch.floor(high)
        return low + torch.floor(u * (high - low + 1)), [(high < low, ErrorCode.NUM)]

    return lifted(evaluator.strings, [bottom, top, share], code)


@function("RANDARRAY", "[rows], [columns], [min], [max], [whole_number]",
          "An array of random numbers.", family=FAMILY, gradient=_DRAWN,
          is_volatile=True)  # fmt: skip
def randarray(evaluator: Evaluator, *args: Batch) -> Batch:
    """Uniform numbers, whole ones if asked."""
    rows = evaluator.size(args[0], "RANDARRAY") if args else 1
    cols = evaluator.size(args[1], "RANDARRAY") if len(args) > 1 else 1
    if rows < 1 or cols < 1 or rows * cols > 10_000_000:
        return error(ErrorCode.VALUE)
    share = evaluator.drawn((evaluator.part.rows, evaluator.part.cols, rows, cols))
    low, errors = numbers(args[2], evaluator.strings) if len(args) > 2 else (torch.zeros(1), None)
    high = numbers(args[3], evaluator.strings)[0] if len(args) > 3 else torch.ones(1)
    whole = truths(args[4], evaluator.strings)[0] if len(args) > 4 else torch.zeros(1).bool()
    if bool((high < low).any()):
        return error(ErrorCode.VALUE)
    integers = low + torch.floor(share * (high - low + 1))
    result = torch.where(whole, integers, low + share * (high - low))
    return numbered(result.to(torch.float64), errors)


_ROOT_TWO = math.sqrt(2.0)
_ROOT_TWO_PI = math.sqrt(2.0 * math.pi)


def _cumulative(z: Tensor) -> Tensor:
    """Standard normal distribution; erfc keeps the small tail exact."""
    area: Tensor = 0.5 * torch.special.erfc(-z / _ROOT_TWO)
    return area


def density(z: Tensor) -> Tensor:
    """Density of the standard normal distribution."""
    return torch.exp(-0.5 * z * z) / _ROOT_TWO_PI


def _cumulative_wanted(evaluator: Evaluator, batch: Batch | None) -> tuple[Tensor, Tensor | None]:
    if batch is None:
        return torch.ones((1, 1, 1, 1), dtype=torch.bool), None
    return truths(batch, evaluator.strings)


def _either(
    evaluator: Evaluator, given: list[Batch], cumulative: Batch | None,
    code: Callable[..., tuple[Tensor, Tensor, Domain]],
) -> Batch:  # fmt: skip
    """Distribution or density by a flag that may vary."""
    wanted, errors = _cumulative_wanted(evaluator, cumulative)

    def both(*nums: Tensor) -> tuple[Tensor, Domain]:
        area, height, domain = code(*nums)
        return torch.where(wanted, area, height), domain

    result = lifted(evaluator.strings, given, both, hides=True)
    if errors is None:
        return result
    return numbered(result.num, flagged(errors, result.kinds() == 4, ErrorCode.VALUE))


def _norm_dist(evaluator: Evaluator, x: Batch, mean: Batch, sd: Batch, cumulative: Batch) -> Batch:
    def code(x: Tensor, mean: Tensor, sd: Tensor) -> tuple[Tensor, Tensor, Domain]:
        bad = ~(sd > 0)
        sd = torch.where(bad, 1.0, sd)
        z = (x - mean) / sd
        return _cumulative(z), density(z) / sd, [(bad, ErrorCode.NUM)]

    return _either(evaluator, [x, mean, sd], cumulative, code)


def _norm_s_dist(evaluator: Evaluator, z: Batch, cumulative: Batch | None = None) -> Batch:
    return _either(evaluator, [z], cumulative, lambda z: (_cumulative(z), density(z), []))


def _inverse(p: Tensor) -> tuple[Tensor, Domain]:
    bad = ~((p > 0) & (p < 1))
    return torch.special.ndtri(torch.where(bad, 0.5, p)), [(bad, ErrorCode.NUM)]


for _name in ("NORM.DIST", "NORMDIST"):
    function(_name, "x, mean, standard_dev, cumulative", "Normal distribution or its density.",
             family=FAMILY, gradient="smooth")(_norm_dist)  # fmt: skip
function("NORM.S.DIST", "z, cumulative", "Standard normal distribution or its density.",
         family=FAMILY, gradient="smooth")(_norm_s_dist)  # fmt: skip
function("NORMSDIST", "z", "Standard normal distribution.", family=FAMILY,
         gradient="smooth")(_norm_s_dist)  # fmt: skip
for _name in ("NORM.S.INV", "NORMSINV"):
    numeric(_name, "probability", "Quantile of the standard normal distribution.",
            family=FAMILY, gradient="smooth between 0 and 1", hides=True)(_inverse)  # fmt: skip


def _norm_inv(p: Tensor, mean: Tensor, sd: Tensor) -> tuple[Tensor, Domain]:
    quantile, domain = _inverse(p)
    return mean + sd * quantile, [*domain, (~(sd > 0), ErrorCode.NUM)]


for _name in ("NORM.INV", "NORMINV"):
    numeric(_name, "probability, mean, standard_dev", "Quantile of a normal distribution.",
            family=FAMILY, gradient="smooth between 0 and 1", hides=True)(_norm_inv)  # fmt: skip


_IN_PARAMETER = "smooth in the parameters of the distribution"


def distribution(
    name: str, arguments: str, help_: str, code: Callable[..., tuple[Tensor, Tensor, Domain]],
    gradient: str = _IN_PARAMETER,
) -> None:  # fmt: skip
    """Enter a distribution whose last argument asks for the area or for the density."""

    def run(evaluator: Evaluator, *batches: Batch) -> Batch:
        return _either(evaluator, list(batches[:-1]), batches[-1], code)

    function(name, arguments, help_, family=FAMILY, gradient=gradient)(run)


def _log_ways(n: Tensor, k: Tensor) -> Tensor:
    return torch.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)


def _binomial(k: Tensor, n: Tensor, p: Tensor) -> tuple[Tensor, Tensor, Domain]:
    k, n = torch.trunc(k), torch.trunc(n)
    bad = (k < 0) | (k > n) | (p < 0) | (p > 1)
    k, n, p = torch.where(bad, 0.0, k), torch.where(bad, 1.0, n), torch.where(bad, 0.5, p)
    most = int(k.detach().max()) if k.numel() else 0
    i = torch.arange(most + 1, dtype=torch.float64)
    j, m, q = k[..., None], n[..., None], p[..., None]
    held = torch.exp(_log_ways(m, torch.minimum(i, m))) * q**i * (1 - q) ** (m - i).clamp(min=0)
    below = torch.where(i <= j, held, 0.0).sum(-1)
    exact = torch.exp(_log_ways(n, k)) * p**k * (1 - p) ** (n - k)
    return below, exact, [(bad, ErrorCode.NUM)]


def _poisson(k: Tensor, mean: Tensor) -> tuple[Tensor, Tensor, Domain]:
    k = torch.trunc(k)
    bad = (k < 0) | (mean < 0)
    k, mean = torch.where(bad, 0.0, k), torch.where(bad, 1.0, mean)
    exact = torch.exp(torch.xlogy(k, mean) - mean - torch.lgamma(k + 1))
    below: Tensor = torch.special.gammaincc(k + 1, mean)
    return below, exact, [(bad, ErrorCode.NUM)]


def _exponential(x: Tensor, rate: Tensor) -> tuple[Tensor, Tensor, Domain]:
    bad = (x < 0) | ~(rate > 0)
    x, rate = torch.where(bad, 0.0, x), torch.where(bad, 1.0, rate)
    return -torch.expm1(-rate * x), rate * torch.exp(-rate * x), [(bad, ErrorCode.NUM)]


for _name in ("BINOM.DIST", "BINOMDIST"):
    distribution(_name, "number_s, trials, probability_s, cumulative",
                 "Binomial distribution.", _binomial)  # fmt: skip
for _name in ("POISSON.DIST", "POISSON"):
    distribution(_name, "x, mean, cumulative", "Poisson distribution.", _poisson)
for _name in ("EXPON.DIST", "EXPONDIST"):
    distribution(_name, "x, lambda, cumulative", "Exponential distribution.", _exponential)
