"""The words of LaTeX and of plain mathematics that the reader knows. Tables only."""

OPENERS = {"(", "[", "{", "\\{", "\\langle", "\\lfloor", "\\lceil", "\\lvert"}
CLOSERS = {")", "]", "}", "\\}", "\\rangle", "\\rfloor", "\\rceil", "\\rvert"}
FUNCTIONS = {*("sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc asin acos atan sinh cosh tanh coth".split()),
             *("ln log lg exp sqrt cbrt abs max min gcd lcm floor ceil arcsinh arccosh arctanh arsinh arcosh artanh cis".split()),
             "binom", "frac"}  # fmt: skip
NAMES = {"pi", "infty", "infinity", "inf", "oo", "alpha", "beta", "gamma", "delta", "theta", "lambda", "omega", "phi"}
UNIT_LETTERS = frozenset("msghLlNJWKCFV")
"""One letter that may be a unit when it stands apart from its number, or in \\text{}."""
CONNECTORS = {"and", "or", "per", "by", "in", "to", "not", "no"}
TEXT_COMMANDS = ("text", "textbf", "textit", "textrm", "texttt", "textsf", "textnormal", "mbox", "hbox", "mathrm",
                 "emph", "operatorname", "mathsf", "mathtt", "mathit", "unit", "underline")  # fmt: skip
STYLE_COMMANDS = {"\\mathbf", "\\boldsymbol", "\\bm", "\\mathcal", "\\mathfrak", "\\mathscr", "\\vec", "\\hat", "\\bf",
                  "\\overrightarrow", "\\overleftarrow", "\\tilde", "\\widehat", "\\mathit"}  # fmt: skip
GREEK_TWINS = {"\\varepsilon": "\\epsilon", "\\varphi": "\\phi", "\\vartheta": "\\theta", "\\varrho": "\\rho"}
GREEK = {f"\\{n}" for n in ("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho "
                            "sigma tau upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega ell "
                            "hbar Pi Upsilon prime nabla partial angle triangle").split()}  # fmt: skip
CONSTANTS = {"\\pi": "pi", "pi": "pi", "e": "e", "i": "i", "\\imath": "i", "\\mathrm{i}": "i", "\\infty": "infinity",
             "infty": "infinity", "infinity": "infinity", "inf": "infinity", "oo": "infinity"}  # fmt: skip
CALLS = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "lg": "log10", "arsinh": "arcsinh",
         "arcosh": "arccosh", "artanh": "arctanh"}  # fmt: skip
CLOSER = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "\\lfloor": "\\rfloor", "\\lceil": "\\rceil",
          "\\lvert": "\\rvert", "|": "|"}  # fmt: skip
TIMES = {"*", "\\cdot", "\\times", "\\ast", "\\bullet"}
OVER = {"/", "\\div", ":"}
COMMANDS = ("frac", "dfrac", "tfrac", "sqrt", "text", "mathrm", "mathbb", "left", "right", "begin", "end", "cdot", "times", "pi",
            "infty", "in", "cup", "cap", "le", "leq", "ge", "geq", "ne", "neq", "lt", "gt", "pm", "circ", "theta", "alpha", "beta",
            "sin", "cos", "tan", "log", "ln", "binom", "emptyset", "approx", "quad")  # fmt: skip
"""Commands that lose a backslash when their text was escaped twice."""
VALUED = set("fghFGHIPQSTVWyuv")
"""Names that before a number in brackets are functions, as in f(0)."""
BASES = {"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
         "ten": "10", "twelve": "12", "sixteen": "16"}  # fmt: skip


def is_atom(command: str) -> bool:
    """A factor can begin with it."""
    bare = command.removeprefix("\\")
    return bare in FUNCTIONS or command in (GREEK | CONSTANTS.keys() | {"\\overline", "\\bar", "\\mathbb"})
