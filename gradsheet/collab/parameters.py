"""A model's parameters as one flat tensor a layer group, and the optimizer that steps them.

Owns where parameters and gradients lie in memory, rates per group, freezing, and the translation
of the program's optimizer settings to torch.optim. Must not know ratings or epochs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gradsheet.collab.models import Recommender
from gradsheet.formula.values import UserError
from gradsheet.learn.hyper import Hyper
from gradsheet.learn.optimizers import OPTIMIZERS, Optimizer
from gradsheet.learn.schedules import Factors as ScheduleFactors

TORCH_RULES = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
"""Rules that torch.optim steps; the lesson workbooks' own run on learn.optimizers."""


@dataclass(slots=True, eq=False)
class FlatGroup:
    """A layer group that learns.

    Attributes
    ----------
    name : str
    theta, gradient : Tensor (n,)
        Its parameters one after another; those of the model are views on it.
    scale : float
        Its learning rate over that of the settings.
    """

    name: str
    theta: nn.Parameter
    gradient: Tensor
    scale: float


class FlatParameters:
    """The parameters of a model, flat by layer group.

    Flat memory makes a step of the optimizer one kernel. The gradient of an embedding is kept
    between steps and only the rows of the batch are added and cleared.

    Parameters
    ----------
    model : Recommender
        Its parameters become views; it stays usable as it was.
    scales : sequence of float
        Of the learning rate, one a layer group.
    frozen : collection of str
        Names of groups that do not learn.
    """

    def __init__(
        self, model: Recommender, scales: Sequence[float], frozen: Sequence[str] = ()
    ) -> None:
        self.groups: list[FlatGroup] = []
        names = [group.name for group in model.groups()]
        unknown = set(frozen) - set(names)
        if unknown:
            raise UserError(
                f"This model has no layer group {', '.join(sorted(unknown))}.",
                f"It has: {', '.join(names)}.",
            )
        if set(names) <= set(frozen):
            raise UserError("Every layer group is frozen, so nothing can be learned.",
                            "Unfreeze at least one.")  # fmt: skip
        self._tables: dict[int, Tensor] = {}
        self._dense: list[Tensor] = []
        for group, scale in zip(model.groups(), scales, strict=True):
            parameters = [p for module in group.modules for p in module.parameters()]
            if group.name in frozen:
                for parameter in parameters:
                    parameter.requires_grad_(False)
                continue
            self.groups.append(self._flatten(group.name, parameters, scale))
        for lookup in model.lookups():
            weight = lookup.table.weight
            if weight.requires_grad and weight.grad is not None:
                self._tables[id(lookup.table)] = weight.grad
        tables = {id(lookup.table.weight) for lookup in model.lookups()}
        self._dense = [
            p.grad for p in model.parameters() if id(p) not in tables and p.grad is not None
        ]

    def _flatten(self, name: str, parameters: list[nn.Parameter], scale: float) -> FlatGroup:
        theta = nn.Parameter(torch.cat([p.detach().reshape(-1) for p in parameters]))
        gradient = torch.zeros_like(theta.data)
        begin = 0
        for parameter in parameters:
            end = begin + parameter.numel()
            parameter.requires_grad_(True)
            parameter.data = theta.data[begin:end].view(parameter.shape)
            parameter.grad = gradient[begin:end].view(parameter.shape)
            begin = end
        theta.grad = gradient
        return FlatGroup(name, theta, gradient, scale)

    def rows_gradient(self, table: nn.Embedding) -> Tensor | None:
        """Return the gradient to which rows of an embedding are added; None: it is frozen."""
        return self._tables.get(id(table))

    def clear_dense(self) -> None:
        """Zero the gradients that are not an embedding's."""
        for gradient in self._dense:
            gradient.zero_()


