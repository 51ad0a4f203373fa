"""Words and files -> one checked, frozen Experiment: defaults < base < exp < tiny < command line.

A key that does not exist is an error with the nearest one that does; so is a value of the wrong type. What this
returns is written into the run directory, and every child process reads only that (read_stage, read_experiment).
"""
import dataclasses
import difflib
import functools
import re
import typing
from pathlib import Path

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from areal_lite.config.checks import ConfigError, check_stage
from areal_lite.config.schema import Experiment, Stage

CONFIGS = next(d for up in (1, 2) if (d := Path(__file__).resolve().parents[up] / "configs").is_dir())
"""What ships: areal_lite/configs of an installed package, configs/ of a checkout."""
OWN = Path("configs")
"""A user's own experiments, below the working directory; of two files of one name this one is meant."""
_TOP = {"name", "run_dir", "recipe", "recover", "launcher", "make", "stages", "base"}
"""Keys of a config file besides those of Stage."""


def load(words: list[str]) -> Experiment:
    """exp=NAME_OR_FILE [tiny=true] [dotted.key=value ...] -> Experiment. ConfigError when something in them is wrong.

    With `stages:` in the file, a dotted key applies to every stage, and stages.NAME.key=value to one.
    """
    options = dict(_split(word) for word in words)
    name = options.pop("exp", "")
    if not name:
        raise ConfigError(f"say which experiment: exp=FILE.yaml of your own, or exp=NAME, one of {', '.join(names())}")
    tiny = _value(bool, {"true": True, "false": False}.get(said := options.pop("tiny", "false").lower(), said), "command line", "tiny")
    tree, above = _file(name), []
    per_stage = {k: options.pop(k) for k in list(options) if k.startswith("stages.")}
    if tiny:
        above.append(_file("tiny"))
        if "generation.max_new_tokens" not in options:
            per_stage = {**_contexts(tree, above[0].generation.max_new_tokens), **per_stage}
        tree = _merge(tree, above[0], "tiny")
    line = OmegaConf.from_dotlist([f"{k}={v}" for k, v in options.items()])
    _check_keys(line, "command line")
    tree = _merge(tree, line, "command line")
    above = [{k: v for k, v in OmegaConf.to_container(a, resolve=False).items() if k not in _TOP} for a in (*above, line)]
    return _experiment(tree, above, per_stage, re.sub(r"\.ya?ml$", "", Path(name).name) + ("-tiny" if tiny else ""))


