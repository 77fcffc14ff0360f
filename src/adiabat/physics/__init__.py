"""Energies known from physics: repulsion between nuclei."""
