"""The processes, on several machines, that train one network together: as TF_CONFIG names them, or this one alone.

TF_CONFIG is TensorFlow's own: `{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}`.
Worker 0 is the chief, which writes the run; all see its folder.
"""

import json
import os
from dataclasses import dataclass

from training.errors import ConfigError

_VARIABLE = "TF_CONFIG"


@dataclass(frozen=True)
class Workers:
    """How many there are, and which this is."""

    count: int = 1
    index: int = 0

    @property
    def is_chief(self) -> bool:
        return self.index == 0

    @classmethod
    def from_environment(cls) -> "Workers":
        """What TF_CONFIG says.

        Raises:
            ConfigError: it is not a list of workers and one of them.
        """
        if not (text := os.environ.get(_VARIABLE)):
            return cls()
        try:
            config = json.loads(text)
            count, task = len(config["cluster"]["worker"]), config["task"]
            is_known = set(config["cluster"]) == {"worker"} and task["type"] == "worker" and 0 <= task["index"] < count
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{_VARIABLE}: unreadable ({type(error).__name__})") from None
        if not is_known:
            raise ConfigError(f"{_VARIABLE}: the cluster must be of workers alone, and the task one of its {count}")
        return cls(count, task["index"])
