"""Generated interactions with a known right answer, and published data sets."""

from skrec.datasets._interactions import InteractionTruth, make_interactions

__all__ = ["InteractionTruth", "make_interactions"]
