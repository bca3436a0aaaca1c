"""A run as a program in plain PyTorch: the chapters of a script or of a notebook.

Owns what stands in them and in which order. The loss comes from `formula.script`, the optimizer
from `learn.optimizer_script`, sheets of epochs from `learn.epoch_script`. Writes no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gradsheet import __version__
from gradsheet.app.engine import Calculation
from gradsheet.app.export.script_facts import Leg, RunFacts
from gradsheet.app.headless.solving import store
from gradsheet.app.lab.schedule_choice import TITLES
from gradsheet.app.uncomputed import Uncomputed
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.script import (
    HEADER,
    WINDOWS,
    LossCode,
    loss_code,
    parameter_texts,
)
from gradsheet.formula.script_cells import Place
from gradsheet.formula.syntax import Range, Ref, region_of
from gradsheet.formula.values import Kind
from gradsheet.learn.epoch_script import TOTAL, EpochCode, epoch_code
from gradsheet.learn.epoch_step import epoch_step_of
from gradsheet.learn.epochs import EpochTrainer
from gradsheet.learn.hyper import Hyper
from gradsheet.learn.optimizer_script import (
    Trained,
    is_in_torch,
    schedule_lines,
    settings_lines,
    torch_optimizer,
    written_out,
)
from gradsheet.learn.optimizers import OPTIMIZERS
from gradsheet.learn.problem import Problem
from gradsheet.sheet.roles import Role
from gradsheet.sheet.workbook import Workbook

_MOVED = ("lr", "momentum", "beta1")
"""The settings that a schedule moves."""
_GOALS = {"minimise": "loss", "maximise": "(-loss)"}


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of a program: what it is about (Markdown), and its code."""

    title: str
    text: str
    code: str


def chapters(facts: RunFacts) -> tuple[Chapter, ...]:
    """Write a run down; takes a second, so call it off the GUI's thread.

    Raises
    ------
    UserError
        If a formula on the way cannot be written as plain PyTorch.
    """
    return _of_epochs(facts) if facts.sheet is not None else _of_optimizer(facts)


def opening_words(facts: RunFacts) -> str:
    """Return what the program is, in a few lines."""
    lines = [f"{facts.title}: a run of gradsheet as plain PyTorch."]
    if facts.summary:
        lines += ["", facts.summary]
    what = "epochs" if facts.sheet is not None else "steps"
    lines += ["", f"It needs torch and nothing else, and makes the same {facts.steps:,} {what}"]
    lines[-1] += " from the same start."
    if facts.seed is not None and facts.sheet is None:
        lines.append(f"The start was drawn at random with seed {facts.seed}.")
    if facts.loss is not None:
        lines.append(f"gradsheet {__version__} shows {facts.loss_name} {facts.loss:.15g} there.")
    return "\n".join(lines)


def script_text(facts: RunFacts) -> str:
    """Return a whole script."""
    words = opening_words(facts).replace("\\", "/").replace('"""', "'''")
    parts = [f'"""{words}\n"""\n']
    for chapter in chapters(facts):
        line = f"# --- {chapter.title} "
        plain = "\n".join(f"# {text}".rstrip() for text in _wrapped(chapter.text))
        parts.append(f"{line}{'-' * max(3, 96 - len(line))}\n{plain}\n\n{chapter.code.strip()}\n")
    return "\n\n".join(parts).replace("\n\n\n\n", "\n\n\n")


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text.replace("`", ""), 96)


# ------------------------------------------------------------------ names


def _labels(workbook: Workbook) -> tuple[dict[Place, str], list[Place]]:
    """Return what people call ranges, and the ranges of data."""
    known: dict[Place, str] = {}
    wholes: list[Place] = []
    for name in workbook.names:
        if isinstance(name.expr, (Ref, Range)) and not name.hidden:
            node = name.expr
            named = node.first.sheet if isinstance(node, Range) else node.sheet
            home = workbook.sheet_id(named) if named is not None else name.sheet
            region = region_of(node, Cell(0, 0))
            if home is not None and region is not None:
                known.setdefault((home, region), name.name)
    for sheet in workbook.sheets:
        for role in sheet.roles:
            if role.label:
                known[sheet.id, role.region] = role.label
            if role.role is Role.DATA:
                wholes.append((sheet.id, role.region))
    return known, wholes


# ------------------------------------------------------------------ runs of an optimizer


