"""An optimizer as code for a script: torch's own where it is the same, else written out.

Owns the text of every rule of `optimizers` and of the schedules. Knows no cells; the parameters
are names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from gradsheet.formula.script_cells import tensor_text
from gradsheet.learn.hyper import Hyper
from gradsheet.learn.optimizers import OPTIMIZERS, Rule

_TORCH = {"sgd": "SGD", "momentum": "SGD", "nesterov": "SGD", "adagrad": "Adagrad",
          "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW"}  # fmt: skip
DIVISOR = '''def divisor(root):
    """Return what a step is divided by; where the statistic is 0, the gradient is 0 too."""
    return root + eps if eps else torch.where(root == 0, 1.0, root)'''
_ADAM = """m, s = state["average"], state["square"]
if amsgrad:
    state["largest_square"] = s = torch.maximum(state["largest_square"], s)
m_hat, s_hat = m, s
if bias_correction:
    m_hat, s_hat = m / (1 - beta1**step), s / (1 - beta2**step)
p -= lr * scale * m_hat / divisor(torch.sqrt(s_hat))"""
_RMSPROP = """s = state["square"]
if centered:
    state["average"].lerp_(g, 1 - beta2)
    s = s - state["average"] ** 2
root = divisor(torch.sqrt(s))
if momentum:
    state["velocity"] = momentum * state["velocity"] + g / root
    p -= lr * scale * state["velocity"]
else:
    p -= lr * scale * g / root"""
_LESSON_RMSPROP = """if step == 1 and not state["square"].any():
    state["square"] = g * g
before = state["square"]
state["square"] = beta2 * before + (1 - beta2) * g * g
p -= lr * scale * g / divisor(torch.sqrt(before if lagged else state["square"]))"""
_LESSON_ADAGRAD = """count = (step - 1) % period + 1
if count == 1:
    state["square_sum"] = torch.zeros_like(p)
state["square_sum"] = state["square_sum"] + g * g
if step <= period:
    state["statistic"] = torch.sqrt(state["square_sum"]) / count
