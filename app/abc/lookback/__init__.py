"""What a network is told of a text beside each character: place, key, plan, and what stood a few bars back."""

from app.abc.lookback.tracker import Tracker, track

__all__ = ["Tracker", "track"]
