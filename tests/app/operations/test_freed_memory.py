"""What is freed goes back to the system, however large it was and whatever was made after it."""

import subprocess
import sys

import pytest

from tests.servers import environment

PROGRAM = """
import sys
from pathlib import Path
from app.operations import freed_memory

def rss_mib():
    return int(Path("/proc/self/statm").read_text().split()[1]) / 256

if sys.argv[1] == "yes":
    freed_memory.give_back()
before = rss_mib()
del_me = b"a" * (30 << 20)
del del_me  # after which glibc takes so much from its heap
large, small = [], []
for _ in range(20):
    large.append(b"b" * (3 << 20))
    small.append(b"c" * 200_000)
del large
print(rss_mib() - before)
"""


@pytest.mark.parametrize(("is_given_back", "is_kept"), [("yes", False), ("no", True)])
def test_large_arrays_are_given_back(is_given_back: str, is_kept: bool) -> None:
    command = [sys.executable, "-c", PROGRAM, is_given_back]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment())
    assert (float(said.stdout) > 20) == is_kept
