"""Pictures of the sheet and of plots, animations of a run, and the headless export."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication, QImage, QImageReader
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from gradsheet.__main__ import main
from gradsheet.app.document import Document
from gradsheet.app.settings import Settings
from gradsheet.formula.address import Region
from gradsheet.formula.values import UserError
from gradsheet.qt.dialogs.export_picture import PictureChoice
from gradsheet.qt.export.animation import animation_of, make_gif
from gradsheet.qt.export.pictures import painted, pixels_of, write_picture
from gradsheet.qt.export.sheet_picture import SheetPicture, used_region
from gradsheet.qt.export.svg_plain import with_plain_strokes
from gradsheet.qt.main_window import MainWindow
from gradsheet.qt.theme import DARK, LIGHT, apply_theme, current_theme
from gradsheet.tasks import Task

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def document() -> Iterator[Document]:
    made = Document()
    made.finish()
    yield made
    made.close()


@pytest.fixture
def window(qtbot: QtBot, qapp: QGuiApplication) -> Iterator[MainWindow]:
    apply_theme(qapp, LIGHT)
    made = MainWindow(Document(), Settings())
    made.resize(1366, 768)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: not made.document.is_busy, timeout=60_000)
    yield made
    made.close()


def run_steps(window: MainWindow, qtbot: QtBot, steps: int) -> None:
    window.document.step_run(steps)
    qtbot.waitUntil(lambda: window.document.run.step == steps, timeout=60_000)


def said(window: MainWindow) -> str:
    return " ".join(message.text for message in window.document.log.messages())


def picture(document: Document, region: Region | None = None) -> SheetPicture:
    sheet = document.workbook.sheets[0]
    return SheetPicture(sheet, document.workbook.strings, region or used_region(sheet), LIGHT)


def test_a_sheet_is_written_as_vectors_with_its_numbers_as_text(
    document: Document, tmp_path: Path, qapp: object
) -> None:
    path = tmp_path / "sheet.svg"
    made = picture(document)
    write_picture(path, made.size, made.paint, title="dotprod")
    root = ElementTree.parse(path).getroot()
    texts = ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]
    assert {"Braveheart", "user 14", "movieId"} <= set(texts)
    assert not list(root.iter(f"{SVG}image"))
    # "Shawshank" is drawn in narrow letters, which Qt's SVG would forget.
    assert re.search(r'matrix\(0\.\d+,0,0,1,[^>]*>\s*<text[^>]*>Shawshank', path.read_text())
    families = set(re.findall(r'font-family="([^"]*)"', path.read_text()))
    assert all(family.endswith(", sans-serif") for family in families)


def test_a_stroke_of_one_width_is_written_in_the_coordinates_of_the_page() -> None:
    group = '<g stroke="#000" transform="matrix(2,0,0,-10,5,100)"\n>\n{}\n</g>'
    line = '<path {}fill-rule="evenodd" d="M0,1 L3,4.5"/>'
    cosmetic = group.format(line.format('vector-effect="non-scaling-stroke" '))
    plain = with_plain_strokes(cosmetic)
    assert 'd="M5,90 L11,55"' in plain
    assert "transform" not in plain
    assert "non-scaling" not in plain
    other = group.format(line.format(""))
    assert with_plain_strokes(other) == other


def test_a_png_at_2x_has_twice_the_pixels(
    document: Document, tmp_path: Path, qapp: object
) -> None:
    made = picture(document, Region.parse("H1:L6"))
    for scale in (1, 2):
        path = tmp_path / f"{scale}.png"
        write_picture(path, made.size, made.paint, scale=scale)
        assert QImage(str(path)).size() == made.size * scale


def test_a_picture_of_a_range_shows_that_range(document: Document, qapp: object) -> None:
    """The blank middle of an empty range is the sheet's ground; data carries its tint."""
    empty, data = picture(document, Region.parse("A50:C60")), picture(
        document, Region.parse("H2:J4")
    )  # fmt: skip
    shown = [pixels_of(painted(p.size, p.paint)) for p in (empty, data)]
    ground = [int(LIGHT.sheet[i : i + 2], 16) for i in (1, 3, 5)]
    assert (shown[0][-15, -15] == ground).all()
    assert (shown[1][-15, -55] != ground).any()


def test_a_sheet_too_large_for_a_picture_says_so(document: Document, qapp: object) -> None:
    with pytest.raises(UserError, match="px"):
        picture(document, Region(0, 0, 5000, 10))


