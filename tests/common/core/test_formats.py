"""Test lines of CSV files."""

from zoo.common.core.formats import Format, csv_row


def test_cells_are_quoted_if_necessary():
    assert csv_row(["a", 1, 0.5, None]) == "a,1,0.5,"
    assert csv_row(["a,b", 'say "no"', "two\nlines"]) == '"a,b","say ""no""","two\nlines"'
    assert csv_row(["a\rb", ""]) == '"a\rb",'


def test_a_file_holds_several_answers_without_options():
    found = Format(".csv", iter)
    assert (found.joins, found.options) == (True, {})
