"""The atomic density and its invariants: cutoff, radial, angular, coupling, products."""