class Stepper:
    """An optimizer on flat groups: torch.optim where it has the rule, ours elsewhere.

    Parameters
    ----------
    name : str
        Key of learn.optimizers.OPTIMIZERS.
    hyper : Hyper
        ``lr`` is multiplied by each group's scale.
    parameters : FlatParameters

    Raises
    ------
    UserError
        If there is no such optimizer.
    """

    def __init__(self, name: str, hyper: Hyper, parameters: FlatParameters) -> None:
        if name not in OPTIMIZERS:
            raise UserError(
                f"There is no optimizer {name!r}.", f"Choose one of: {', '.join(OPTIMIZERS)}."
            )
        self.name = name
        self.hyper = hyper
        self._groups = parameters.groups
        self._torch: torch.optim.Optimizer | None = None
        self._rules: list[Optimizer] = []
        if name in TORCH_RULES:
            self._torch = _torch_optimizer(name, hyper, parameters.groups)
        else:
            self._rules = [Optimizer(OPTIMIZERS[name], hyper) for _ in parameters.groups]

    def step(self, factors: ScheduleFactors, loss: float | None = None) -> None:
        """Take one step with the rate and momentum that a schedule has at this moment."""
        if self._torch is None:
            for rule, group in zip(self._rules, self._groups, strict=True):
                hyper = self.hyper.scaled(factors.lr * group.scale, factors.momentum)
                rule.step(group.theta.data, group.gradient, loss, hyper)
            return
        hyper = self.hyper
        for options, group in zip(self._torch.param_groups, self._groups, strict=True):
            rate = hyper.lr * factors.lr * group.scale
            options["lr"] = rate
            if "betas" in options:
                options["betas"] = (min(hyper.beta1 * factors.momentum, 0.9999), hyper.beta2)
            elif options.get("momentum"):
                options["momentum"] = min(hyper.momentum * factors.momentum, 0.9999)
            if hyper.decoupled and hyper.weight_decay and "betas" not in options:
                group.theta.data.mul_(1 - rate * hyper.weight_decay)
        self._torch.step()

    def set_rate(self, rate: float) -> None:
        """Change the learning rate and keep the optimizer's state (the lesson's ``set_lrs``)."""
        self.hyper = dataclasses.replace(self.hyper, lr=rate)

    @property
    def needs_loss(self) -> bool:
        """Whether :meth:`step` must be told the loss."""
        return bool(self._rules) and "loss" in OPTIMIZERS[self.name].scalars

    def state_dict(self) -> dict[str, Any]:
        """Return copies of settings and state."""
        if self._torch is None:
            return {"rules": [rule.state_dict() for rule in self._rules], "hyper": self.hyper}
        state = self._torch.state_dict()["state"]
        copies = {
            key: {k: v.clone() if isinstance(v, Tensor) else v for k, v in values.items()}
            for key, values in state.items()
        }
        return {"torch": copies, "hyper": self.hyper}

    def load(self, saved: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave."""
        self.hyper = saved["hyper"]
        if self._torch is None:
            for rule, state in zip(self._rules, saved["rules"], strict=True):
                rule.load(state)
            return
        whole = self._torch.state_dict()
        whole["state"] = {
            key: {k: v.clone() if isinstance(v, Tensor) else v for k, v in values.items()}
            for key, values in saved["torch"].items()
        }
        self._torch.load_state_dict(whole)


def _torch_optimizer(name: str, hyper: Hyper, groups: Sequence[FlatGroup]) -> torch.optim.Optimizer:
    """Return the torch.optim optimizer of a rule, fused where the device has such a kernel."""
    parameters = [{"params": [group.theta], "lr": hyper.lr * group.scale} for group in groups]
    decay = 0.0 if hyper.decoupled else hyper.weight_decay
    betas = (hyper.beta1, hyper.beta2)
    optim = torch.optim
    make: Any
    options: dict[str, Any]
    if name in ("sgd", "momentum", "nesterov"):
        make, options = optim.SGD, {"weight_decay": decay}
        if name != "sgd":
            options |= {
                "momentum": hyper.momentum,
                "dampening": hyper.dampening,
                "nesterov": hyper.nesterov,
            }
    elif name == "adagrad":
        make, options = optim.Adagrad, {"eps": hyper.eps, "lr_decay": hyper.lr_decay}
        options |= {"initial_accumulator_value": hyper.initial_accumulator, "weight_decay": decay}
    elif name == "rmsprop":
        make, options = optim.RMSprop, {"alpha": hyper.beta2, "eps": hyper.eps}
        options |= {"momentum": hyper.momentum, "centered": hyper.centered, "weight_decay": decay}
        return make(parameters, lr=hyper.lr, **options)  # type: ignore[no-any-return]
    else:
        # AdamW is Adam with decoupled decay, whichever of the two names it was asked for by.
        make = optim.AdamW if hyper.decoupled else optim.Adam
        options = {"betas": betas, "eps": hyper.eps, "amsgrad": hyper.amsgrad}
        options["weight_decay"] = hyper.weight_decay
    try:
        return make(parameters, lr=hyper.lr, fused=True, **options)  # type: ignore[no-any-return]
    except RuntimeError:  # this device has no fused kernel
        return make(parameters, lr=hyper.lr, **options)  # type: ignore[no-any-return]
