"""Ensembles that no trajectory visits in time: Monte Carlo."""

from adiabat.sampling.exchange import ExchangeSettings, Samples, sample_exchanges

__all__ = ["ExchangeSettings", "Samples", "sample_exchanges"]
