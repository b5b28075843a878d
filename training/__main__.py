"""The command line: `python -m training train | evaluate | judge | critic | picture | sample | export | publish …`."""

import sys

from training.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
