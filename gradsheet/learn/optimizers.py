"""Optimizers as lists of small step functions with named state.

Owns the table of rules (SGD to AdamW, and the lesson workbooks' own variants) and their state.
Must not know what the parameters mean, where the gradient comes from, or that cells exist.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from gradsheet.learn import steps
from gradsheet.learn.hyper import Hyper as Hyper

StepFn: TypeAlias = Callable[[Tensor, Tensor, dict[str, Tensor], Hyper, int], None]
"""(theta, gradient, state, hyper, step number from 1) -> None; may change the first three."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An optimizer's recipe.

    Attributes
    ----------
    name, title : str
        Key in OPTIMIZERS, and what the user reads.
    steps : tuple of StepFn
        Run in order at every step.
    defaults : Hyper
    state : tuple of str
        Names of the state tensors shaped like theta; each can be shown as a column.
    uses : tuple of str
        The Hyper fields that the rule reads, for the settings panel.
    source : str
        Where the rule is written down.
    scalars : tuple of str
        Names of the state that is one number; ``"loss"`` is filled in before each step.
    """

    name: str
    title: str
    steps: tuple[StepFn, ...]
    defaults: Hyper
    state: tuple[str, ...]
    uses: tuple[str, ...]
    source: str
    scalars: tuple[str, ...] = ()


_DECAY = ("weight_decay", "decoupled")
_MOMENTUM = (steps.weight_decay, steps.accumulate_velocity, steps.descend_velocity)
_MOMENTUM_USES = ("lr", "momentum", "dampening", "nesterov", *_DECAY)
_AVERAGES = (steps.weight_decay, steps.average_gradient, steps.average_square)
_ADAM = (*_AVERAGES, steps.adam)
_ADAM_STATE = ("average", "square", "largest_square")
_ADAM_USES = ("lr", "beta1", "beta2", "eps", "amsgrad", "bias_correction", *_DECAY)
_LESSON = "fast.ai graddesc workbook, sheet "

_RULES = (
    Rule("sgd", "SGD", (steps.weight_decay, steps.descend), Hyper(), (), ("lr", *_DECAY),
         "Robbins and Monro 1951"),
    Rule("momentum", "Momentum", _MOMENTUM, Hyper(), ("velocity",), _MOMENTUM_USES,
         "Polyak 1964; torch.optim.SGD"),
    Rule("nesterov", "Nesterov", _MOMENTUM, Hyper(nesterov=True), ("velocity",), _MOMENTUM_USES,
         "Sutskever and others 2013; torch.optim.SGD"),
    Rule("adagrad", "Adagrad", (steps.weight_decay, steps.adagrad), Hyper(eps=1e-10),
         ("square_sum",), ("lr", "lr_decay", "initial_accumulator", "eps", *_DECAY),
         "Duchi, Hazan and Singer 2011"),
    Rule("rmsprop", "RMSprop", (steps.weight_decay, steps.average_square, steps.rmsprop),
         Hyper(beta2=0.99, momentum=0.0), ("square", "average", "velocity"),
         ("lr", "beta2", "eps", "momentum", "centered", *_DECAY),
         "Tieleman and Hinton 2012, lecture 6.5; torch.optim.RMSprop"),
    Rule("adam", "Adam", _ADAM, Hyper(lr=1e-3), _ADAM_STATE, _ADAM_USES,
         "Kingma and Ba 2015, algorithm 1"),
    Rule("adamw", "AdamW", _ADAM, Hyper(lr=1e-3, weight_decay=0.01, decoupled=True),
         _ADAM_STATE, _ADAM_USES, "Loshchilov and Hutter 2019, algorithm 2"),
    Rule("lesson_momentum", "Momentum (lesson)", (steps.weight_decay, steps.lesson_momentum),
         Hyper(lr=1e-4), ("average",), ("lr", "beta1", "lagged", *_DECAY), _LESSON + "momentum"),
    Rule("lesson_nesterov", "Nesterov (lesson)", (steps.weight_decay, steps.lesson_nesterov),
         Hyper(lr=1e-4), ("average",), ("lr", "beta1", *_DECAY),
         "Nesterov 1983 with the average of " + _LESSON + "momentum"),
    Rule("lesson_adagrad", "Adagrad (lesson)", (steps.weight_decay, steps.lesson_adagrad),
         Hyper(lr=1e-3, eps=0.0), ("square_sum", "statistic"), ("lr", "period", "eps", *_DECAY),
         _LESSON + "adagrad"),
    Rule("lesson_rmsprop", "RMSprop (lesson)", (steps.weight_decay, steps.lesson_rmsprop),
         Hyper(lr=0.02, beta2=0.9, eps=0.0, lagged=True), ("square",),
         ("lr", "beta2", "eps", "lagged", *_DECAY), _LESSON + "rmsprop"),
    Rule("lesson_adam", "Adam (lesson)", _ADAM,
         Hyper(lr=0.1, beta2=0.9, eps=0.0, bias_correction=False), _ADAM_STATE, _ADAM_USES,
         _LESSON + "adam"),
    Rule("eve", "Eve (lesson)", (*_AVERAGES, steps.eve),
         Hyper(lr=0.1, beta1=0.7, beta2=0.9, eps=0.0), ("average", "square"),
         ("lr", "beta1", "beta2", "beta3", "period", "eps", *_DECAY), _LESSON + "eve",
         scalars=("loss", "previous_loss", "d")),
)  # fmt: skip

OPTIMIZERS: dict[str, Rule] = {rule.name: rule for rule in _RULES}
"""All rules by name, in the order in which a menu shows them."""


class Optimizer:
    """A rule with its settings and state.

    Parameters
    ----------
    rule : Rule
    hyper : Hyper, optional
        Defaults to the rule's.
    rate_scale : Tensor, optional
        Multiplies the learning rate of each element; shaped like theta. It belongs to the problem
        and is not part of :meth:`state_dict`.

    Attributes
    ----------
    hyper : Hyper
        May be replaced at any time, from any thread; the next step uses it.
    steps_taken : int
    state : dict of str to Tensor
        The named state, views on :attr:`memory`; empty before the first step.
    memory : Tensor (n_state,)
        All state in one tensor, so that one copy saves or restores it.
    """

    def __init__(
        self, rule: Rule, hyper: Hyper | None = None, rate_scale: Tensor | None = None
    ) -> None:
        self.rule = rule
        self.hyper = rule.defaults if hyper is None else hyper
        self.rate_scale = rate_scale
        self.steps_taken = 0
        self.state: dict[str, Tensor] = {}
        self.memory = torch.empty(0, dtype=torch.float64)
        self._slots: dict[str, Tensor] = {}
        self._own_gradient: Tensor | None = None

    def prepare(self, theta: Tensor) -> None:
        """Allocate zero state for parameters shaped like ``theta``, once.

        Raises
        ------
        ValueError
            If the state is for parameters of another shape.
        """
        if self._slots:
            if self._slots["work"].shape != theta.shape:
                raise ValueError(
                    f"optimizer state is for shape {tuple(self._slots['work'].shape)}, "
                    f"parameters have {tuple(theta.shape)}"
                )
            return
        count, names = theta.numel(), self.rule.state
        self.memory = theta.new_zeros(len(names) * count + len(self.rule.scalars))
        for i, name in enumerate(names):
            self.state[name] = self.memory[i * count : (i + 1) * count].view(theta.shape)
        for i, name in enumerate(self.rule.scalars):
            self.state[name] = self.memory[len(names) * count + i]
        self._slots = {**self.state, "work": torch.empty_like(theta)}
        if self.rate_scale is not None:
            self._slots["scale"] = self.rate_scale.to(theta)
        self._own_gradient = torch.empty_like(theta)

    def step(
        self, theta: Tensor, grad: Tensor, loss: float | None = None, hyper: Hyper | None = None
    ) -> None:
        """Change ``theta`` in place by one step.

        Parameters
        ----------
        theta, grad : Tensor, same shape and dtype
            ``grad`` is left as it is.
        loss : float, optional
            The loss at theta before the step; rules such as Eve need it.
        hyper : Hyper, optional
            Settings for this step only, as a schedule has them.
        """
        self.prepare(theta)
        hyper = self.hyper if hyper is None else hyper
        if hyper.weight_decay and not hyper.decoupled and self._own_gradient is not None:
            grad = self._own_gradient.copy_(grad)  # L2 is added to it
        if "loss" in self.state:
            if loss is None:
                raise ValueError(f"{self.rule.title} needs the loss at every step")
            self.state["loss"].fill_(loss)
        self.steps_taken += 1
        for function in self.rule.steps:
            function(theta, grad, self._slots, hyper, self.steps_taken)

    def set_rate_scale(self, scale: Tensor | None) -> None:
        """Multiply the learning rate of each element by ``scale`` from the next step on."""
        self.rate_scale = scale
        if self._slots:
            self._slots.pop("scale", None)
            if scale is not None:
                self._slots["scale"] = scale.to(self._slots["work"])

    def take_back(self, before: Tensor) -> None:
        """Undo the last step's change of state, given a copy of :attr:`memory` from before it."""
        self.memory.copy_(before)
        self.steps_taken -= 1

    def hold(self, locked: Tensor, before: Tensor) -> None:
        """Give locked elements the state that they had.

        Parameters
        ----------
        locked : Tensor (n,) bool
        before : Tensor (n_state,)
            A copy of :attr:`memory` from before the step.
        """
        count = locked.numel() * len(self.rule.state)
        rows = self.memory[:count].view(-1, locked.numel())
        torch.where(locked.view(-1), before[:count].view(rows.shape), rows, out=rows)

    def state_dict(self) -> dict[str, Any]:
        """Return name, settings, step count and copies of the state tensors."""
        return {
            "name": self.rule.name,
            "hyper": dataclasses.asdict(self.hyper),
            "steps_taken": self.steps_taken,
            "state": {name: tensor.clone() for name, tensor in self.state.items()},
        }

    def load(self, saved: Mapping[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave, bit for bit.

        Raises
        ------
        ValueError
            If it was saved by another rule.
        """
        if saved["name"] != self.rule.name:
            raise ValueError(f"state of {saved['name']!r} does not fit {self.rule.name!r}")
        self.hyper = Hyper(**saved["hyper"])
        self.steps_taken = int(saved["steps_taken"])
        self.state, self._slots = {}, {}
        tensors: Mapping[str, Tensor] = saved["state"]
        shaped = [tensors[name] for name in self.rule.state if name in tensors]
        if shaped:
            self.prepare(shaped[0])
            for name, tensor in self.state.items():
                tensor.copy_(tensors[name])

    def clone(self) -> Optimizer:
        """Return an independent optimizer in the same state, for a branch of the run."""
        other = Optimizer(self.rule, self.hyper, self.rate_scale)
        other.load(self.state_dict())
        return other


def make_optimizer(name: str, **hyper: Any) -> Optimizer:
    """Return an optimizer by its name in OPTIMIZERS, with the rule's defaults but for ``hyper``.

    Raises
    ------
    ValueError
        For an unknown name.
    UserError
        For a setting out of its range.
    """
    rule = OPTIMIZERS.get(name)
    if rule is None:
        raise ValueError(f"no optimizer {name!r}; there are {', '.join(OPTIMIZERS)}")
    return Optimizer(rule, dataclasses.replace(rule.defaults, **hyper))
