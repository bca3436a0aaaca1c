"""Notes of a sheet in two parts, as Excel wants them: their texts, and the boxes that show them.

Owns the XML of both. Knows no package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gradsheet.files.xml_writing import DECLARATION, MAIN, text_xml
from gradsheet.formula.address import Cell

_BOX_COLUMNS, _BOX_ROWS = 2, 4


def comments_xml(notes: Mapping[Cell, str]) -> Iterator[str]:
    """The comments part."""
    yield f'{DECLARATION}<comments xmlns="{MAIN}"><authors><author></author></authors><commentList>'
    for cell, text in sorted(notes.items()):
        yield (
            f'<comment ref="{Cell(*cell)}" authorId="0"><text><r><t xml:space="preserve">'
            f"{text_xml(text)}</t></r></text></comment>"
        )
    yield "</commentList></comments>"


def drawing_xml(notes: Mapping[Cell, str], number: int) -> Iterator[str]:
    """The legacy drawing that Excel needs to show notes at all.

    Parameters
    ----------
    number : of the sheet among those with notes; shapes of different sheets have other ids
    """
    yield (
        '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:'
        'office" xmlns:x="urn:schemas-microsoft-com:office:excel">'
        f'<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="{number}"/></o:shapelayout>'
        '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" '
        'path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/>'
        '<v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
    )
    for at, cell in enumerate(sorted(notes), 1):
        row, col = cell
        top = max(0, row - 1)
        anchor = f"{col + 1},15,{top},2,{col + 1 + _BOX_COLUMNS},15,{top + _BOX_ROWS},4"
        yield (
            f'<v:shape id="_x0000_s{number * 1024 + at}" type="#_x0000_t202" '
            'style="position:absolute;visibility:hidden" fillcolor="#ffffe1" '
            'o:insetmode="auto"><v:fill color2="#ffffe1"/><v:shadow color="black" '
            'obscured="t"/><v:path o:connecttype="none"/><v:textbox/>'
            f'<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
            f"<x:Anchor>{anchor}</x:Anchor><x:AutoFill>False</x:AutoFill>"
            f"<x:Row>{row}</x:Row><x:Column>{col}</x:Column></x:ClientData></v:shape>"
        )
    yield "</xml>"
