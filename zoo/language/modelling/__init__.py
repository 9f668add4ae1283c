"""Language modelling: the probability of each token given the ones before it."""
