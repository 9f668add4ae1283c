"""Small seeded experiments that write figures and the numbers of the figures."""
