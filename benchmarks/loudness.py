"""`python -m benchmarks.loudness TUNEBOOK`: loudness and peaks of 100 tunes, the notebook's way and the service's.

Judged by pyloudnorm (another maker's BS.1770-4) and by the peak of the sound four times oversampled.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pyloudnorm
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from benchmarks.render import SOUNDFONT
from tests.servers import serving

SAMPLE = 100


def judge(samples: NDArray[np.float64], rate: int) -> tuple[float, float]:
    """Integrated loudness in LUFS and true peak in dB."""
    peak = np.abs(resample_poly(samples, 4, 1, axis=0)).max()
    return pyloudnorm.Meter(rate).integrated_loudness(samples), 20 * np.log10(max(float(peak), 1e-9))


def before(abc: str, folder: Path) -> tuple[float, float]:
    """The notebook's way."""
    (folder / "tune.abc").write_text(abc)
    (folder / "timidity.cfg").write_text(f'soundfont "{SOUNDFONT}"\n')
    for command in (
        ["abc2midi", "tune.abc", "-o", "tune.mid"],
        ["timidity", "-c", "timidity.cfg", "-Ow", "-o", "tune.wav", "tune.mid"],
    ):
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return judge(*soundfile.read(folder / "tune.wav"))


def describe(name: str, judged: list[tuple[float, float]]) -> str:
    """Spread and peaks of one way."""
    loudness, peaks = np.array(judged).T
    return (
        f"{name:10} loudness {loudness.mean():6.1f} LUFS, standard deviation {loudness.std():4.2f}, from "
        f"{loudness.min():6.1f} to {loudness.max():6.1f}; true peak from {peaks.min():6.1f} to {peaks.max():6.1f} dB"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tunebook", type=Path)
    parser.add_argument("--tunes", type=int, default=SAMPLE)
    arguments = parser.parse_args()
    tunes = [t for t in arguments.tunebook.read_text().split("\n\n") if "K:" in t and "X:" in t]
    tunes = tunes[:: max(1, len(tunes) // arguments.tunes)][: arguments.tunes]
    old, new = [], []
    with serving() as server, server.client() as client, tempfile.TemporaryDirectory() as name:
        for tune in tunes:
            abc = tune.strip("\n") + "\n"
            response = client.post("/render", json={"abc": abc}, timeout=120)
            if response.status_code != 200:
                print(f"left out: {response.json()['detail']}")
                continue
            (Path(name) / "new.wav").write_bytes(response.content)
            new.append(judge(*soundfile.read(Path(name) / "new.wav")))
            old.append(before(abc, Path(name)))
    print(f"{len(new)} tunes")
    print(describe("notebook", old))
    print(describe("service", new))


if __name__ == "__main__":
    main()
