"""Tables fit a terminal of eighty columns."""

from infofuse.cli.show import counts, names, spread, table


def test_a_wide_table_breaks_its_first_column() -> None:
    name = "F1, weighted (negative / positive, zeros dropped)"
    text = table([["", "(1)", "(2)", "(3)"], [name, *["0.776 ± 0.011"] * 3], ["MAE", *"123"]])
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) == 5
    assert lines[2].count("0.776 ± 0.011") == 3
    assert " ".join(f"{lines[2].split('  ')[0]} {lines[3]}".split()) == name


def test_columns_that_are_too_wide_by_themselves_make_it_wider() -> None:
    heads = ["chinese-hubert-large-UTT", "clip-vit-large-patch14-UTT", "Baichuan-13B-Base-UTT"]
    lines = table([["clip", *heads], ["a clip with a long name", "1", "2", "3"]]).splitlines()
    assert lines[0].split() == ["clip", *heads]
    assert lines[2].split()[-3:] == ["1", "2", "3"]


def test_a_narrow_one_stays_as_it_is() -> None:
    assert table([["a", "b"], ["x", "10"]]) == "a   b\n-  --\nx  10"


def test_spread_of_one_seed_and_of_nothing() -> None:
    nan = float("nan")
    assert spread({"mean": 1.0, "sd": 0.5}) == "1.000 ± 0.500"
    assert spread({"mean": 1.0, "sd": nan}) == "1.000"
    assert spread({"mean": nan, "sd": nan}) == "–"


def test_empty_names_are_none() -> None:
    assert names("text, audio,") == ["text", "audio"]
    assert names(",") == names("") == []


def test_clips_are_counted_with_thousands() -> None:
    assert counts({"train": 16326, "valid": 1871}) == "train 16,326, valid 1,871"
