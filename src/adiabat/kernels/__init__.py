"""Compiled operations: arrays in, arrays out."""