def _contexts(tree: DictConfig, first: int) -> dict[str, str]:
    """A curriculum's contexts with the recipe's ratios, beginning at `first` tokens."""
    tokens = tree.generation.max_new_tokens
    own = {s.name: OmegaConf.select(s, "generation.max_new_tokens", default=tokens) for s in tree.get("stages") or ()}
    return {f"stages.{name}.generation.max_new_tokens": str(first * n // next(iter(own.values()))) for name, n in own.items()}


def names() -> list[str]:
    """What exp= can name from here: the experiments that ship with the project and those in ./configs."""
    return sorted({p.stem for d in (OWN, CONFIGS) for p in d.glob("*.yaml") if p.stem != "tiny" and not p.stem.startswith(("_", "eval-"))})


def to_yaml(thing: Experiment | Stage) -> str:
    """The resolved configuration as YAML; read_experiment and read_stage read it back."""
    return OmegaConf.to_yaml(OmegaConf.create(dataclasses.asdict(thing)))


def read_stage(directory: str | Path) -> Stage:
    """The Stage a launcher wrote to DIRECTORY/config.yaml. ConfigError when it wrote none."""
    return _build(Stage, _written(directory), f"{directory}/config.yaml")


def read_experiment(directory: str | Path) -> Experiment:
    """The Experiment a launcher wrote to DIRECTORY/config.yaml. ConfigError when it wrote none."""
    if is_stage(directory):
        raise ConfigError(f"{directory} is one stage of a run; give the run_dir itself, {Path(directory).absolute().parent}")
    return _build(Experiment, _written(directory), f"{directory}/config.yaml")


def is_stage(directory: str | Path) -> bool:
    """Whether DIRECTORY/config.yaml is of one stage, not of a whole run. ConfigError when there is none."""
    return "stages" not in _written(directory)


def _written(directory: str | Path) -> DictConfig:
    if not (file := Path(directory) / "config.yaml").exists():
        raise ConfigError(f"{directory} is not a run directory: it has no config.yaml. Give the run_dir of a launched experiment")
    return _yaml(file)


def read_words(cls: type, words: list[str]) -> object:
    """key=value words -> the frozen dataclass `cls` of another command, over exp=NAME's file. A list is written [a,b], or a,b."""
    options = dict(map(_split, words))
    below = _yaml(_path(options.pop("exp"), Path())) if "exp" in options else OmegaConf.create()
    line = OmegaConf.from_dotlist([f"{k}={v}" for k, v in options.items()])
    tree = OmegaConf.to_container(_merge(below, line, "command line"), resolve=False)
    hints = typing.get_type_hints(cls)
    for key, value in tree.items():
        if key not in hints:
            near = difflib.get_close_matches(str(key), hints, 1, 0.5)
            raise ConfigError(f"no key {key}; " + (f"did you mean {near[0]}?" if near else f"valid: {', '.join(hints)}"))
        if typing.get_origin(hints[key]) is tuple and not isinstance(value, list):
            tree[key] = str(value).split(",")
    return _value(cls, tree, "command line", "")


def _split(word: str) -> tuple[str, str]:
    key, sign, value = word.partition("=")
    if not sign or not key:
        meant = f"; did you mean exp={word}?" if word in names() or word.endswith((".yaml", ".yml")) else ""
        raise ConfigError(f"{word!r} is not of the form key=value{meant}")
    return key, value


def _yaml(path: Path) -> DictConfig:
    try:
        tree = OmegaConf.load(path)
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist") from None
    except Exception as error:  # PyYAML's and OmegaConf's own families; both say line and column
        raise ConfigError(f"{path} is not a readable YAML file: {error}") from error
    if not isinstance(tree, DictConfig):
        raise ConfigError(f"{path} must be a mapping of keys")
    return tree


def _path(name: str, beside: Path) -> Path:
    """The file that NAME or FILE.yaml means; a relative FILE.yaml lies beside the file that names it. ConfigError when there is none."""
    places = [beside / name] if name.endswith((".yaml", ".yml")) else [d / f"{name}.yaml" for d in (OWN, CONFIGS)]
    if found := next((path for path in places if path.is_file()), None):
        return found
    if name.endswith((".yaml", ".yml")):
        raise ConfigError(f"{places[0]} does not exist; exp=NAME without .yaml means a shipped experiment, or one in ./configs")
    near = [f"{name}.yaml"] if (beside / f"{name}.yaml").is_file() else difflib.get_close_matches(name, names(), 3, 0.4)
    raise ConfigError(f"no experiment {name!r}; " + (f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names())}"))


def _file(name: str, beside: Path = Path(), seen: tuple[Path, ...] = ()) -> DictConfig:
    """The tree of one config file with its bases merged in; a list, such as `stages:`, replaces that of the base."""
    path = _path(name, beside)
    if path.resolve() in seen:
        raise ConfigError(f"{path}: base: goes round in a circle: {' -> '.join(map(str, (*seen, path.resolve())))}")
    tree = _yaml(path)
    _check_keys(tree, str(path))
    if base := tree.pop("base", ""):
        tree = _merge(_file(str(base), path.parent, (*seen, path.resolve())), tree, str(path))
    return tree


def _merge(lower: DictConfig, upper: DictConfig, where: str) -> DictConfig:
    try:
        return OmegaConf.merge(lower, upper)
    except OmegaConfBaseException as error:
        raise ConfigError(f"{where}: {error}") from error


def _check_keys(tree: DictConfig, where: str) -> None:
    """Every key exists, here and in the stages; values are checked when the dataclasses are built."""
    body = {k: v for k, v in OmegaConf.to_container(tree, resolve=False).items() if k not in _TOP}
    _known(Stage, body, where, "")
    stages = tree.get("stages") or []
    if not isinstance(stages, list | ListConfig) or not all(isinstance(s, DictConfig) for s in stages):
        raise ConfigError(f"{where}: stages must be a list of groups of keys, each with its own name")
    for i, stage in enumerate(stages):
        if "name" not in stage:
            raise ConfigError(f"{where}: stage {i + 1} has no name")
        _known(Stage, OmegaConf.to_container(stage, resolve=False), where, f"stages.{stage.name}.")


def _known(cls: type, values: dict, where: str, prefix: str) -> None:
    hints = typing.get_type_hints(cls)
    for key, value in values.items():
        if key not in hints:
            every = [*hints, *(_TOP if cls is Stage and not prefix and key not in _TOP else ())]
            close, leaves = functools.partial(difflib.get_close_matches, str(key), n=1), _leaves(Stage)
            near = close(every, cutoff=0.75) or [leaves[n] for n in close(leaves, cutoff=0.75)] or close(every, cutoff=0.5)
            hint = f"did you mean {prefix + near[0] if near[0] in every else near[0]}?" if near else f"valid: {', '.join(hints)}"
            raise ConfigError(f"{where}: no key {prefix}{key}; {hint}")
        if dataclasses.is_dataclass(hints[key]):
            if not isinstance(value, dict):
                raise ConfigError(f"{where}: {prefix}{key} is a group of keys, not {value!r}")
            _known(hints[key], value, where, f"{prefix}{key}.")


def _leaves(cls: type, prefix: str = "") -> dict[str, str]:
    """Name -> dotted key of everything in the groups of `cls`; of several of one name the first."""
    found: dict[str, str] = {}
    for name, hint in typing.get_type_hints(cls).items():
        found = {**(_leaves(hint, f"{prefix}{name}.") if dataclasses.is_dataclass(hint) else {name: prefix + name}), **found}
    return found


def _experiment(tree: DictConfig, above: list[dict], per_stage: dict[str, str], default_name: str) -> Experiment:
    """above: what applies over every stage's own keys (the tiny overlay, then the command line)."""
    body = OmegaConf.to_container(tree, resolve=False)
    top = {k: body.pop(k) for k in list(body) if k in _TOP}
    overlays = top.get("stages") or [{"name": "main"}]
    stage_names = [o["name"] for o in overlays]
    if len(set(stage_names)) < len(stage_names):
        raise ConfigError(f"stages are called {', '.join(stage_names)}; give each its own name")
    for word in per_stage:
        if word.split(".")[1] not in stage_names or word.count(".") < 2:
            raise ConfigError(f"{word}: write stages.NAME.key=value, with NAME one of {', '.join(stage_names)}")
    name = str(top.get("name") or default_name)
    run_dir = str(top.get("run_dir") or f"runs/{name}")
    stages = []
    for overlay in overlays:
        mine = [f"{k.split('.', 2)[2]}={v}" for k, v in per_stage.items() if k.split(".")[1] == overlay["name"]]
        layers = [body, overlay, *above, OmegaConf.from_dotlist(mine), {"name": overlay["name"]}]
        stages.append(_stage(OmegaConf.merge(*layers), run_dir, f"stage {overlay['name']}"))
    stages = [_continued(run_dir, stages, i) for i in range(len(stages))]
    said = {key: str(top.get(key) or "") for key in ("recipe", "recover", "launcher", "make")}
    if said["launcher"] not in ("", "slurm", "ray"):
        raise ConfigError(f"launcher={said['launcher']} must be slurm or ray, or empty for one command per node")
    if said["make"] not in ("", "toy", "tiny"):
        raise ConfigError(f"make={said['make']} must be toy or tiny, or empty for a model and data of your own")
    return Experiment(name, run_dir, tuple(stages), **said)


def _continued(run_dir: str, stages: list[Stage], i: int) -> Stage:
    """Stage i starts from the export of the one before it, unless it names a model of its own."""
    if i == 0 or stages[i].model.path != stages[0].model.path:
        return stages[i]
    model = dataclasses.replace(stages[i].model, path=f"{run_dir}/{stages[i - 1].name}/export")
    return dataclasses.replace(stages[i], model=model)


def _stage(tree: DictConfig, run_dir: str, where: str) -> Stage:
    """One checked Stage; ${run_dir} is the only word that is replaced."""
    _known(Stage, OmegaConf.to_container(tree, resolve=False), where, "")
    resolved = OmegaConf.create(OmegaConf.to_yaml(tree).replace("${run_dir}", run_dir))
    stage = _build(Stage, resolved, where)
    check_stage(stage)
    return stage


def _build(cls: type, tree: DictConfig | dict, where: str) -> object:
    container = OmegaConf.to_container(tree, resolve=True) if isinstance(tree, DictConfig) else tree
    return _value(cls, container, where, "")


def _value(kind: object, value: object, where: str, key: str) -> object:
    """value as the type `kind`; ConfigError says what was expected where."""
    origin = typing.get_origin(kind)
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise ConfigError(f"{where}: {key or 'the file'} must be a group of keys, not {value!r}")
        hints = typing.get_type_hints(kind)
        _known(kind, {k: v for k, v in value.items() if k not in hints}, where, f"{key}." if key else "")
        dot = f"{key}." if key else ""
        return kind(**{k: _value(hints[k], v, where, dot + k) for k, v in value.items()})
    if origin is typing.Literal:
        allowed = typing.get_args(kind)
        if value not in allowed:
            near = difflib.get_close_matches(str(value), [str(a) for a in allowed], 1, 0.5)
            raise ConfigError(f"{where}: {key} is {value!r}, but must be one of {', '.join(map(repr, allowed))}"
                              + (f"; did you mean {near[0]!r}?" if near else ""))
        return value
    if origin is tuple:
        return _tuple(kind, value, where, key)
    if kind is float and type(value) is int:
        return float(value)
    if kind is float and isinstance(value, str):
        try:
            return float(value)            # YAML reads 1e-6 as text
        except ValueError:
            pass
    if kind is str and value is None:
        return ""                          # key= on the command line
    if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if type(value) is not kind:
        raise ConfigError(f"{where}: {key} is {'empty' if value is None else repr(value)}, but must be {_word(kind)}")
    return value


def _tuple(kind: object, value: object, where: str, key: str) -> tuple:
    if not isinstance(value, list | tuple | ListConfig):
        raise ConfigError(f"{where}: {key} is {value!r}, but must be a list [a, b, ...]")
    inner = typing.get_args(kind)
    if inner[-1] is not Ellipsis and len(inner) != len(value):
        raise ConfigError(f"{where}: {key} has {len(value)} entries, but must have {len(inner)}")
    return tuple(_value(inner[0], v, where, f"{key}[{i}]") for i, v in enumerate(value))


def _word(kind: object) -> str:
    words = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    return words.get(kind, str(kind))


