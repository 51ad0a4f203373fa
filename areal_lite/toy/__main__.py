"""python -m areal_lite.toy DIRECTORY [SEED]: write the quickstart's model and data."""
import sys

from areal_lite.toy import make

if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    make(sys.argv[1], *map(int, sys.argv[2:]))
