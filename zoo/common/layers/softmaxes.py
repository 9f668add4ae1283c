"""Output layers for large vocabularies: the full softmax, and three layers that are cheaper to train.

The input of each layer is hidden vectors float [..., features]. The output is the log-probability of
every word, float32 [..., vocabulary_size]. The training loss is `loss(x, targets)`, float32 [...] in
nats, for targets int32 [...].

| layer | words in the loss of a target |
| --- | --- |
| `FullSoftmax` | all words |
| `SampledSoftmax` | the target and a random sample of words, to estimate the sum over all words |
| `NoiseContrastive` | the target and a random sample of words, to classify target and noise |
| `AdaptiveSoftmax` | the frequent words, and the words in the cluster of the target |

Words must be in order of falling frequency, as in `Vocabulary.of`.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import keras
from keras import ops

from zoo.common.core.errors import check_range
from zoo.common.layers.cross_entropy import cross_entropy

_register = keras.saving.register_keras_serializable("zoo")

# Logit of an excluded word. Minus infinity multiplied by 0 would be NaN.
EXCLUDED = -1e30


class _OutputLayer(keras.layers.Layer):
    """The base class of the output layers.

    Args:
        vocabulary_size: number of words.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    def __init__(self, vocabulary_size: int, **kwargs: Any):
        super().__init__(**kwargs)
        check_range("vocabulary_size", vocabulary_size, at_least=2)
        self.vocabulary_size = vocabulary_size

    def loss(self, x: Any, targets: Any) -> Any:
        """Return the training loss, float32 [...].

        Args:
            x: float [..., features].
            targets: int32 [...].
        """
        rows = ops.reshape(x, (-1, x.shape[-1]))
        return ops.reshape(self.row_loss(rows, ops.reshape(targets, (-1,))), ops.shape(targets))

    def row_loss(self, x: Any, targets: Any) -> Any:
        """Return the training loss of each row, float32 [rows].

        Args:
            x: float [rows, features].
            targets: int32 [rows].
        """
        raise NotImplementedError

    def _matrix(self, name: str, rows: int, columns: int) -> keras.Variable:
        return self.add_weight(shape=(rows, columns), initializer="glorot_uniform", name=name)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.vocabulary_size)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "vocabulary_size": self.vocabulary_size}


