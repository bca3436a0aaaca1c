"""Formula text to trees and back."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, Region
from gradsheet.formula.syntax import (
    MAX_LENGTH,
    Array,
    Binary,
    Boolean,
    Call,
    Columns,
    ErrorLiteral,
    Expr,
    Intersection,
    Missing,
    Name,
    Number,
    Percent,
    Range,
    RangeOf,
    Ref,
    Rows,
    SpillRef,
    TableRef,
    Text,
    Unary,
    Union,
    depth,
    parse,
    references,
    region_of,
    tokens,
    transform,
    unparse,
)
from gradsheet.formula.values import ErrorCode, FormulaError

HOST = Cell(4, 4)
A1 = Ref(None, -4, -4, False, False)
B2 = Ref(None, -3, -3, False, False)


def number(value: float) -> Number:
    return Number(value)


def ref(text: str) -> Expr:
    return parse(text, HOST)


# What each piece of syntax means.


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("=-2^2", Binary("^", Unary("-", number(2)), number(2))),
        ("=2^3^2", Binary("^", Binary("^", number(2), number(3)), number(2))),
        ("=2^-1", Binary("^", number(2), Unary("-", number(1)))),
        ("=-2%", Unary("-", Percent(number(2)))),
        ("=2%^2", Binary("^", Percent(number(2)), number(2))),
        ("=1+2*3", Binary("+", number(1), Binary("*", number(2), number(3)))),
        ("=1-2-3", Binary("-", Binary("-", number(1), number(2)), number(3))),
        ("=8/4/2", Binary("/", Binary("/", number(8), number(4)), number(2))),
        ('=1+2&"x"', Binary("&", Binary("+", number(1), number(2)), Text("x"))),
        ('="a"&1=2', Binary("=", Binary("&", Text("a"), number(1)), number(2))),
        ("=1<2<>3", Binary("<>", Binary("<", number(1), number(2)), number(3))),
        ("=(1+2)*3", Binary("*", Binary("+", number(1), number(2)), number(3))),
        ("=--1", Unary("-", Unary("-", number(1)))),
        ("=50%%", Percent(Percent(number(50)))),
    ],
)
def test_operators_bind_as_in_excel(text: str, tree: Expr) -> None:
    assert parse(text, HOST) == tree


def test_relative_references_are_offsets_from_their_host() -> None:
    assert ref("=A1") == A1
    assert ref("=$A$1") == Ref(None, 0, 0, True, True)
    assert ref("=$A1") == Ref(None, -4, 0, False, True)
    assert ref("=a$1") == Ref(None, 0, -4, True, False)
    assert parse("=B2", Cell(1, 2)) == parse("=C3", Cell(2, 3))


def test_a_range_carries_its_sheet_on_the_first_corner() -> None:
    first = Ref("Sheet 1", -4, -4, False, False)
    assert ref("='Sheet 1'!A1:B2") == Range(first, B2)
    assert ref("='Sheet 1'!A1:'Sheet 1'!B2") == Range(first, B2)
    assert ref("=A1 : B2") == Range(A1, B2)


def test_quotes_in_sheet_names_are_doubled() -> None:
    assert ref("='it''s'!A1") == Ref("it's", -4, -4, False, False)
    assert unparse(ref("='it''s'!A1"), HOST) == "='it''s'!A1"


@pytest.mark.parametrize(
    "name", ["A1", "R1C1", "my sheet", "2019", "a-b", "TRUE", "rc", "x!y", "a'b", "ü+"]
)
def test_sheet_names_that_need_quotes_get_them(name: str) -> None:
    tree = Ref(name, 0, 0, True, True)
    text = unparse(tree, HOST)
    assert "'" in text
    assert parse(text, HOST) == tree


def test_plain_sheet_names_stay_plain() -> None:
    assert unparse(ref("='bias'!A1+Größe!A1"), HOST) == "=bias!A1+Größe!A1"


def test_whole_columns_and_rows_are_references() -> None:
    assert ref("=A:$C") == Columns(None, -4, 2, False, True)
    assert ref("=$2:5") == Rows(None, 1, 0, True, False)
    assert ref("=S!A:A") == Columns("S", -4, -4, False, False)
    assert region_of(Columns(None, -4, 2, False, True), HOST) == Region(0, 0, MAX_ROWS, 3)
    assert region_of(Rows(None, 1, 0, True, False), HOST) == Region(1, 0, 5, MAX_COLS)


def test_a_space_between_references_intersects_them() -> None:
    assert ref("=A1:B2 B2") == Intersection(Range(A1, B2), B2)
    assert ref("=A1 : B2") == Range(A1, B2)
    assert ref("=SUM( A1 )") == Call("SUM", (A1,))


def test_a_union_stands_in_parentheses_or_alone_in_a_name() -> None:
    both = Union((A1, B2))
    assert ref("=SUM((A1,B2))") == Call("SUM", (both,))
    assert ref("A1,B2") == both
    assert ref("=SUM(A1,B2)") == Call("SUM", (A1, B2))


def test_computed_ranges_keep_both_ends() -> None:
    assert ref("=A1:INDEX(B2,1)") == RangeOf(A1, Call("INDEX", (B2, number(1))))
    assert ref("=S!A1:T!B2") == RangeOf(
        Ref("S", -4, -4, False, False), Ref("T", -3, -3, False, False)
    )


def test_spills_and_implicit_intersection_are_read() -> None:
    assert ref("=A1#") == SpillRef(A1)
    assert ref("=SUM(S!$A$1#)") == Call("SUM", (SpillRef(Ref("S", 0, 0, True, True)),))
    assert ref("=@A1:B2") == Unary("@", Range(A1, B2))
    assert ref("=@A1%") == Percent(Unary("@", A1))
    assert ref("=_xlfn.SINGLE(A1:B2)") == Unary("@", Range(A1, B2))
    assert ref("=_xlfn.ANCHORARRAY(A1)") == SpillRef(A1)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("=T[col]", TableRef("T", (), "col", None)),
        ("=T[]", TableRef("T", (), None, None)),
        ("=T[#All]", TableRef("T", ("#All",), None, None)),
        ("=T[#this  row]", TableRef("T", ("#This Row",), None, None)),
        ("=T[[#This Row],[a]:[b]]", TableRef("T", ("#This Row",), "a", "b")),
        ("=T[ [#Headers] , [#Data] , [a b] ]", TableRef("T", ("#Headers", "#Data"), "a b", None)),
        ("=T[[a]:[b]]", TableRef("T", (), "a", "b")),
        ("=T[@col]", TableRef("T", ("#This Row",), "col", None)),
        ("=T[@]", TableRef("T", ("#This Row",), None, None)),
        ("=[@col]", TableRef("", ("#This Row",), "col", None)),
        ("=[@[a b]]", TableRef("", ("#This Row",), "a b", None)),
        ("=[@[a b]:[c]]", TableRef("", ("#This Row",), "a b", "c")),
        ("=T['#no '[x'] it''s]", TableRef("T", (), "#no [x] it's", None)),
        ("=T[[a-b,c]]", TableRef("T", (), "a-b,c", None)),
        ("=T[Größe 2]", TableRef("T", (), "Größe 2", None)),
    ],
)
def test_structured_references_are_read_in_every_form(text: str, tree: Expr) -> None:
    assert parse(text, HOST) == tree
    assert parse(unparse(tree, HOST), HOST) == tree


@pytest.mark.parametrize("text", ["=T[[#Nonsense],[a]]", "=T[[a],[b]]", "=T[a[b]]", "=T[@[#All]]"])
def test_other_brackets_are_refused(text: str) -> None:
    with pytest.raises(FormulaError):
        parse(text, HOST)


def test_functions_lose_the_prefixes_of_files() -> None:
    assert ref("=_xlfn._xlws.filter(A1,TRUE)") == Call("FILTER", (A1, Boolean(True)))
    assert ref("=_xlfn.STDEV.P(A1)") == Call("STDEV.P", (A1,))
    assert ref("=_xlfn.LET(_xlpm.x,1,_xlpm.x)") == Call(
        "LET", (Name(None, "x"), number(1), Name(None, "x"))
    )


def test_functions_may_look_like_cells() -> None:
    assert ref("=LOG10(A1)") == Call("LOG10", (A1,))
    assert ref("=LOG10") == Ref(None, 5, 8504, False, False)
    assert ref("=sum (A1)") == Call("SUM", (A1,))


def test_empty_arguments_are_kept() -> None:
    assert ref("=IF(A1,,2)") == Call("IF", (A1, Missing(), number(2)))
    assert ref("=F(,)") == Call("F", (Missing(), Missing()))
    assert ref("=RAND()") == Call("RAND", ())
    assert unparse(ref("=IF(A1,,)"), HOST) == "=IF(A1,,)"


def test_semicolons_separate_arguments_too() -> None:
    assert ref("=SUM(A1;B2)") == ref("=SUM(A1,B2)")


def test_array_constants_hold_rows_of_constants() -> None:
    assert ref('={1,-2;"a""b",#N/A}') == Array(
        ((number(1), number(-2)), (Text('a"b'), ErrorLiteral(ErrorCode.NA)))
    )
    assert unparse(ref("={1,-2;TRUE,3}"), HOST) == "={1,-2;TRUE,3}"


@pytest.mark.parametrize("text", ["={1,2;3}", "={A1}", "={1+2}", "={}", "={-TRUE}", "={{1}}"])
def test_other_arrays_are_refused(text: str) -> None:
    with pytest.raises(FormulaError):
        parse(text, HOST)


@pytest.mark.parametrize(
    ("text", "value"), [("1e-3", 1e-3), ("1.", 1.0), (".5", 0.5), ("1E+5", 1e5), ("0.1", 0.1)]
)
def test_numbers_keep_value_and_spelling(text: str, value: float) -> None:
    tree = parse(f"={text}", HOST)
    assert tree == number(value)
    assert unparse(tree, HOST) == f"={text}"


def test_names_may_hold_dots_underscores_and_backslashes() -> None:
    for name in ("x.y_z", "_x", "\\x", "Größe", "a1b", "XFE1", "A1048577"):
        assert ref(f"={name}") == Name(None, name)
    assert ref("=S!rate") == Name("S", "rate")


@pytest.mark.parametrize("code", [c for c in ErrorCode if c is not ErrorCode.UNSUPPORTED])
def test_errors_are_values(code: ErrorCode) -> None:
    assert ref(f"=1+{code.text}") == Binary("+", number(1), ErrorLiteral(code))


def test_a_lost_reference_on_a_sheet_is_an_error_value() -> None:
    assert ref("=Sheet1!#REF!") == ErrorLiteral(ErrorCode.REF)


@pytest.mark.parametrize(
    "text",
    ["[1]Sheet1!A1", "[1]Sheet1!$A$1:$B$2", "'[a b.xlsx]S 1'!A1", "[1]!rate", "Sheet1:Sheet3!A1",
     "'C:\\x\\[b.xlsx]S'!A1", "[1]S!#REF!"],
)  # fmt: skip
def test_other_files_and_sheet_stacks_are_kept_as_unsupported(text: str) -> None:
    tree = ref(f"={text}+1")
    assert tree == Binary("+", ErrorLiteral(ErrorCode.UNSUPPORTED, text), number(1))
    assert unparse(tree, HOST) == f"={text}+1"


def test_spaces_and_newlines_leave_no_trace() -> None:
    assert ref("= IF ( A1 ,\n\t1 , 2 )\n") == ref("=IF(A1,1,2)")
    assert ref("  =1") == number(1)


def test_an_equals_sign_is_optional() -> None:
    assert ref("A1+1") == ref("=A1+1")


# Faults.


@pytest.mark.parametrize(
    ("text", "column", "part"),
    [
        ("=A1+SUM(1,2", 5, "`)` missing for the SUM that opens in column 5"),
        ("=(1+2", 2, "`)` missing for the `(`"),
        ("={1,2", 2, "`}` missing"),
        ("=1+", 4, "Something is missing after `+`"),
        ("=1 2", 4, "An operator is missing between `1` and `2`"),
        ("=A1)", 4, "closes nothing"),
        ('="abc', 2, "no closing quote"),
        ("=A1−B1", 4, "`−`"),
        ("=*2", 2, "A value is missing before `*`"),
        ("=SUM(1 2)", 8, "An operator is missing"),
        ("=1,2", 3, "outside of a function"),
        ("=(1,2)", 4, "Only references"),
        ("=S!+1", 2, "A cell is missing"),
        ("=1:A1", 3, "reference on both sides"),
        ("=SUM(A1)#", 9, "must follow a cell"),
        ("=", 2, "empty"),
        ("=1e999", 2, "larger"),
        ("=A1+'my sheet'", 5, "sheet name"),
        ("=0:5", 2, "Rows"),
        ("=A1!", 2, "A cell is missing"),
        ("=T[a", 3, "`]` missing"),
    ],
)
def test_a_fault_names_its_column(text: str, column: int, part: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse(text, HOST)
    assert caught.value.column == column
    assert part in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "=" + "(" * 5000 + "1" + ")" * 5000,
        "=" + "-" * 5000 + "1",
        "=" + "+".join(["1"] * 5000),
        "=" + "F(" * 2000 + ")" * 2000,
        "=1" + "%" * 5000,
        "=" + "{" * 3000,
        "=" + "1^(" * 1000 + "1" + ")" * 1000,
        "=" + "@" * 1000 + "A1",
        "=A1" + " A1" * 1000,
        "=" + "1" * (MAX_LENGTH + 1),
        "=T" + "[" * 3000,
        "=" + '"' * 3001,
    ],
)
def test_monstrous_formulas_are_refused_in_words(text: str) -> None:
    with pytest.raises(FormulaError):
        parse(text, HOST)


def test_deep_but_reasonable_formulas_are_read() -> None:
    nested = "=" + "IF(A1," * 64 + "1" + ",2)" * 64
    assert depth(parse(nested, HOST)) == 65
    chain = "=" + "+".join(["A1"] * 150)
    assert depth(parse(chain, HOST)) == 150
    assert unparse(parse(nested, HOST), HOST) == nested
    hash(parse(chain, HOST))


def test_a_full_stack_is_an_error_in_words() -> None:
    def sink(levels: int) -> None:
        if levels:
            sink(levels - 1)
        else:
            parse("=" + "(" * 100 + "1" + ")" * 100, HOST)

    here = len(__import__("inspect").stack())
    with pytest.raises(FormulaError):
        sink(sys.getrecursionlimit() - here - 60)


@given(st.text(max_size=40))
@settings(max_examples=400)
def test_any_text_gives_a_tree_or_a_formula_error(text: str) -> None:
    try:
        tree = parse(text, HOST)
    except FormulaError as error:
        is_placed = bool(error.message) and 0 <= error.column <= len(text) + 2
    else:
        is_placed = parse(unparse(tree, HOST), HOST) == tree
    assert is_placed


@given(st.lists(st.sampled_from(
    ["A1", "$B2", "1", "+", "-", "*", "^", "%", "(", ")", ",", ";", ":", " ", "SUM(", "{", "}",
     '"x"', "#", "@", "S!", "'a b'!", "T[", "[@", "]", "[a]", "#REF!", "<", ">", "=", "x", "A:A",
     "1:2", "TRUE", "&", "!", "'"]), max_size=12).map("".join))  # fmt: skip
@settings(max_examples=800)
def test_any_mix_of_tokens_gives_a_tree_or_a_formula_error(text: str) -> None:
    try:
        tree = parse("=" + text, HOST)
    except FormulaError:
        return
    assert parse(unparse(tree, HOST), HOST) == tree


# Round trips from random trees.

sheets = st.sampled_from([None, None, "Sheet1", "my sheet", "it's", "A1", "Größe"])
words = st.sampled_from(["x", "rate", "x.y", "_a", "\\b", "Größe", "value_2"])
columns = st.sampled_from(["a", "a b", "Größe", "#x", "it's", "[q]", "a,b", "@z", "1.5", "a:b"])


@st.composite
def refs(draw: st.DrawFn, sheet: str | None = None) -> Ref:
    row_abs, col_abs = draw(st.booleans()), draw(st.booleans())
    row, col = draw(st.integers(0, 40)), draw(st.integers(0, 40))
    return Ref(
        sheet, row if row_abs else row - HOST.row, col if col_abs else col - HOST.col,
        row_abs, col_abs,
    )  # fmt: skip


@st.composite
def wholes(draw: st.DrawFn) -> Columns | Rows:
    a, b = draw(refs()), draw(refs())
    if draw(st.booleans()):
        return Columns(draw(sheets), a.col, b.col, a.col_abs, b.col_abs)
    return Rows(draw(sheets), a.row, b.row, a.row_abs, b.row_abs)


@st.composite
def table_refs(draw: st.DrawFn) -> TableRef:
    items = draw(st.sampled_from(
        [(), ("#This Row",), ("#All",), ("#Headers", "#Data"), ("#Totals",)]
    ))  # fmt: skip
    first = draw(st.none() | columns)
    last = None if first is None else draw(st.none() | columns)
    return TableRef(draw(st.sampled_from(["", "T", "Table_1"])), items, first, last)


single_refs = sheets.flatmap(refs)
ranges = st.builds(Range, single_refs, refs())
names = st.builds(Name, sheets, words)
spills = st.builds(SpillRef, single_refs | names)
reference_leaves = st.one_of(single_refs, ranges, wholes(), names, table_refs(), spills)
finite = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
numbers = st.builds(Number, finite)
errors = st.sampled_from(list(ErrorCode)).map(ErrorLiteral)
texts = st.builds(Text, st.text(max_size=8))
constants = st.one_of(numbers, texts, st.builds(Boolean, st.booleans()), errors)
array_numbers = st.builds(Number, st.floats(allow_nan=False, allow_infinity=False))
arrays = st.integers(1, 3).flatmap(
    lambda wide: st.lists(
        st.lists(constants | array_numbers, min_size=wide, max_size=wide).map(tuple),
        min_size=1, max_size=3,
    ).map(lambda rows: Array(tuple(rows)))
)  # fmt: skip


OPERATORS = ("+", "-", "*", "/", "^", "&", "=", "<>", "<", ">", "<=", ">=")


def draw_place(draw: st.DrawFn, level: int) -> Expr:
    """A reference, or something that can give one."""
    choice = draw(st.integers(0, 6))
    if choice == 0:
        return ErrorLiteral(ErrorCode.REF)
    if choice == 1 and level > 0:
        return draw_call(draw, level)
    return draw(reference_leaves)


def draw_call(draw: st.DrawFn, level: int) -> Expr:
    name = draw(st.sampled_from(["SUM", "LOG10", "STDEV.P", "F"]))
    args = tuple(
        Missing() if draw(st.integers(0, 5)) == 0 else draw_tree(draw, level - 1)
        for _ in range(draw(st.integers(0, 3)))
    )
    return Call(name, () if args == (Missing(),) else args)


def draw_tree(draw: st.DrawFn, level: int) -> Expr:
    choice = draw(st.integers(0, 9)) if level > 0 else 9
    if choice <= 1:
        op = draw(st.sampled_from(OPERATORS))
        return Binary(op, draw_tree(draw, level - 1), draw_tree(draw, level - 1))
    if choice == 2:
        return Unary(draw(st.sampled_from("-+@")), draw_tree(draw, level - 1))
    if choice == 3:
        return Percent(draw_tree(draw, level - 1))
    if choice == 4:
        return draw_call(draw, level)
    if choice <= 6:
        a, b = draw_place(draw, level - 1), draw_place(draw, level - 1)
        if choice == 5:
            return Intersection(a, b)
        return Range(A1, B2) if isinstance(a, Ref) and isinstance(b, Ref) else RangeOf(a, b)
    if choice == 7:
        return Union(tuple(draw_place(draw, level - 1) for _ in range(draw(st.integers(2, 3)))))
    return draw(constants | reference_leaves | arrays)


@st.composite
def random_trees(draw: st.DrawFn) -> Expr:
    return draw_tree(draw, 4)


trees = random_trees()
thorough = settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])


@given(trees)
@thorough
def test_what_is_written_reads_back_as_the_same_tree(tree: Expr) -> None:
    text = unparse(tree, HOST)
    assert parse(text, HOST) == tree
    assert unparse(parse(text, HOST), HOST) == text


@given(trees, st.integers(5, 500), st.integers(5, 100))
@thorough
def test_a_tree_means_the_same_after_a_trip_to_another_host(
    tree: Expr, row: int, col: int
) -> None:
    other = Cell(row, col)
    there = unparse(tree, other)
    assert parse(there, other) == tree
    assert unparse(parse(there, other), HOST) == unparse(tree, HOST)


def test_references_off_the_sheet_are_written_as_ref() -> None:
    tree = parse("=A1+A1:B2+A:A+S!A1#", HOST)
    assert unparse(tree, Cell(0, 4)) == "=#REF!+#REF!+A:A+S!#REF!"
    assert region_of(A1, Cell(0, 4)) is None


def test_a_range_written_backwards_names_the_same_cells() -> None:
    tree = parse("=B2:A1", HOST)
    assert isinstance(tree, Range)
    assert region_of(tree, HOST) == Region.parse("A1:B2")


def test_separators_can_be_chosen() -> None:
    tree = parse("=SUM({1,2;3,4},(A1,B2))", HOST)
    text = unparse(tree, HOST, argument_separator=";", column_separator="\\", row_separator=";")
    assert text == "=SUM({1\\2;3\\4};(A1;B2))"


# Walking.


def test_references_come_left_to_right_and_whole() -> None:
    tree = parse("=IF(A1:B2,x,T[a])+C:C", HOST)
    kinds = [type(node) for node in references(tree)]
    assert kinds == [Range, Name, TableRef, Columns]


@given(trees)
def test_an_idle_transform_gives_the_same_object(tree: Expr) -> None:
    assert transform(tree, lambda node: node) is tree


def test_transform_rebuilds_what_changes_and_shares_the_rest() -> None:
    tree = parse("=SUM(A1,1)+B2", HOST)
    change: Callable[[Expr], Expr] = lambda n: number(n.value + 1) if isinstance(n, Number) else n  # noqa: E731
    new = transform(tree, change)
    assert unparse(new, HOST) == "=SUM(A1,2)+B2"
    assert isinstance(new, Binary)
    assert isinstance(tree, Binary)
    assert new.b is tree.b


def test_equal_relative_formulas_are_one_key() -> None:
    assert len({parse(f"=SUM(A{r}:C{r})*$Z$1", Cell(r - 1, 5)) for r in range(1, 50)}) == 1


# Tokens while typing.


def test_tokens_cover_half_typed_text() -> None:
    text = "=SUM('my sheet'!A1:B2, Table1[col]) + \"open"
    found = tokens(text)
    assert [(t.kind, t.text) for t in found if t.kind != "space"][:6] == [
        ("function", "SUM"), ("op", "("), ("range", "'my sheet'!A1:B2"), ("op", ","),
        ("structure", "Table1[col]"), ("op", ")"),
    ]  # fmt: skip
    assert found[-2].kind == "bad"


@given(st.text(max_size=30))
def test_tokens_lie_end_to_end(text: str) -> None:
    found = tokens("=" + text)
    assert "".join(token.text for token in found) == text
    assert [token.start for token in found[1:]] == [token.end for token in found[:-1]]
