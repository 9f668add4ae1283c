"""NB-SVM: its weights, and more than two classes."""

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from zoo.language.classification.baselines import INTERPOLATION, NaiveBayesSVM
from zoo.language.token_texts import token_texts

X = np.array([[1, 0, 1], [1, 0, 0], [0, 1, 1], [0, 1, 0]])
Y = np.array([1, 1, 0, 0])


def test_weights_are_those_of_the_paper():
    p, q = 1 + X[Y == 1].sum(axis=0), 1 + X[Y == 0].sum(axis=0)
    ratios = np.log((p / p.sum()) / (q / q.sum()))
    np.testing.assert_allclose(ratios, [np.log(3), -np.log(3), 0])
    svm = LinearSVC(random_state=0).fit(X * ratios, Y)
    mean = np.abs(svm.coef_).mean()
    expected = ratios * ((1 - INTERPOLATION) * mean + INTERPOLATION * svm.coef_)
    found = NaiveBayesSVM(random_state=0).fit(csr_matrix(X), Y)
    np.testing.assert_allclose(found.coef_, expected, atol=1e-4)
    np.testing.assert_array_equal(found.predict(csr_matrix(X)), Y)


def test_padding_is_no_word():
    texts = token_texts(np.array([[5, 6, 0], [7, 8, 9]]), np.array([2, 3]))
    assert texts.tolist() == ["5 6", "7 8 9"]


def test_three_classes(run_zoo, tmp_path):
    words = {"cats": "cat purr", "dogs": "dog bark", "birds": "bird sing"}
    rows = [f"{text} {n},{label}" for label, text in words.items() for n in ("one", "two", "six")]
    path = tmp_path / "texts.csv"
    path.write_text(
        "text,label,split\n"
        + "".join(f"{row},{split}\n" for split in ("train", "dev") for row in rows)
    )
    answer = run_zoo("baseline", "language/bilstm-sst2", "--manifest", path, "--json").json
    assert answer["metrics"] == {"accuracy": 1.0, "f1_macro": 1.0}
