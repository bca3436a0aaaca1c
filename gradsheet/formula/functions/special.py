"""Special functions: error function, gamma, distributions by them, combinatorics.

Owns those that tensors compute, with gradients. Quantiles and distributions by the incomplete
beta function are `quantiles`'.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from gradsheet.formula.batch import Batch
from gradsheet.formula.functions.chance import density, distribution
from gradsheet.formula.functions.table import Domain, function, lifted, numeric
from gradsheet.formula.values import ErrorCode

if TYPE_CHECKING:
    from gradsheet.formula.evaluate import Evaluator

FAMILY = "Special functions"


@function("ERF", "lower_limit, [upper_limit]", "Error function between two limits.",
          family=FAMILY, gradient="smooth")  # fmt: skip
def erf(evaluator: Evaluator, *limits: Batch) -> Batch:
    """erf(upper) - erf(lower), or erf(lower)."""

    def code(lower: Tensor, *upper: Tensor) -> Tensor:
        return torch.erf(upper[0]) - torch.erf(lower) if upper else torch.erf(lower)

    return lifted(evaluator.strings, limits, code)


@numeric("ERF.PRECISE", "x", "Error function from 0.", family=FAMILY)
def erf_precise(x: Tensor) -> Tensor:
    """2/√π ∫ exp(-t²) dt from 0 to x."""
    return torch.erf(x)


for _name in ("ERFC", "ERFC.PRECISE"):
    numeric(_name, "x", "Complement of the error function.", family=FAMILY)(torch.erfc)


def _log_gamma(x: Tensor) -> tuple[Tensor, Domain]:
    bad = x <= 0
    return torch.lgamma(torch.where(bad, 1.0, x)), [(bad, ErrorCode.NUM)]


for _name in ("GAMMALN", "GAMMALN.PRECISE"):
    numeric(_name, "x", "Logarithm of the gamma function.", family=FAMILY)(_log_gamma)


@numeric("GAMMA", "number", "Gamma function.", family=FAMILY)
def gamma(x: Tensor) -> tuple[Tensor, Domain]:
    """Γ(x), below 1/2 by Γ(x)Γ(1 - x) = π/sin πx; #NUM! for 0, -1, -2 ..."""
    pole = (x <= 0) & (x == torch.floor(x))
    x = torch.where(pole, 1.0, x)
    low = x < 0.5
    up = torch.exp(torch.lgamma(torch.where(low, 1 - x, x)))
    turned = math.pi / (torch.sin(math.pi * torch.where(low, x, 0.5)) * up)
    return torch.where(low, turned, up), [(pole, ErrorCode.NUM)]


@numeric("GAUSS", "z", "Share of a normal population between the mean and z deviations.",
         family=FAMILY)  # fmt: skip
def gauss(z: Tensor) -> Tensor:
    """Φ(z) - 1/2."""
    area: Tensor = torch.special.ndtr(z)
    return area - 0.5


@numeric("PHI", "x", "Density of the standard normal distribution.", family=FAMILY)
def phi(x: Tensor) -> Tensor:
    """exp(-x²/2)/√(2π)."""
    return density(x)


@numeric("FISHER", "x", "Fisher's transformation of a correlation.", family=FAMILY)
def fisher(x: Tensor) -> tuple[Tensor, Domain]:
    """artanh x; #NUM! outside of -1 to 1."""
    bad = (x <= -1) | (x >= 1)
    return torch.atanh(torch.where(bad, 0.0, x)), [(bad, ErrorCode.NUM)]


@numeric("FISHERINV", "y", "Inverse of Fisher's transformation.", family=FAMILY)
def fisherinv(y: Tensor) -> Tensor:
    """tanh y."""
    return torch.tanh(y)


def _log_normal(x: Tensor, mean: Tensor, sd: Tensor) -> tuple[Tensor, Tensor, Domain]:
    bad = (x <= 0) | ~(sd > 0)
    x, sd = torch.where(bad, 1.0, x), torch.where(bad, 1.0, sd)
    z = (torch.log(x) - mean) / sd
    return torch.special.ndtr(z), density(z) / (sd * x), [(bad, ErrorCode.NUM)]


distribution("LOGNORM.DIST", "x, mean, standard_dev, cumulative",
             "Lognormal distribution or its density.", _log_normal, gradient="smooth")  # fmt: skip


@numeric("LOGNORM.INV", "probability, mean, standard_dev",
         "Quantile of a lognormal distribution.", family="Chance", hides=True,
         gradient="smooth between 0 and 1")  # fmt: skip
def lognorm_inv(p: Tensor, mean: Tensor, sd: Tensor) -> tuple[Tensor, Domain]:
    """exp(mean + sd Φ⁻¹(p))."""
    bad = ~((p > 0) & (p < 1)) | ~(sd > 0)
    z = torch.special.ndtri(torch.where(bad, 0.5, p))
    return torch.exp(mean + sd * z), [(bad, ErrorCode.NUM)]


def _weibull(x: Tensor, alpha: Tensor, beta: Tensor) -> tuple[Tensor, Tensor, Domain]:
    bad = (x < 0) | (alpha <= 0) | (beta <= 0)
    x = torch.where(bad, 1.0, x)
    alpha, beta = torch.where(bad, 1.0, alpha), torch.where(bad, 1.0, beta)
    power = (x / beta) ** alpha
    height = alpha / beta * (x / beta) ** (alpha - 1) * torch.exp(-power)
    return -torch.expm1(-power), height, [(bad, ErrorCode.NUM)]


