"""The small steps of which optimizers are made, each one formula on tensors, in place.

Owns the arithmetic only. Must not know which steps make up which optimizer, nor allocate: beside
the rule's named state, ``state`` holds ``"work"`` (scratch shaped like theta) and, where rates
differ between elements, ``"scale"``. ``step`` counts from 1. The tests' oracle is torch.optim.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gradsheet.learn.hyper import Hyper


def _subtract(theta: Tensor, amount: Tensor, rate: float, state: dict[str, Tensor]) -> None:
    """theta -= rate * scale * amount."""
    scale = state.get("scale")
    if scale is None:
        theta.add_(amount, alpha=-rate)
    else:
        theta.addcmul_(amount, scale, value=-rate)


def _subtract_ratio(
    theta: Tensor, top: Tensor, bottom: Tensor, rate: float, state: dict[str, Tensor]
) -> None:
    """theta -= rate * scale * top / bottom; may overwrite ``bottom``."""
    scale = state.get("scale")
    if scale is None:
        theta.addcdiv_(top, bottom, value=-rate)
    else:
        theta.addcmul_(torch.div(top, bottom, out=bottom), scale, value=-rate)


def _add_eps(root: Tensor, eps: float) -> Tensor:
    """Return root + eps in place; where both are 0 the top is 0 too, so 1 avoids 0/0."""
    return root.add_(eps) if eps else root.masked_fill_(root == 0, 1.0)


def weight_decay(
    theta: Tensor, grad: Tensor, state: dict[str, Tensor], hyper: Hyper, step: int
) -> None:
    """Pull towards zero: through the gradient (L2) or beside it (decoupled)."""
    if hyper.weight_decay:
        if hyper.decoupled:
            scale = state.get("scale")
            if scale is None:
                theta.mul_(1 - hyper.lr * hyper.weight_decay)
            else:
                theta.addcmul_(theta, scale, value=-hyper.lr * hyper.weight_decay)
        else:
            grad.add_(theta, alpha=hyper.weight_decay)


def descend(theta: Tensor, grad: Tensor, state: dict[str, Tensor], hyper: Hyper, step: int) -> None:
    """theta -= lr * g."""
    _subtract(theta, grad, hyper.lr, state)


def accumulate_velocity(
    theta: Tensor, grad: Tensor, state: dict[str, Tensor], hyper: Hyper, step: int
) -> None:
    """v = momentum * v + (1 - dampening) * g, and v = g at the first step (torch.optim.SGD)."""
    velocity = state["velocity"]
    if step == 1:
        velocity.copy_(grad)
    else:
        velocity.mul_(hyper.momentum).add_(grad, alpha=1 - hyper.dampening)


def descend_velocity(
    theta: Tensor, grad: Tensor, state: dict[str, Tensor], hyper: Hyper, step: int
) -> None:
    """theta -= lr * v, or lr * (g + momentum * v) for Nesterov's look ahead."""
    velocity = state["velocity"]
    if hyper.nesterov:
        velocity = torch.add(grad, velocity, alpha=hyper.momentum, out=state["work"])
    _subtract(theta, velocity, hyper.lr, state)


def adagrad(theta: Tensor, grad: Tensor, state: dict[str, Tensor], hyper: Hyper, step: int) -> None:
    """s += g^2; theta -= lr / (1 + (step - 1) lr_decay) * g / (sqrt(s) + eps)."""
    total = state["square_sum"]
    if step == 1 and hyper.initial_accumulator:
        total.fill_(hyper.initial_accumulator)
    total.addcmul_(grad, grad)
    root = _add_eps(torch.sqrt(total, out=state["work"]), hyper.eps)
    _subtract_ratio(theta, grad, root, hyper.lr / (1 + (step - 1) * hyper.lr_decay), state)


def average_square(
    theta: Tensor, grad: Tensor, state: dict[str, Tensor], hyper: Hyper, step: int
) -> None:
    """s = beta2 * s + (1 - beta2) * g^2."""
    state["square"].mul_(hyper.beta2).addcmul_(grad, grad, value=1 - hyper.beta2)


def average_gradient(
    theta: Tensor, grad: Tensor, state: dict[str, Tensor], hyper: Hyper, step: int
) -> None:
    """m = beta1 * m + (1 - beta1) * g."""
    state["average"].lerp_(grad, 1 - hyper.beta1)


def rmsprop(theta: Tensor, grad: Tensor, state: dict[str, Tensor], hyper: Hyper, step: int) -> None:
    """theta -= lr * g / (sqrt(s) + eps); centred: sqrt(s - m^2); with momentum through v."""
    work = state["work"]
    if hyper.centered:
        average = state["average"].lerp_(grad, 1 - hyper.beta2)
        torch.addcmul(state["square"], average, average, value=-1, out=work).sqrt_()
    else:
        torch.sqrt(state["square"], out=work)
    _add_eps(work, hyper.eps)
    if hyper.momentum:
        velocity = state["velocity"].mul_(hyper.momentum).addcdiv_(grad, work)
        _subtract(theta, velocity, hyper.lr, state)
    else:
        _subtract_ratio(theta, grad, work, hyper.lr, state)


