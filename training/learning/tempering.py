"""What is done to a network's logits once and for all, in the weights of its last layer."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_LAST_LAYER = ("dense/kernel", "dense/bias")


def with_bias(
    weights: Mapping[str, NDArray[np.float32]], bias: NDArray[np.float32]
) -> Mapping[str, NDArray[np.float32]]:
    """Those of a network with something added to the logit of each character, [V]; the gates stay as they are."""
    added = np.zeros_like(weights["dense/bias"])
    added[: len(bias)] = bias
    return dict(weights) | {"dense/bias": weights["dense/bias"] + added}


def tempered(weights: Mapping[str, NDArray[np.float32]], temperature: float) -> Mapping[str, NDArray[np.float32]]:
    """Those of a network whose logits are divided by a temperature; the gates' are among them."""
    if temperature == 1.0:
        return weights
    return dict(weights) | {name: (weights[name] / temperature).astype(np.float32) for name in _LAST_LAYER}
