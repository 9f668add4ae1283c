"""The experiments: one a file, found by `zoo.lab.experiment`. Importing one loads no TensorFlow."""
