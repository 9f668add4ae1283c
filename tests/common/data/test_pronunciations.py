"""Test pronunciation dictionaries: words, phonemes, line numbers of errors."""

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.data.pronunciations import read_pronunciations


def test_alternative_pronunciations_have_numbered_names(tmp_path):
    path = tmp_path / "words.dic"
    path.write_text("YES  Y EH S\n\nTWO\tT  UW\nTWO(2) T AH\n")
    found = read_pronunciations(path)
    assert found == {"YES": "Y EH S", "TWO": "T UW", "TWO(2)": "T AH"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("NO", "line 2: not of the form `WORD PHONEME PHONEME ...`"),
        ("YES Y EH", "line 2: the id 'YES' is not unique"),
    ],
)
def test_invalid_lines(tmp_path, line, words):
    path = tmp_path / "words.dic"
    path.write_text(f"YES Y EH S\n{line}\n")
    with pytest.raises(ZooError) as error:
        read_pronunciations(path)
    assert str(error.value) == f"{path}, {words}"