def adam(theta: Tensor, grad: Tensor, state: dict[str, Tensor], hyper: Hyper, step: int) -> None:
    """theta -= lr * m^ / (sqrt(s^) + eps), hats for bias correction; AMSGrad: the largest s yet."""
    square = state["square"]
    if hyper.amsgrad:
        square = torch.maximum(state["largest_square"], square, out=state["largest_square"])
    root = torch.sqrt(square, out=state["work"])
    rate = hyper.lr
    if hyper.bias_correction:
        root.div_((1 - hyper.beta2**step) ** 0.5)
        rate /= 1 - hyper.beta1**step
    _subtract_ratio(theta, state["average"], _add_eps(root, hyper.eps), rate, state)


# --- the lesson workbooks' own rules (graddesc, sheets momentum to eve) ---------------------------


def lesson_momentum(
    theta: Tensor, grad: Tensor, state: dict[str, Tensor], hyper: Hyper, step: int
) -> None:
    """m = beta1 * m + (1 - beta1) * g from m = 0; theta -= lr * m (lagged: m before this g)."""
    if hyper.lagged:
        _subtract(theta, state["average"], hyper.lr, state)
    average_gradient(theta, grad, state, hyper, step)
    if not hyper.lagged:
        _subtract(theta, state["average"], hyper.lr, state)


def lesson_nesterov(
    theta: Tensor, grad: Tensor, state: dict[str, Tensor], hyper: Hyper, step: int
) -> None:
    """m = beta1 * m + (1 - beta1) * g; theta -= lr * (beta1 * m + (1 - beta1) * g).

    The rule of torch.optim.SGD(nesterov=True, lr=lr * (1 - beta1)) with m as an average.
    """
    average_gradient(theta, grad, state, hyper, step)
    ahead = torch.mul(state["average"], hyper.beta1, out=state["work"])
    _subtract(theta, ahead.add_(grad, alpha=1 - hyper.beta1), hyper.lr, state)


def lesson_adagrad(
    theta: Tensor, grad: Tensor, state: dict[str, Tensor], hyper: Hyper, step: int
) -> None:
    """theta -= lr * g / r, where r = sqrt(sum of g^2) / count over the epoch before this one.

    The first epoch has none before it and uses its own gradients so far.
    """
    total, statistic = state["square_sum"], state["statistic"]
    count = (step - 1) % hyper.period + 1
    if count == 1:
        total.zero_()
    total.addcmul_(grad, grad)
    if step <= hyper.period:
        torch.sqrt(total, out=statistic).div_(count)
    root = _add_eps(state["work"].copy_(statistic), hyper.eps)
    _subtract_ratio(theta, grad, root, hyper.lr, state)
    if count == hyper.period:
        torch.sqrt(total, out=statistic).div_(count)


def lesson_rmsprop(
    theta: Tensor, grad: Tensor, state: dict[str, Tensor], hyper: Hyper, step: int
) -> None:
    """theta -= lr * g / sqrt(s); lagged, as in the sheet: s before this g.

    Without a warmed-up s, the first gradient's own square stands in for it.
    """
    square, work = state["square"], state["work"]
    if step == 1 and not bool(square.any()):
        torch.mul(grad, grad, out=square)
    if hyper.lagged:
        torch.sqrt(square, out=work)
    average_square(theta, grad, state, hyper, step)
    if not hyper.lagged:
        torch.sqrt(square, out=work)
    _subtract_ratio(theta, grad, _add_eps(work, hyper.eps), hyper.lr, state)


def eve(theta: Tensor, grad: Tensor, state: dict[str, Tensor], hyper: Hyper, step: int) -> None:
    """Adam without correction divided by d; d = beta3 * d + (1 - beta3) * |f1 - f2| / min(f1, f2).

    f1 and f2 are this step's loss and the one before; d is 1 until there are two. With a period,
    d follows once in so many steps, as the sheet does from one epoch to the next.
    """
    now, before, d = float(state["loss"]), float(state["previous_loss"]), float(state["d"])
    if (step - 1) % hyper.period == 0:
        if step == 1:
            d = 1.0
        else:
            smaller = max(min(abs(now), abs(before)), 1e-300)
            d = hyper.beta3 * d + (1 - hyper.beta3) * abs(now - before) / smaller
        state["d"].fill_(d)
        state["previous_loss"].fill_(now)
    root = _add_eps(torch.sqrt(state["square"], out=state["work"]), hyper.eps)
    _subtract_ratio(theta, state["average"], root, hyper.lr / d, state)
