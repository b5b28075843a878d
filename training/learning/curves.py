"""Draws a run's loss curves."""

from io import BytesIO

from matplotlib.figure import Figure

from training.learning.run_folder import History

SMOOTHING = 0.9  # of the training loss' moving average


def draw(history: History, title: str) -> bytes:
    """The training and validation loss over the steps, as PNG."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    steps = [row.step for row in history.rows]
    axes.plot(steps, [row.loss for row in history.rows], color="tab:blue", alpha=0.25, linewidth=0.8)
    axes.plot(steps, _smooth([row.loss for row in history.rows]), color="tab:blue", label="training (with dropout)")
    measured = [(row.step, row.validation) for row in history.rows if row.validation is not None]
    if measured:
        axes.plot(*zip(*measured, strict=True), color="tab:orange", marker=".", label="validation")
    axes.set(xlabel="step", ylabel="loss (nats per character)", title=title)
    axes.grid(alpha=0.3)
    axes.legend()
    content = BytesIO()
    figure.savefig(content, format="png", dpi=110)
    return content.getvalue()


def _smooth(values: list[float]) -> list[float]:
    """A moving average that begins at the first value."""
    smoothed: list[float] = []
    for value in values:
        smoothed.append(SMOOTHING * smoothed[-1] + (1 - SMOOTHING) * value if smoothed else value)
    return smoothed