def test_a_plot_is_written_as_vectors_and_on_a_light_ground(
    window: MainWindow, qtbot: QtBot, qapp: QGuiApplication, tmp_path: Path
) -> None:
    window.choose_theme("dark")
    window.loss_plot.make_plot()
    run_steps(window, qtbot, 12)
    qtbot.waitUntil(lambda: "Loss" in window.pictures.plots(), timeout=10_000)
    vectors, light, dark = (tmp_path / name for name in ("a.svg", "light.png", "dark.png"))
    window.pictures.save(PictureChoice("Loss", True, 1), vectors)
    window.pictures.save(PictureChoice("Loss", True, 2), light)
    window.pictures.save(PictureChoice("Loss", False, 1), dark)
    qtbot.waitUntil(lambda: "Exported dark.png" in said(window), timeout=60_000)
    root = ElementTree.parse(vectors).getroot()
    assert not list(root.iter(f"{SVG}image"))
    assert list(root.iter(f"{SVG}path")) or list(root.iter(f"{SVG}polyline"))
    bright, dim = (pixels_of(QImage(str(path))).mean() for path in (light, dark))
    assert bright > 200
    assert dim < 80
    assert current_theme() == DARK
    assert QImage(str(light)).size() == QImage(str(dark)).size() * 2
    panel = window.docks["loss"].widget()
    qtbot.waitUntil(panel.updatesEnabled, timeout=10_000)  # in the look of all else again
    assert pixels_of(panel.grab().toImage()).mean() < 80
    window.choose_theme("light")


def test_the_sheet_and_the_open_plots_can_be_chosen(
    window: MainWindow, qtbot: QtBot
) -> None:
    assert window.pictures.subjects() == ["The sheet"]
    window.grid.select(Region.parse("H2:V16"))
    window.loss_plot.make_plot()
    run_steps(window, qtbot, 3)
    qtbot.waitUntil(lambda: "Loss" in window.pictures.plots(), timeout=10_000)
    assert window.pictures.subjects()[:3] == ["The sheet", "The selected cells", "Loss"]
    window.pictures.ask("Loss")
    assert window.pictures.dialog is not None
    assert window.pictures.dialog.choice() == PictureChoice("Loss", True, 1)
    window.pictures.dialog.reject()


