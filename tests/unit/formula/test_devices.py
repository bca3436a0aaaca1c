"""The rule of devices, and generated code on another device than the CPU."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from sheets import calculate

from gradsheet.formula import devices
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.objective import Objective
from gradsheet.formula.specialise import Machine

GPU = torch.device("cuda")
META = torch.device("meta")
"""Has shapes but no numbers; most operations refuse to mix it with the CPU."""
OTHER = torch.device("cpu:0")
"""Not equal to the CPU, and yet on every machine: what is moved there runs here."""

SHEETS: tuple[tuple[str, ...], ...] = (
    ("=SIN(A1)*$B$1+$C$2", "=SQRT(SUMXMY2(E1:G9,A1:C9)/3)"),
    ("=IF(A1>0.7,A1*2,A1^2)", "=SUMSQ(E1:G9)"),
    ('=IF(A12="",0,MMULT($A1:$C1,A$1:A$3))+A$1+$B1',
     "=SQRT(SUMXMY2(A12:C20,E1:G9)/COUNT(A12:C20))"),
    ("=TANH(A1)/(1+B$2^2)", "=SUM(E1:G9)^2+SUMPRODUCT(E1:G9,A1:C9)"),
    ("=MAX(A1,0.31)+MIN(A$2,A1)", "=SUMSQ(E1:G9)/9"),
    ("=INDEX($A1:$C1,2)*A1", "=AVERAGE(E1:G9)^2"),
    ("=LN(1+A1^2)-EXP(-A1)", "=SUMSQ(E1:G9)-MAX(E1:G9)"),
    ("=SUMPRODUCT($A1:$C1,$A$1:$C$1)/2", "=SQRT(SUMSQ(E1:G9))"),
)  # fmt: skip


def objective(formula: str, loss: str) -> Objective:
    cells: dict[str, object] = {"E1:G9": formula, "J1": loss}
    for row in range(9):
        for col, name in enumerate("ABC"):
            cells[f"{name}{row + 1}"] = 0.4 + 0.1 * ((row * 3 + col * 5) % 11)
            if (row + col) % 4:
                cells[f"{name}{row + 12}"] = 1.0 + row - col
    program = calculate(cells).program  # type: ignore[arg-type]
    return program.objective((0, Cell.parse("J1")), [(0, Region.parse("A1:C9"))])


def machine_of(found: Objective) -> Machine:
    machine = found._variants[0]._machine
    assert machine is not None, found._variants[0].without_rule
    return machine


def scope_of(machine: Machine) -> dict[str, Any]:
    names: dict[str, Any] = machine._both.__globals__  # type: ignore[attr-defined]
    return {name: value for name, value in names.items() if not name.startswith("__")}


@pytest.mark.parametrize(("formula", "loss"), SHEETS)
def test_no_operation_of_generated_code_mixes_devices(formula: str, loss: str) -> None:
    machine = machine_of(objective(formula, loss))
    source, scope = devices.moved(machine.source, scope_of(machine), META)
    # A meta tensor has no numbers, so that reading one gives any number.
    source = re.sub(r"(\w+)\.tolist\(\)", r"[1.5] * \1.numel()", source)
    source = source.replace(".item()", ".numel()").replace("        return None", "        pass")
    exec(source, scope)
    _, gradient = scope["both"](torch.zeros(27, dtype=torch.float64))
    assert gradient.device == META


def test_large_operations_run_on_the_accelerator_and_give_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    formula, loss = SHEETS[2]
    here = objective(formula, loss)
    monkeypatch.setattr(devices, "accelerator", lambda: OTHER)
    monkeypatch.setattr(devices, "WORTH_A_GPU", 1)
    there = objective(formula, loss)
    assert machine_of(there).device == OTHER
    assert "device=device" in there.code or "dtype=" not in there.code
    for shift in (0.0, 0.3):
        ours = there.loss_and_gradient(there.theta0 + shift)
        expected = here.loss_and_gradient(here.theta0 + shift)
        assert torch.equal(ours[0], expected[0])
        assert torch.equal(ours[1], expected[1])


def test_moved_memory_is_shared_as_before_and_not_with_the_original() -> None:
    memory = torch.arange(6.0, dtype=torch.float64)
    _, scope = devices.moved("", {"b1": memory, "b1v0": memory.view(2, 3)[:, 1:], "n": 3}, OTHER)
    scope["b1"].mul_(2.0)
    assert scope["b1v0"].tolist() == [[2.0, 4.0], [8.0, 10.0]]
    assert memory.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert scope["n"] == 3


def test_small_sheets_stay_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "accelerator", lambda: GPU)
    assert devices.device_for([225] * 8, "") == devices.CPU
    assert devices.device_for([], "") == devices.CPU


def test_large_sheets_go_to_the_accelerator_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes = [250_000] * 8 + [1] * 4
    monkeypatch.setattr(devices, "accelerator", lambda: GPU)
    assert devices.device_for(sizes, "torch.mul(b1, k0, out=b2)") == GPU
    monkeypatch.setattr(devices, "accelerator", lambda: None)
    assert devices.device_for(sizes, "torch.mul(b1, k0, out=b2)") == devices.CPU


def test_scattered_sums_stay_where_a_run_can_be_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "accelerator", lambda: GPU)
    assert devices.device_for([250_000], "d1flat.index_add_(0, k1, d2)") == devices.CPU


def test_apples_gpu_is_never_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.xpu, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.accelerator() is None


def test_an_objective_says_where_it_runs() -> None:
    assert objective(*SHEETS[0]).device == "cpu"
