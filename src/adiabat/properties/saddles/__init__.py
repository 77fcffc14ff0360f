"""Saddles found from one side: without knowing where they lead."""

from adiabat.properties.saddles.follow import Followed, FollowSettings, follow_lowest_mode
from adiabat.properties.saddles.prfo import Stationary, partitioned_rational_function
from adiabat.properties.saddles.search import Saddles, saddles, saddles_of_member
from adiabat.properties.saddles.verify import Verified, verified

__all__ = [
    "FollowSettings",
    "Followed",
    "Saddles",
    "Stationary",
    "Verified",
    "follow_lowest_mode",
    "partitioned_rational_function",
    "saddles",
    "saddles_of_member",
    "verified",
]