def test_every_plot_of_a_panel_is_light_though_the_screen_is_dark(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    window.choose_theme("dark")
    window.document.open_lesson("adam")
    qtbot.waitUntil(lambda: not window.document.is_busy, timeout=60_000)
    run_steps(window, qtbot, 3)
    for name, title in (("trajectory", "Path"), ("schedule", "Schedule")):
        window.lab.show(name)
        qtbot.waitUntil(lambda title=title: title in window.pictures.plots(), timeout=60_000)
        path = tmp_path / f"{title}.png"
        window.pictures.save(PictureChoice(title, True, 1), path)
        qtbot.waitUntil(path.exists, timeout=60_000)
        pixels = pixels_of(QImage(str(path)))
        assert np.median(pixels) > 150, title
        assert (pixels < 60).all(2).mean() < 0.05, title
    window.choose_theme("light")


def test_the_sheet_is_written_while_the_window_goes_on(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "sheet.png"
    window.pictures.save(PictureChoice("The sheet", True, 2), path)
    assert "Exported sheet.png" not in said(window)  # it is told once the clock has come round
    qtbot.waitUntil(lambda: "Exported sheet.png" in said(window), timeout=60_000)
    assert QImage(str(path)).width() > 2000


def test_a_folder_that_is_not_there_is_told(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "missing" / "sheet.png"
    window.pictures.save(PictureChoice("The sheet", True, 1), path)
    qtbot.waitUntil(lambda: "sheet.png could not be written" in said(window), timeout=60_000)


def test_copy_puts_the_picture_on_the_clipboard(window: MainWindow, qtbot: QtBot) -> None:
    window.grid.select(Region.parse("H2:K4"))
    window.pictures.copy(PictureChoice("The selected cells", True, 2))
    qtbot.waitUntil(lambda: "is on the clipboard" in said(window), timeout=60_000)
    assert QGuiApplication.clipboard().image().width() > 2 * 4 * 50


def gif_of(document: Document, path: Path, **changes: object) -> Task[object, int]:
    sheet = document.workbook.sheets[0]
    made = animation_of(document, sheet.id, Region.parse("G18:L24"), LIGHT, **changes)
    return Task("drawing", lambda control: make_gif(made, path, control))


def test_an_animation_shows_the_steps_of_the_run(
    document: Document, tmp_path: Path, qapp: object
) -> None:
    document.step_run(9)
    document.finish()
    path = tmp_path / "run.gif"
    before = document.workbook.sheets[0].cells.read(Region.parse("H19:V23"))[0]
    task = gif_of(document, path).start()
    task.join()
    assert task.result() == 10
    reader = QImageReader(str(path))
    assert reader.imageCount() == 10
    shown = [pixels_of(reader.read()) for _ in range(10)]
    assert all((a != b).any() for a, b in itertools.pairwise(shown))
    after = document.workbook.sheets[0].cells.read(Region.parse("H19:V23"))[0]
    assert np.array_equal(before, after)
    assert [p.name for p in tmp_path.iterdir()] == ["run.gif"]


def test_an_animation_that_is_cancelled_leaves_no_file(
    document: Document, tmp_path: Path, qapp: object
) -> None:
    document.step_run(30)
    document.finish()
    task = gif_of(document, tmp_path / "run.gif")
    task.cancel()
    task.start()
    task.join()
    assert task.is_cancelled
    assert not list(tmp_path.iterdir())


def test_a_long_run_gets_fewer_frames_rather_than_a_large_file(
    document: Document, tmp_path: Path, qapp: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gradsheet.qt.export import animation

    monkeypatch.setattr(animation, "MOST_BYTES", 40_000)
    document.step_run(80)
    document.finish()
    path = tmp_path / "run.gif"
    task = gif_of(document, path).start()
    task.join()
    assert 2 <= task.result() < 60
    assert path.stat().st_size < 60_000


def test_without_a_run_there_is_no_animation(document: Document, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no recorded run"):
        gif_of(document, tmp_path / "run.gif")


def test_the_window_draws_an_animation_and_says_so(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    run_steps(window, qtbot, 6)
    window.grid.select(Region.parse("H19:K23"))
    path = tmp_path / "run.gif"
    window.pictures.animate(PictureChoice("The loss", True, 1), path)
    qtbot.waitUntil(lambda: not window.pictures.is_drawing, timeout=60_000)
    assert "Exported run.gif: 7 frames" in said(window)
    assert QImageReader(str(path)).size() == QSize(800, 400)


@pytest.mark.parametrize(
    ("command", "name"),
    [("export.xlsx", "a.xlsx"), ("export.csv", "a.csv"), ("export.script", "a.py"),
     ("export.notebook", "a.ipynb")],
)  # fmt: skip
def test_the_menu_writes_every_format(
    command: str, name: str, window: MainWindow, qtbot: QtBot, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = tmp_path / name
    answer = str(path.with_suffix("")), f"X (*{path.suffix})"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: answer)
    window.actions_by_id.by_id[command].trigger()
    qtbot.waitUntil(lambda: path.exists(), timeout=60_000)
    qtbot.waitUntil(lambda: name in said(window), timeout=10_000)


@pytest.fixture
def headless(tmp_path: Path) -> Callable[..., Path]:
    def export(name: str, *more: str) -> Path:
        path = tmp_path / name
        assert main(["export", "lesson:dotprod", "--to", str(path), *more]) == 0
        return path

    return export


def test_headless_export_writes_every_format(headless: Callable[..., Path], qapp: object) -> None:
    assert headless("a.xlsx").read_bytes()[:2] == b"PK"
    rows = headless("a.csv", "--steps", "2").read_text().splitlines()
    assert len(rows) == 41
    number = rows[18].split(",")[7]
    assert len(number.strip("-0.")) > 12  # all digits of an embedding
    assert "torch.optim.Adam" in headless("a.py", "--steps", "4").read_text()
    assert json.loads(headless("a.ipynb").read_text())["nbformat"] == 4
    assert QImage(str(headless("a.png", "--range", "H1:K5", "--scale", "2"))).width() > 500
    assert "<svg" in headless("a.svg", "--steps", "3", "--plot").read_text()
    gif = headless("a.gif", "--steps", "3", "--plot", "--theme", "dark")
    assert QImageReader(str(gif)).imageCount() == 4


def test_headless_export_says_what_it_cannot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "lesson:dotprod", "--to", str(tmp_path / "a.doc")]) == 1
    assert ".ipynb" in capsys.readouterr().err
    assert main(["export", "nothing.txt", "--to", str(tmp_path / "a.csv")]) == 1
    assert "lesson:NAME" in capsys.readouterr().err
    assert main(["export", "missing.xlsx", "--to", str(tmp_path / "a.csv")]) == 1
    assert "missing.xlsx" in capsys.readouterr().err
    wrong = ["--range", "banana", "--to", str(tmp_path / "a.png")]
    assert main(["export", "lesson:dotprod", *wrong]) == 1
    assert "banana" in capsys.readouterr().err


def test_a_saved_session_is_exported_with_its_run(
    document: Document, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from gradsheet.app.saving.opening import save_file

    document.step_run(5)
    document.finish()
    save_file(document, tmp_path / "mine.gradsheet")
    document.finish()
    target = tmp_path / "mine.py"
    assert main(["export", str(tmp_path / "mine.gradsheet"), "--to", str(target)]) == 0
    assert "range(0, 5)" in target.read_text()
    loss = document.loss_now()
    assert f"{loss:.15g}" in target.read_text()
