"""python -m areal_lite.config: print the configuration reference as Markdown (it is kept in configs/README.md)."""
from areal_lite.config.reference import markdown

if __name__ == "__main__":
    print(markdown(), end="")
