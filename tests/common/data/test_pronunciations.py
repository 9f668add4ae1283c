"""Pronouncing dictionaries: words, their phonemes, bad lines by number."""

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.data.pronunciations import read_pronunciations


def test_every_pronunciation_has_its_own_name(tmp_path):
    path = tmp_path / "words.dic"
    path.write_text("YES  Y EH S\n\nTWO\tT  UW\nTWO(2) T AH\n")
    found = read_pronunciations(path)
    assert found == {"YES": "Y EH S", "TWO": "T UW", "TWO(2)": "T AH"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("NO", "line 2: not of the form `WORD PHONEME PHONEME ...`"),
        ("YES Y EH", "line 2: the id 'YES' was there before"),
    ],
)
def test_bad_lines(tmp_path, line, words):
    path = tmp_path / "words.dic"
    path.write_text(f"YES Y EH S\n{line}\n")
    with pytest.raises(ZooError) as error:
        read_pronunciations(path)
    assert str(error.value) == f"{path}, {words}"
