"""What runs inside an oracle's process: it knows ASE and NumPy alone, so that a code may live in an environment of its own."""
