"""The decoders' characters a second as bars, one panel a network and batch size."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from benchmarks.decode import ROOFLINE


def draw(kept: dict[str, Any], file: Path) -> None:
    """An SVG of the results that `decode` has left, as `benchmarks.__main__` keeps them."""
    networks = {part.split()[1]: kept[part]["results"] for part in sorted(kept) if part.startswith("decode ")}
    networks = dict(sorted(networks.items(), key=lambda item: int(item[0])))
    figure = Figure(figsize=(12, 3.6 * len(networks)), layout="constrained")
    panels = figure.subplots(len(networks), 3, sharey=False, squeeze=False)
    names = [name for name in reversed(next(iter(networks.values()))["1"]) if name != ROOFLINE]
    for row, (units, batches) in zip(panels, networks.items(), strict=True):
        for panel, (batch, rates) in zip(row, batches.items(), strict=True):
            values = [(rates.get(name) or 0.0) / 1000 for name in names]
            panel.barh(names, values, color=["#1f6f54" if name.startswith("Lilt") else "#b9bcc2" for name in names])
            panel.set_title(f"{units} units, {batch} at once", fontsize=10)
            panel.tick_params(labelsize=8, labelleft=panel is row[0])
            panel.spines[["top", "right"]].set_visible(False)
        row[1].set_xlabel("thousand characters a second", fontsize=8)
    figure.savefig(file, metadata={"Date": None})
