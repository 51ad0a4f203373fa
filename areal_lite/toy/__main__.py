"""python -m areal_lite.toy DIRECTORY [SEED]: write the quickstart's model and data."""
import argparse

from areal_lite.toy import make

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m areal_lite.toy", description="write the quickstart's model and data")
    parser.add_argument("directory", help="made when it is missing")
    parser.add_argument("seed", type=int, nargs="?", default=1, help="of the problems (default %(default)s)")
    options = parser.parse_args()
    make(options.directory, options.seed)