for _name in ("WEIBULL.DIST", "WEIBULL"):
    distribution(_name, "x, alpha, beta, cumulative", "Weibull distribution or its density.",
                 _weibull, gradient="smooth")  # fmt: skip


@numeric("CONFIDENCE.NORM", "alpha, standard_dev, size",
         "Half width of the confidence interval of a mean.", family="Chance", hides=True,
         gradient="smooth in alpha and standard_dev")  # fmt: skip
def confidence(alpha: Tensor, sd: Tensor, size: Tensor) -> tuple[Tensor, Domain]:
    """Φ⁻¹(1 - α/2) sd/√n."""
    size = torch.trunc(size)
    bad = ~((alpha > 0) & (alpha < 1)) | ~(sd > 0) | (size < 1)
    z = torch.special.ndtri(1 - torch.where(bad, 0.5, alpha) / 2)
    return z * sd / torch.sqrt(torch.where(bad, 1.0, size)), [(bad, ErrorCode.NUM)]


@numeric("SQRTPI", "number", "Root of a multiple of π.", family=FAMILY)
def sqrtpi(x: Tensor) -> tuple[Tensor, Domain]:
    """√(xπ)."""
    bad = x < 0
    zero = x <= 0
    root = torch.sqrt(torch.where(zero, 1.0, x) * math.pi)
    return torch.where(zero, 0.0, root), [(bad, ErrorCode.NUM)]


def _enter_inverse(name: str, help_: str, bottom: str) -> None:
    """SEC and its kin, 1 over a function; #DIV/0! where that is 0."""

    @numeric(name, "number", help_, family="Mathematics")
    def run(x: Tensor) -> tuple[Tensor, Domain]:
        below: Tensor = getattr(torch, bottom)(x)
        none = below == 0
        return 1 / torch.where(none, 1.0, below), [(none, ErrorCode.DIV0)]


_enter_inverse("SEC", "Secant.", "cos")
_enter_inverse("CSC", "Cosecant.", "sin")
_enter_inverse("COT", "Cotangent.", "tan")
_enter_inverse("SECH", "Hyperbolic secant.", "cosh")
_enter_inverse("CSCH", "Hyperbolic cosecant.", "sinh")
_enter_inverse("COTH", "Hyperbolic cotangent.", "tanh")


@numeric("ACOT", "number", "Angle of a cotangent, 0 to π.", family="Mathematics")
def acot(x: Tensor) -> Tensor:
    """π/2 - arctan x."""
    return math.pi / 2 - torch.atan(x)


@numeric("ACOTH", "number", "Inverse hyperbolic cotangent.", family="Mathematics")
def acoth(x: Tensor) -> tuple[Tensor, Domain]:
    """artanh 1/x; #NUM! from -1 to 1."""
    bad = x.abs() <= 1
    return torch.atanh(1 / torch.where(bad, 2.0, x)), [(bad, ErrorCode.NUM)]


_COUNTED = "none: a number of ways does not change smoothly"


def _whole(code: object) -> object:
    """Tensor code of whole numbers, value by value, exact as far as doubles are."""

    def run(*args: Tensor) -> tuple[Tensor, Domain]:
        whole = [torch.trunc(arg.detach()) for arg in args]
        size = np.broadcast_shapes(*[arg.shape for arg in whole])
        pairs = [arg.expand(size) for arg in whole]
        values, bad = [], []
        for numbers in zip(*[p.reshape(-1).tolist() for p in pairs], strict=True):
            try:
                value = float(code(*[int(x) for x in numbers]))  # type: ignore[operator]
            except (ValueError, OverflowError):
                value = math.nan
            values.append(0.0 if math.isnan(value) else value)
            bad.append(math.isnan(value))
        shape = pairs[0].shape
        found = torch.tensor(values, dtype=torch.float64).reshape(shape)
        return found, [(torch.tensor(bad).reshape(shape), ErrorCode.NUM)]

    return run


def _double_factorial(n: int) -> float:
    if n < -1 or n > 300:
        raise ValueError
    return float(math.prod(range(n, 0, -2)))


def _below(n: int, k: int) -> bool:
    return n < 0 or k < 0 or n > 10_000_000 or k > 10_000


def _permutations(n: int, k: int) -> float:
    if _below(n, k) or n == 0 or k > n:
        raise ValueError
    return float(math.perm(n, k))


def _tuples(n: int, k: int) -> float:
    if _below(n, k):
        raise ValueError
    return float(n) ** k


def _multisets(n: int, k: int) -> float:
    if _below(n, k) or (n == 0 and k > 0):
        raise ValueError
    return float(math.comb(n + k - 1, k)) if n else 1.0


for _name, _arguments, _help, _code in (
    ("FACTDOUBLE", "number", "Product of every second number down to 1 or 2.", _double_factorial),
    ("PERMUT", "number, number_chosen", "Ordered choices without repetition.", _permutations),
    ("PERMUTATIONA", "number, number_chosen", "Ordered choices with repetition.", _tuples),
    ("COMBINA", "number, number_chosen", "Choices with repetition.", _multisets),
):
    numeric(_name, _arguments, _help, family="Mathematics", gradient=_COUNTED)(
        _whole(_code)  # type: ignore[arg-type]
    )
