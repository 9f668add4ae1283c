"""One experiment per file. `zoo.lab.experiment` finds them. Importing them does not load TensorFlow."""