def _of_optimizer(facts: RunFacts) -> tuple[Chapter, ...]:
    legs = facts.legs()
    book = facts.workbook.snapshot()
    if legs[0].theta is not None:
        from gradsheet.app.saving.origin import put_parameters

        put_parameters(book, facts.problem, legs[0].theta)
    objective = Calculation(book, Uncomputed(book, facts.held)).objective(facts.problem)
    known, wholes = _labels(book)
    code = loss_code(objective, known, wholes)
    theta = objective.theta0 if legs[0].theta is None else legs[0].theta
    found = [Chapter("Numbers", "A spreadsheet computes with 64 bits, and so does this.", HEADER)]
    if code.constants:
        text = "What the model learns from, as the sheet holds it."
        found.append(Chapter("Data", text, "\n".join(code.constants)))
    found.append(_parameters_chapter(code, facts.problem, parameter_texts(code, theta)))
    found.append(_model_chapter(facts, code))
    schedule = _schedule_chapter(facts)
    found += [*schedule, *_training_chapters(facts, code, legs, bool(schedule))]
    end = f'print(f"{_braced(facts.loss_name)} after {facts.steps} steps: {{losses[-1]:.12g}}")'
    found.append(Chapter("Result", "The loss where the run ends.",
                         f"losses.append(model().item())\n{end}"))  # fmt: skip
    return tuple(found)


