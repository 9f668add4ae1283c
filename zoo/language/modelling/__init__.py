"""Language modelling: the probability of each token given all tokens before it."""
