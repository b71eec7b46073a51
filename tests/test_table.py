"""Tables: cells stay as they are, whatever they hold."""

from pipeline.table import markdown, plain

ROWS = [("file", "MB"), ("generator-fp32.onnx", "10.50"), ("007", "-")]


def test_plain_columns_align_words_left_and_numbers_right() -> None:
    assert plain(ROWS, {"file"}).splitlines() == [
        "file                    MB",
        "generator-fp32.onnx  10.50",
        "007                      -",
    ]


def test_markdown_says_how_columns_are_aligned() -> None:
    assert markdown(ROWS, {"file"}).splitlines() == [
        "| file                |    MB |",
        "|:--------------------|------:|",
        "| generator-fp32.onnx | 10.50 |",
        "| 007                 |     - |",
    ]


def test_cells_of_others_cannot_break_a_table_or_a_terminal() -> None:
    rows = [("device", "ms"), ("a|b\nc\x1b[31m", "1")]
    assert plain(rows, {"device"}).splitlines()[1] == "a|b c [31m   1"
    assert markdown(rows).splitlines()[2] == "| a\\|b c [31m |    1 |"