@_register
class FullSoftmax(_OutputLayer):
    """The softmax over all words.

    o = K x + b;  log p(w) = o_w - log(sum of exp(o_v) over all v)
    loss = -log p(target)

    Args:
        vocabulary_size: number of words.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    bias_initializer: Any = "zeros"

    def build(self, input_shape: tuple) -> None:
        self.kernel = self._matrix("kernel", self.vocabulary_size, input_shape[-1])
        self.bias = self.add_weight(
            shape=(self.vocabulary_size,), initializer=self.bias_initializer, name="bias"
        )

    def call(self, x: Any) -> Any:
        return ops.log_softmax(self.scores(x))

    def scores(self, x: Any) -> Any:
        """Return the logits o, float32 [..., vocabulary_size]."""
        return ops.cast(ops.matmul(x, ops.transpose(self.kernel)) + self.bias, "float32")

    def row_loss(self, x: Any, targets: Any) -> Any:
        return cross_entropy(self.scores(x), targets)


class _Sampling(FullSoftmax):
    """A softmax with a loss of the target and a random sample of words, which all rows share.

    The words are drawn with replacement from q(w) = log((w + 2) / (w + 1)) / log(vocabulary_size + 1)
    with w from 0 on. This approximates the distribution of words in a text (Zipf's law).

    Args:
        vocabulary_size: number of words.
        num_sampled: number of words in the sample of a training step.
        seed: random seed of the samples.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    def __init__(
        self, vocabulary_size: int, num_sampled: int = 256, seed: int | None = None, **kwargs: Any
    ):
        super().__init__(vocabulary_size, **kwargs)
        check_range("num_sampled", num_sampled, at_least=1)
        self.num_sampled, self.seed = num_sampled, seed
        self.generator = keras.random.SeedGenerator(seed)

    def draw(self) -> Any:
        """Draw a sample of words from q.

        Returns:
            int32 [num_sampled].
        """
        uniform = keras.random.uniform((self.num_sampled,), seed=self.generator)
        words = ops.floor(ops.exp(uniform * math.log(self.vocabulary_size + 1))) - 1
        return ops.cast(ops.clip(words, 0, self.vocabulary_size - 1), "int32")

    def log_q(self, words: Any) -> Any:
        """Return log q(w) of words, float32."""
        words = ops.cast(words, "float32")
        return ops.log(ops.log1p(1 / (words + 1)) / math.log(self.vocabulary_size + 1))

    def row_loss(self, x: Any, targets: Any) -> Any:
        return self.sampled_loss(x, targets, self.draw())

    def sampled_loss(self, x: Any, targets: Any, samples: Any) -> Any:
        """Return the training loss of each row with a given sample, float32 [rows].

        Args:
            x: float [rows, features].
            targets: int32 [rows].
            samples: int32 [num_sampled].
        """
        raise NotImplementedError

    def _sampled_scores(self, x: Any, targets: Any, samples: Any) -> tuple[Any, Any]:
        """Return the logits of the targets [rows] and of the samples [rows, num_sampled], float32."""
        # One gather operation for both, so that its sparse gradient is computed once.
        words = ops.concatenate([targets, samples])
        kernel, bias = ops.take(self.kernel, words, axis=0), ops.take(self.bias, words)
        count = ops.shape(targets)[0]
        of_targets = ops.sum(x * kernel[:count], axis=-1) + bias[:count]
        of_samples = ops.matmul(x, ops.transpose(kernel[count:])) + bias[count:]
        return ops.cast(of_targets, "float32"), ops.cast(of_samples, "float32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_sampled": self.num_sampled, "seed": self.seed}


@_register
class SampledSoftmax(_Sampling):
    """A softmax with an estimate of the sum over all words in training.

    loss = -o_target + log(exp(o_target) + sum of exp(o_s) / (num_sampled q(s)) over the samples s
    that are not the target)    (Bengio & Senecal 2008; Jean et al. 2015)

    The expectation of the argument of the logarithm is the sum over all words.

    Args:
        vocabulary_size: number of words.
        num_sampled: number of words in the sample of a training step.
        seed: random seed of the samples.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    def sampled_loss(self, x: Any, targets: Any, samples: Any) -> Any:
        of_targets, of_samples = self._sampled_scores(x, targets, samples)
        of_samples = of_samples - self.log_q(samples) - math.log(self.num_sampled)
        of_samples = ops.where(samples == targets[:, None], EXCLUDED, of_samples)
        every = ops.concatenate([of_targets[:, None], of_samples], axis=1)
        return ops.logsumexp(every, axis=1) - of_targets


@_register
class NoiseContrastive(_Sampling):
    """A softmax trained to classify target and noise (Gutmann & Hyvarinen 2010; Mnih & Teh 2012).

    d_w = o_w - log(num_sampled q(w)), the log-odds that w is the target instead of noise
    loss = -log sigmoid(d_target) - sum of log sigmoid(-d_s) over the samples s

    In training, the logits o approach log-probabilities without a sum over all words. Their initial
    values are close to the log-probability of equally probable words.

    Args:
        vocabulary_size: number of words.
        num_sampled: number of words in the sample of a training step.
        seed: random seed of the samples.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    def build(self, input_shape: tuple) -> None:
        self.bias_initializer = keras.initializers.Constant(-math.log(self.vocabulary_size))
        super().build(input_shape)

    def sampled_loss(self, x: Any, targets: Any, samples: Any) -> Any:
        of_targets, of_samples = self._sampled_scores(x, targets, samples)
        count = math.log(self.num_sampled)
        found = ops.softplus(self.log_q(targets) + count - of_targets)
        return found + ops.sum(ops.softplus(of_samples - self.log_q(samples) - count), axis=1)


@_register
class AdaptiveSoftmax(_OutputLayer):
    """A softmax in clusters with smaller vectors for rarer words (Grave et al. 2017).

    The head is a softmax over the words below the first cutoff and over the clusters. Cluster i, from 1
    on, has its own softmax over a projection of x to features / factor ** i dimensions.

    log p(w) = log head(w | x) for a word of the head
    log p(w) = log head(cluster i | x) + log tail_i(w | P_i x) for a word of cluster i
    loss = -log p(target)

    Args:
        vocabulary_size: number of words.
        cutoffs: first word of each cluster, in ascending order, at least 1 and below `vocabulary_size`.
        factor: factor by which the vectors of each cluster are smaller than those of the previous one.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    def __init__(
        self, vocabulary_size: int, cutoffs: tuple[int, ...], factor: int = 4, **kwargs: Any
    ):
        super().__init__(vocabulary_size, **kwargs)
        check_range("factor", factor, at_least=1)
        self.cutoffs, self.factor = tuple(cutoffs), factor
        edges = (0, *self.cutoffs, vocabulary_size)
        for before, cutoff in itertools.pairwise(edges):
            check_range("cutoffs, followed by vocabulary_size,", cutoff, above=before)
        self.clusters = list(itertools.pairwise(edges[1:]))

    def build(self, input_shape: tuple) -> None:
        """Create the weights: one matrix of the head, and two matrices for each cluster."""
        features = input_shape[-1]
        head = self.clusters[0][0] if self.clusters else self.vocabulary_size
        self.head = self._matrix("head", head + len(self.clusters), features)
        self.projections: list[keras.Variable] = []
        self.tails: list[keras.Variable] = []
        for i, (begin, end) in enumerate(self.clusters, start=1):
            width = max(1, features // self.factor**i)
            self.projections.append(self._matrix(f"projection{i}", features, width))
            self.tails.append(self._matrix(f"tail{i}", end - begin, width))

    def call(self, x: Any) -> Any:
        count = len(self.clusters)
        head = ops.log_softmax(self._scores(x, self.head))
        parts = [head[..., : self.head.shape[0] - count]]
        for i in range(count):
            tail = ops.log_softmax(self._scores(ops.matmul(x, self.projections[i]), self.tails[i]))
            parts.append(head[..., i - count, None] + tail)
        return ops.concatenate(parts, axis=-1)

    def row_loss(self, x: Any, targets: Any) -> Any:
        in_head = targets
        losses = []
        for i, (begin, end) in enumerate(self.clusters):
            inside = (targets >= begin) & (targets < end)
            in_head = ops.where(inside, self.clusters[0][0] + i, in_head)
            losses.append(self._tail_loss(x, targets - begin, inside, i))
        scores = self._scores(x, self.head)
        return sum(losses, cross_entropy(scores, in_head))

    def _tail_loss(self, x: Any, targets: Any, inside: Any, i: int) -> Any:
        """Return the loss of a cluster, float32 [rows], 0 for targets outside the cluster."""
        rows = ops.arange(ops.shape(x)[0])
        if keras.config.backend() != "jax":  # JAX needs fixed shapes, so it uses all rows
            rows = ops.nonzero(inside)[0]
        inside = ops.take(inside, rows)
        scores = self._scores(
            ops.matmul(ops.take(x, rows, axis=0), self.projections[i]), self.tails[i]
        )
        targets = ops.where(inside, ops.take(targets, rows), 0)
        losses = ops.sparse_categorical_crossentropy(targets, scores, from_logits=True)
        losses = ops.where(inside, losses, 0.0)
        return ops.scatter(rows[:, None], losses, (ops.shape(x)[0],))

    def _scores(self, x: Any, kernel: Any) -> Any:
        return ops.cast(ops.matmul(x, ops.transpose(kernel)), "float32")

    def get_config(self) -> dict[str, Any]:
        config = {"cutoffs": list(self.cutoffs), "factor": self.factor}
        return {**super().get_config(), **config}
