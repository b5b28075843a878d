"""`python -m tests.faults`: make every fault, and print a table of what came of it; 1 if a promise was broken."""

import sys

from tests.faults.cases import FAULTS, tried


def main() -> int:
    """Those whose names hold one of the arguments, or all."""
    wanted = [name for name in FAULTS if not sys.argv[1:] or any(word in name for word in sys.argv[1:])]
    broken = 0
    print("| fault | what a client saw | lost | healthy again |\n|---|---|---|---|", flush=True)
    for name in wanted:
        outcome = tried(name)
        healthy = "at once" if outcome.healthy_s is None else f"{outcome.healthy_s:.2f} s"
        print(f"| {name} | {outcome.seen} | {outcome.lost} | {healthy} |", flush=True)
        for fault in outcome.faults:
            print(f"  BROKEN: {fault}", flush=True)
        broken += len(outcome.faults)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
