"""On which device a model learns, chosen by rule and said in words.

Owns the rule. Must not know models.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gradsheet.formula.values import UserError

WORTH_A_GPU = 1_000_000
"""Ratings below which the CPU wins: a GPU's kernels start slower than the CPU finishes."""


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """A device and why.

    Attributes
    ----------
    device : torch.device
    reason : str
        For the status line.
    """

    device: torch.device
    reason: str


def available_devices() -> tuple[str, ...]:
    """Return the devices of this machine that torch can use, the CPU last."""
    found = []
    if torch.cuda.is_available():
        found.append("cuda")
    if hasattr(torch, "xpu") and torch.xpu.is_available():
        found.append("xpu")
    if torch.backends.mps.is_available():
        found.append("mps")
    return (*found, "cpu")


def choose_device(wanted: str = "auto", n_ratings: int = 0) -> DeviceChoice:
    """Choose where to learn.

    Parameters
    ----------
    wanted : str
        "auto", or what torch.device takes: "cpu", "cuda", "cuda:1", "mps", "xpu".
    n_ratings : int
        Size of the training set; "auto" takes a GPU from WORTH_A_GPU ratings on.

    Raises
    ------
    UserError
        If the device is not there.
    """
    found = available_devices()
    if wanted != "auto":
        kind = wanted.partition(":")[0]
        if kind not in found:
            raise UserError(
                f"This machine has no device {wanted!r} that torch can use.",
                f"Choose auto or one of: {', '.join(found)}.",
            )
        return DeviceChoice(torch.device(wanted), "chosen by hand")
    if found[0] == "cpu":
        return DeviceChoice(torch.device("cpu"), "no GPU that torch can use")
    if n_ratings < WORTH_A_GPU:
        return DeviceChoice(
            torch.device("cpu"), f"fewer than {WORTH_A_GPU:,} ratings: the CPU is faster"
        )
    return DeviceChoice(torch.device(found[0]), f"{n_ratings:,} ratings are worth a GPU")