p -= lr * scale * g / divisor(state["statistic"])
if count == period:
    state["statistic"] = torch.sqrt(state["square_sum"]) / count"""
_LESSON_MOMENTUM = """before = state["average"]
state["average"] = beta1 * before + (1 - beta1) * g
p -= lr * scale * (before if lagged else state["average"])"""
_STEPS = {
    "descend": "p -= lr * scale * g",
    "accumulate_velocity": 'v = state["velocity"]\n'
    "v.copy_(g if step == 1 else momentum * v + (1 - dampening) * g)",
    "descend_velocity": 'p -= lr * scale * (g + momentum * state["velocity"] if nesterov else '
    'state["velocity"])',
    "adagrad": 'state["square_sum"] = state["square_sum"] + g * g\n'
    "rate = lr / (1 + (step - 1) * lr_decay)\n"
    'p -= rate * scale * g / divisor(torch.sqrt(state["square_sum"]))',
    "average_square": 'state["square"] = beta2 * state["square"] + (1 - beta2) * g * g',
    "average_gradient": 'state["average"].lerp_(g, 1 - beta1)',
    "rmsprop": _RMSPROP,
    "adam": _ADAM,
    "lesson_momentum": _LESSON_MOMENTUM,
    "lesson_nesterov": 'state["average"].lerp_(g, 1 - beta1)\n'
    'p -= lr * scale * (beta1 * state["average"] + (1 - beta1) * g)',
    "lesson_adagrad": _LESSON_ADAGRAD,
    "lesson_rmsprop": _LESSON_RMSPROP,
    "eve": 'p -= lr / d["d"] * scale * state["average"] / divisor(torch.sqrt(state["square"]))',
}
"""What a step function of `learn.steps` does, for one tensor of parameters."""
_EVE = '''    if (step - 1) % period == 0:
        if step > 1:
            smaller = max(min(abs(loss), abs(d["before"])), 1e-300)
            d["d"] = beta3 * d["d"] + (1 - beta3) * abs(loss - d["before"]) / smaller
        d["before"] = loss'''


@dataclass(frozen=True, slots=True)
class Trained:
    """A tensor of parameters.

    Attributes
    ----------
    name : str
    size : int
    scale : float
        Multiplies the learning rate.
    locked : bool
    """

    name: str
    size: int
    scale: float = 1.0
    locked: bool = False


def is_in_torch(rule: str, hyper: Hyper) -> bool:
    """Whether torch.optim has an optimizer that makes the same steps."""
    if rule not in _TORCH or not hyper.bias_correction:
        return False
    if hyper.decoupled != (rule == "adamw") and hyper.weight_decay:
        return False
    if rule == "nesterov" or (rule == "momentum" and hyper.nesterov):
        return hyper.nesterov and hyper.momentum > 0 and hyper.dampening == 0
    return rule in ("sgd", "momentum") or hyper.eps > 0


def torch_optimizer(rule: str, hyper: Hyper, parameters: Sequence[Trained]) -> list[str]:
    """Return the line that makes torch's own optimizer."""
    h = hyper
    settings: dict[str, object] = {"lr": h.lr}
    if rule in ("momentum", "nesterov"):
        settings |= {"momentum": h.momentum, "dampening": h.dampening, "nesterov": h.nesterov}
    elif rule == "adagrad":
        settings |= {"lr_decay": h.lr_decay, "eps": h.eps,
                     "initial_accumulator_value": h.initial_accumulator}  # fmt: skip
    elif rule == "rmsprop":
        settings |= {"alpha": h.beta2, "eps": h.eps, "momentum": h.momentum,
                     "centered": h.centered}  # fmt: skip
    elif rule in ("adam", "adamw"):
        settings |= {"betas": (h.beta1, h.beta2), "eps": h.eps, "amsgrad": h.amsgrad}
    settings["weight_decay"] = h.weight_decay
    plain = {"dampening": 0.0, "nesterov": False, "lr_decay": 0.0, "centered": False,
             "initial_accumulator_value": 0.0, "amsgrad": False, "weight_decay": 0.0}  # fmt: skip
    if rule == "adamw":
        del plain["weight_decay"]
    kept = {k: v for k, v in settings.items() if k not in plain or v != plain[k]}
    free = [p for p in parameters if not p.locked]
    if all(p.scale == 1.0 for p in free):
        names = ", ".join(p.name for p in free)
        text = f"[{names}], " + ", ".join(f"{k}={v!r}" for k, v in kept.items())
        return [f"optimizer = torch.optim.{_TORCH[rule]}({text})"]
    groups = [f'    {{"params": [{p.name}], "lr": {h.lr * p.scale!r}}},' for p in free]
    rest = ", ".join(f"{k}={v!r}" for k, v in kept.items() if k != "lr")
    return [f"optimizer = torch.optim.{_TORCH[rule]}([", *groups, f"], {rest})".replace(", )", ")")]


def written_out(
    name: str, parameters: Sequence[Trained], state: Mapping[str, Tensor] | None, hyper: Hyper
) -> list[str]:
    """Return the optimizer as code of its own: settings, state and `update(step, loss)`.

    Parameters
    ----------
    name : key of OPTIMIZERS
    parameters : all of them, locked ones too
    state : tensors (n,) over all parameters, to go on from; None for a fresh start
    """
    rule = OPTIMIZERS[name]
    free = [p for p in parameters if not p.locked]
    lines = [f"parameters = [{', '.join(p.name for p in free)}]",
             f"scales = [{', '.join(repr(p.scale) for p in free)}]  # of the learning rate",
             *settings_lines(name, hyper)]  # fmt: skip
    lines += _state_lines(rule, parameters, state, hyper)
    if "eps" in rule.uses:
        lines += ["", "", *DIVISOR.split("\n")]
    lines += ["", "", "def update(step, loss):",
              f'    """Take a step of {rule.title}; steps count from 1."""']  # fmt: skip
    if name == "eve":
        lines += _EVE.split("\n")
    lines += ["    for p, state, scale in zip(parameters, states, scales):", "        g = p.grad"]
    body = ["if decoupled:", "    p -= lr * scale * weight_decay * p",
            "else:", "    g = g + weight_decay * p"]  # fmt: skip
    for step in rule.steps:
        if step.__name__ != "weight_decay":
            body += _STEPS[step.__name__].split("\n")
    return [*lines, *(f"        {line}" for line in body)]


