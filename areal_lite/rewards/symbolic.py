"""The slow path: a maintained LaTeX parser and sympy."""


def warm_up() -> None:
    """Import what a worker needs, once, before its memory is capped."""
    import latex2sympy2_extended  # noqa: F401
    import sympy  # noqa: F401