def _braced(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'").replace("{", "(").replace("}", ")")


def _parameters_chapter(code: LossCode, problem: Problem, texts: Sequence[str]) -> Chapter:
    lines = []
    for (name, _, spoken), parameter, text in zip(
        code.parameters, problem.parameters, texts, strict=True
    ):
        remark = "; locked, it does not move" if _is_locked(parameter) else ""
        lines += [f"# {spoken}{remark}", f"{name} = {text}.requires_grad_()"]
    words = "What is learned, as it was before the first step."
    return Chapter("Parameters", words, "\n".join(lines))


def _is_locked(parameter: object) -> bool:
    return bool(getattr(parameter, "locked", False)) or getattr(parameter, "rate_scale", 1.0) == 0


def _model_chapter(facts: RunFacts, code: LossCode) -> Chapter:
    lines = [*WINDOWS.split("\n"), "", ""] if code.needs_windows else []
    lines += ["def model():", f'    """Return the {_braced(facts.loss_name)}."""']
    lines += [f"    {line}" for line in code.body]
    lines.append(f"    return {code.result}")
    text = "The formulas that lead from the parameters to the loss, a range of the sheet a line."
    return Chapter("Model", text, "\n".join(lines))


def _schedule_chapter(facts: RunFacts) -> list[Chapter]:
    chosen = facts.schedule
    if chosen is None or chosen.name == "constant":
        return []
    lines = schedule_lines(chosen.name, chosen.total, chosen.cycle_len, chosen.cycle_mult,
                           facts.momentum or 0.95)  # fmt: skip
    words = f"The rate follows a schedule: {TITLES[chosen.name].lower()}."
    return [Chapter("Schedule", words, "\n".join(lines))]


def _trained(code: LossCode, leg: Leg) -> list[Trained]:
    assert leg.problem is not None
    return [Trained(name, region.size, parameter.rate_scale, _is_locked(parameter))
            for (name, region, _), parameter in zip(code.parameters, leg.problem.parameters,
                                                    strict=True)]  # fmt: skip


def _training_chapters(
    facts: RunFacts, code: LossCode, legs: Sequence[Leg], scheduled: bool
) -> list[Chapter]:
    """The optimizer and the loop, once for each part of the run."""
    found: list[Chapter] = []
    moves_momentum = facts.schedule is not None and facts.schedule.name == "one-cycle"
    for at, leg in enumerate(legs):
        name, hyper = leg.optimizer["name"], leg.rates[0][1]
        follows = at + 1 < len(legs) and legs[at + 1].is_continued
        by_torch = (
            not leg.is_continued and not follows and len(leg.rates) == 1
            and not (scheduled and moves_momentum) and is_in_torch(name, hyper)
        )  # fmt: skip
        lines = ["losses = []"] if at == 0 else []
        if at and leg.theta is not None:
            lines.append("with torch.no_grad():  # the cells were edited here")
            texts = parameter_texts(code, leg.theta)
            lines += [f"    {p[0]}.copy_({text})"
                      for p, text in zip(code.parameters, texts, strict=True)]  # fmt: skip
        trained = _trained(code, leg)
        if by_torch:
            lines += _torch_loop(facts, leg, trained, hyper, scheduled)
        else:
            before = legs[at - 1] if at and leg.is_continued else None
            lines += _own_loop(facts, leg, trained, scheduled, before)
        where = "" if len(legs) == 1 else f" from step {leg.begin:,} to {leg.end:,}"
        text = f"{OPTIMIZERS[name].title}{where}: forward, gradient, update"
        times = f"{leg.end - leg.begin:,} times"
        found.append(Chapter(f"Training{where}", f"{text}, {times}.", "\n".join(lines)))
    return found


def _loss_text(facts: RunFacts) -> str:
    if facts.problem.goal == "value":
        return f"((loss - {facts.problem.target!r}) ** 2)"
    return _GOALS[facts.problem.goal]


def _torch_loop(
    facts: RunFacts, leg: Leg, trained: Sequence[Trained], hyper: Hyper, scheduled: bool
) -> list[str]:
    lines = torch_optimizer(leg.optimizer["name"], hyper, trained)
    if scheduled:
        at = f"step + {leg.begin}" if leg.begin else "step"
        lines += ["schedule = torch.optim.lr_scheduler.LambdaLR(",
                  f"    optimizer, lambda step: factor({at})[0]", ")"]  # fmt: skip
    lines += [
        f"for step in range({leg.begin}, {leg.end}):",
        "    loss = model()",
        "    losses.append(loss.item())",
        "    optimizer.zero_grad()",
        f"    {_loss_text(facts)}.backward()",
        "    optimizer.step()",
    ]
    return lines + (["    schedule.step()"] if scheduled else [])


def _own_loop(
    facts: RunFacts, leg: Leg, trained: Sequence[Trained], scheduled: bool, before: Leg | None
) -> list[str]:
    """The loop with the optimizer written out, which can be changed in its middle."""
    name, hyper = leg.optimizer["name"], leg.rates[0][1]
    begin, taken = leg.begin, int(leg.optimizer["steps_taken"])
    if before is not None:
        lines = _based(settings_lines(name, hyper, before.rates[-1][1]), scheduled, is_new=False)
        if before.problem != leg.problem:
            free = [p for p in trained if not p.locked]
            lines += [f"parameters = [{', '.join(p.name for p in free)}]",
                      f"scales = [{', '.join(repr(p.scale) for p in free)}]"]  # fmt: skip
    else:
        state = leg.optimizer["state"] if leg.is_continued else None
        lines = _based(written_out(name, trained, state, hyper), scheduled, is_new=True)
        lines += ["", ""]
    lines.append(f"for step in range({begin}, {leg.end}):")
    known = hyper
    for step, changed in leg.rates[1:]:
        lines.append(f"    if step == {step}:  # changed by hand")
        changes = _based(settings_lines(name, changed, known), scheduled, is_new=False)
        lines += [f"        {line}" for line in changes] or ["        pass"]
        known = changed
    if scheduled:
        uses = OPTIMIZERS[name].uses
        lines += ["    by_rate, by_momentum = factor(step)", "    lr = base_lr * by_rate"]
        lines += [f"    {field} = min(base_{field} * by_momentum, 0.9999)"
                  for field in _MOVED[1:] if field in uses]  # fmt: skip
    shift = taken - begin + 1
    number = "step" if not shift else f"step {'+' if shift > 0 else '-'} {abs(shift)}"
    return [
        *lines,
        "    loss = model()",
        "    losses.append(loss.item())",
        "    for p in parameters:",
        "        p.grad = None",
        f"    {_loss_text(facts)}.backward()",
        "    with torch.no_grad():",
        f"        update({number}, loss.item())",
    ]


def _based(lines: Sequence[str], scheduled: bool, *, is_new: bool) -> list[str]:
    """Let what a schedule moves have its basis under a name of its own."""
    if not scheduled:
        return list(lines)
    found = []
    for line in lines:
        field = line.partition(" = ")[0]
        found.append(f"base_{line}" if field in _MOVED else line)
        if field in _MOVED and is_new:
            found.append(f"{field} = base_{field}")
    return found


# ------------------------------------------------------------------ sheets of epochs


def _of_epochs(facts: RunFacts) -> tuple[Chapter, ...]:
    assert facts.sheet is not None
    book = facts.workbook.snapshot()
    calculation = Calculation(book, Uncomputed(book, facts.held))
    store(book, calculation.everything(), calculation.program())
    epoch = epoch_step_of(book, facts.sheet)
    assert epoch is not None
    trainer = EpochTrainer(book, epoch)
    legs = facts.legs()
    code = epoch_code(book, epoch, {}, _remarks(book, facts.sheet))
    found = [
        Chapter("Numbers", "A spreadsheet computes with 64 bits, and so does this.",
                f"{HEADER}\n\n{TOTAL}"),
        Chapter("Columns", "The columns of the sheet: `C[5]` is its cell C5.",
                "\n".join(code.setup)),
        Chapter("One pass", "What the formulas of the rows compute, in the order in which they "
                "depend on one another: the optimizer itself.", _pass_text(code)),
    ]  # fmt: skip
    schedule = _schedule_chapter(facts)
    found += schedule
    bases: list[str] = []
    if schedule:
        for name, text, cell in (("base", code.rate, epoch.rate),
                                 ("base_momentum", code.momentum, epoch.momentum)):  # fmt: skip
            if text and cell is not None:
                bases.append(f"{name} = {facts.base.get(cell, trainer.number(cell))!r}")
    loop = [*bases, *_epoch_loop(code, legs, trainer, bool(schedule))]
    found.append(Chapter("Epochs", "An epoch carries what the last row produced up to the first, "
                         "and computes the rows anew.", "\n".join(loop)))  # fmt: skip
    end = f'print(f"{_braced(facts.loss_name)} after {facts.steps} epochs: {{losses[-1]:.12g}}")'
    found.append(Chapter("Result", "The error of the last epoch.", end))
    return tuple(found)


def _pass_text(code: EpochCode) -> str:
    return "\n".join(["def recalculate():", '    """Compute every cell that an epoch changes."""',
                      *(f"    {line}" for line in code.body)])  # fmt: skip


def _epoch_loop(
    code: EpochCode, legs: Sequence[Leg], trainer: EpochTrainer, scheduled: bool
) -> list[str]:
    lines = ["recalculate()", f"losses = [{code.loss}.item()]"]
    first, last = legs[0].begin, legs[-1].end
    lines.append(f"for epoch in range({first + 1}, {last + 1}):")
    for leg in legs[1:]:
        cells = trainer.cells_kept()
        lines += [f"    if epoch == {leg.begin + 1}:  # the sheet was edited here"]
        numbers = leg.theta.tolist() if leg.theta is not None else []
        for cell, number in zip(cells, numbers, strict=bool(numbers)):
            name = "".join(c for c in str(cell) if c.isalpha())
            lines.append(f"        {name}[{cell.row + 1}] = {number!r}")
        lines += ["        recalculate()", f"        losses[-1] = {code.loss}.item()"]
    carried = ", ".join(f"{cell}.item()" for cell in code.sources)
    lines += [f"    carried = [{carried}]", f"    {', '.join(code.targets)} = carried"]
    if len(code.targets) == 1:
        lines[-1] = f"    {code.targets[0]} = carried[0]"
    if scheduled:
        lines.append("    by_rate, by_momentum = factor(epoch)")
        lines += [f"    {code.rate} = base * by_rate"] if code.rate else []
        lines += [f"    {code.momentum} = base_momentum * by_momentum"] if code.momentum else []
    return [*lines, "    recalculate()", f"    losses.append({code.loss}.item())"]


def _remarks(book: Workbook, sheet: int) -> dict[Cell, str]:
    """Return the titles in row 3 and the names of single cells."""
    found: dict[Cell, str] = {}
    cells = book.sheet(sheet).cells
    used = cells.used()
    if used.bottom > 3:
        row = Region(2, 0, 3, used.right)
        values, kinds = cells.read(row)
        for col in range(used.right):
            if kinds[0, col] == Kind.TEXT:
                found[Cell(2, col)] = " ".join(book.strings.text(int(values[0, col])).split())
    for name in book.names:
        expr = name.expr
        if name.sheet == sheet and isinstance(expr, Ref):
            cell = region_of(expr, Cell(0, 0))
            if cell is not None:
                found.setdefault(cell.first, name.name)
    return found


