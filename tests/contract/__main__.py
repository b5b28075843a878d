"""`python -m tests.contract st`: Schemathesis against a real server, for every operation of its OpenAPI document.

What it holds: no answer of 500 and above, no status, media type, header or body that the document does not have, no
invalid request that is taken. What a schema cannot say is not held: whether a text is a tune and a model is loaded (so
a valid request may be refused), and that to /check any text will do. `st` is the program, which `make contract`
installs apart from the service's own packages.
"""

import argparse
import subprocess
import sys

from tests.servers import serving


def main() -> int:
    """Run it, and return what it does: 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("st", help="Schemathesis's program")
    parser.add_argument("--examples", type=int, default=100, help="requests of each kind and operation (default: 100)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = 0
    with serving(max_length="2000", max_render_minutes="1") as server:
        for which, unheld in {"--exclude-path": (), "--include-path": ("negative_data_rejection",)}.items():
            command = [
                options.st, "run", f"{server.url}/openapi.json", which, "/check",
                "--checks", "all", "--exclude-checks", ",".join(("positive_data_acceptance", *unheld)),
                "--max-examples", str(options.examples), "--seed", str(options.seed), "--request-timeout", "60",
                "--continue-on-failure", "--generation-database", "none",
            ]  # fmt: skip
            found |= subprocess.run(command, check=False).returncode
        left = [line for line in server.log if '"level": "ERROR"' in line or "Traceback" in line]
    print("".join(left) or "no error in the service's log")
    return 1 if found or left else 0


if __name__ == "__main__":
    sys.exit(main())
