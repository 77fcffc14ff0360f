"""What can be wrong with a data set: one module per family of checks, each a function of a survey."""
