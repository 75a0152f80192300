"""`python -m branes` is `brane`."""

import sys

from branes.cli import main

if __name__ == "__main__":
    sys.exit(main())