def settings_lines(name: str, hyper: Hyper, before: Hyper | None = None) -> list[str]:
    """Return the settings as assignments; only those that differ from `before`."""
    uses = OPTIMIZERS[name].uses
    return [f"{field} = {getattr(hyper, field)!r}" for field in uses
            if before is None or getattr(hyper, field) != getattr(before, field)]  # fmt: skip


def _state_lines(
    rule: Rule, parameters: Sequence[Trained], state: Mapping[str, Tensor] | None, hyper: Hyper
) -> list[str]:
    scalars = []
    if rule.name == "eve":
        d, before = 1.0, 0.0
        if state:
            d, before = float(state["d"]), float(state["previous_loss"])
        scalars = [f'd = {{"d": {d!r}, "before": {before!r}}}']
    first = hyper.initial_accumulator if rule.name == "adagrad" else 0.0
    if not state:
        fill = f"torch.full_like(p, {first!r})" if first else "torch.zeros_like(p)"
        body = ", ".join(f'"{name}": {fill}' for name in rule.state)
        return [*scalars, f"states = [{{{body}}} for p in parameters]"]
    lines = [*scalars, "states = ["]
    at = 0
    for parameter in parameters:
        if not parameter.locked:
            lines.append("    {")
            for name in rule.state:
                part = state[name].reshape(-1)[at : at + parameter.size].reshape(1, -1).numpy()
                text = tensor_text(part).replace("\n", "\n    ")
                lines.append(f'    "{name}": {text}.reshape({parameter.name}.shape),')
            lines.append("    },")
        at += parameter.size
    return [*lines, "]"]


def schedule_lines(name: str, total: int, cycle_len: int, cycle_mult: int, base: float
                   ) -> list[str]:  # fmt: skip
    """Return `factor(step)`, which gives what rate and momentum are multiplied by.

    Parameters
    ----------
    name : key of the schedules that a user can choose
    total, cycle_len, cycle_mult : int
    base : float
        The momentum that a one-cycle schedule starts from.
    """
    cosine = "(1 + math.cos(math.pi * share)) / 2"
    falls = {"linear": "1 - share", "cosine": cosine, "exponential": "0.01**share"}
    words = "Return what the schedule multiplies the rate and the momentum by."
    head = ["def factor(step):", f'    """{words}"""']
    if name in falls:
        return [*head, f"    share = min(step / {total}, 1.0)", f"    return {falls[name]}, 1.0"]
    if name == "restarts":
        return [*head, f"    begin, length = 0, {cycle_len}", "    while step >= begin + length:",
                f"        begin, length = begin + length, length * {cycle_mult}",
                "    share = (step - begin) / length", f"    return {cosine}, 1.0"]  # fmt: skip
    if name == "one-cycle":
        peak = 0.3 * total - 1
        return [
            *head,
            f"    step, peak = min(step, {total - 1}), {peak!r}",
            f"    high, low = {0.95 / base!r}, {0.85 / base!r}",
            "    if step <= peak:",
            "        share = step / peak if peak > 0 else 1.0",
            f"        rise = 1 - {cosine}",
            "        return 1 / 25 + (1 - 1 / 25) * rise, high + (low - high) * rise",
            f"    share = (step - peak) / ({total - 1} - peak)",
            f"    fall = {cosine}",
            "    return 1 / 250000 + (1 - 1 / 250000) * fall, high + (low - high) * fall",
        ]
    first, last = 1e-4, 1e3  # the range test
    return [*head, f"    share = min(step, {total - 1}) / {total - 1}",
            f"    return {first} * math.exp(math.log({last} / {first}) * share), 1.0"]  # fmt: skip
