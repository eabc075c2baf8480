"""`python -m bench`: hands the command line to `bench.cli`. Knows nothing else, since workers import it too."""

import sys

from bench.cli import main

if __name__ == "__main__":
    sys.exit(main())
