"""What is remembered of a sequence between two of its steps: a value that one may go on from, in several ways too."""

from dataclasses import dataclass

from app.abc.lookback import Tracker
from app.inference.decoder import State


@dataclass(frozen=True, eq=False)
class Memory:
    """After all the ids that were fed.

    Args:
        arrays: the model's state, each array's row, [units].
        tracker: where the text stands, for a model that is told so; whoever goes on from here takes a copy.
    """

    arrays: State
    tracker: Tracker | None = None
