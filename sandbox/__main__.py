"""`python -m sandbox`: check the environment, bring the database up to date, serve."""

import sys

from sandbox.serving import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
