"""What a stage may not ask for: values out of range, and options that would have no effect where they stand."""
import dataclasses

from areal_lite.config.schema import Algorithm, Stage
from realhf import allocation

POSITIVE = {"algorithm.prompts_per_step", "algorithm.group_size", "algorithm.minibatches", "generation.max_new_tokens",
            "generation.max_concurrency", "reward.workers", "data.max_prompt_tokens", "evaluation.samples", "trainer.optimizer.lr",
            "cluster.nodes", "trainer.max_tokens_per_microbatch"}
SIGNED = {"seed", "reward.correct", "reward.wrong"}
"""Every other number must not be negative."""


class ConfigError(ValueError):
    """A configuration that cannot run; the message names the file or key and what to change."""


def check_stage(stage: Stage) -> None:
    """Raise ConfigError listing everything that is wrong with the stage, a line each."""
    wrong = [*_required(stage), *_ranges(stage)]
    if stage.kind == "rl":
        wrong += [*_no_effect(stage), *_reward(stage)]
    if wrong:
        raise ConfigError(f"stage {stage.name}:\n" + "\n".join(f"  {line}" for line in wrong))


def _required(stage: Stage):
    for key, value in (("model.path", stage.model.path), ("data.path", stage.data.path)):
        if value in ("", "???"):
            yield f"{key} is not set; say {key}=PATH"


def _ranges(stage: Stage):
    a, u = stage.algorithm, stage.until
    for key, value in _numbers(stage):
        if value <= 0 and key in POSITIVE:
            yield f"{key} is {value}, but must be positive"
        elif value < 0 and key not in SIGNED:
            yield f"{key} is {value}, but must not be negative"
    try:
        allocation.parse(stage.cluster.allocation)
    except ValueError as error:
        yield f"cluster.allocation: {error}"
    if a.minibatches > 0 and a.prompts_per_step % a.minibatches:
        fits = [m for m in range(1, a.prompts_per_step + 1) if a.prompts_per_step % m == 0]
        near = min(fits, key=lambda m: abs(m - a.minibatches))
        yield f"algorithm.minibatches={a.minibatches} does not divide prompts_per_step={a.prompts_per_step}; nearest: {near}"
    if not 1 <= stage.generation.update_every <= a.max_staleness + 1:
        yield (f"generation.update_every={stage.generation.update_every} must be in 1..{a.max_staleness + 1}: "
               f"with max_staleness={a.max_staleness} no ticket could be issued in between")
    if stage.kind == "rl" and stage.generation.temperature <= 0:
        yield "generation.temperature must be positive while training; greedy answers have no gradient"
    if u.steps == u.epochs == 0:
        yield "the stage never ends: set until.steps or until.epochs"
    if not 0 < stage.evaluation.top_p <= 1:
        yield f"evaluation.top_p is {stage.evaluation.top_p}, but must be in (0, 1]"
    if stage.generation.max_concurrency < a.group_size:
        yield (f"generation.max_concurrency={stage.generation.max_concurrency} is below algorithm.group_size={a.group_size}: "
               f"a group is sampled on one server")
    if not 0 <= stage.cluster.node_rank < max(stage.cluster.nodes, 1):
        yield f"cluster.node_rank={stage.cluster.node_rank} is not one of 0..{stage.cluster.nodes - 1}"


def _numbers(thing: object, prefix: str = ""):
    """(dotted key, value) of every number."""
    for field in dataclasses.fields(thing):
        value = getattr(thing, field.name)
        if dataclasses.is_dataclass(value):
            yield from _numbers(value, f"{prefix}{field.name}.")
        elif isinstance(value, int | float):
            yield prefix + field.name, value


def _no_effect(stage: Stage):
    a, default = stage.algorithm, Algorithm()
    if a.objective == "naive" and a.behaviour_weight != "none":
        yield "algorithm.behaviour_weight has no effect with objective=naive; set it to none"
    if a.behaviour_weight == "none" and a.behaviour_weight_cap != default.behaviour_weight_cap:
        yield "algorithm.behaviour_weight_cap has no effect with behaviour_weight=none"
    if stage.model.reference and not (a.kl_reward or a.kl_loss):
        yield "model.reference has no effect while algorithm.kl_reward and algorithm.kl_loss are 0"
    if a.max_attempts != default.max_attempts and a.filter_groups == "none":
        yield "algorithm.max_attempts has no effect with filter_groups=none"
    if a.advantage != "global" and a.group_size < 2:
        yield f"algorithm.advantage={a.advantage} needs group_size of at least 2"
    if a.filter_groups != "none" and a.group_size < 2:
        yield f"algorithm.filter_groups={a.filter_groups} needs group_size of at least 2"
    if a.staleness_policy != "bounded" and a.max_staleness == 0:
        yield f"algorithm.staleness_policy={a.staleness_policy} has no effect with max_staleness=0"
    if stage.cluster.weights_dir and stage.cluster.weights_transport != "files":
        yield "cluster.weights_dir has no effect with weights_transport=direct, which writes no files"
    if stage.evaluation.temperature == 0 and (stage.evaluation.samples > 1 or stage.evaluation.top_p < 1):
        yield "evaluation.temperature=0 is greedy: samples above 1 and top_p below 1 have no effect"


def _reward(stage: Stage):
    r = stage.reward
    if stage.data.format == "sft":
        yield "data.format=sft rows have a response but no gold to reward against; set kind=sft, or give rows with answers"
    if (r.rule == "function") != bool(r.function):
        yield "reward.rule=function and reward.function=path/file.py:name belong together"
    if r.function and ":" not in r.function:
        yield f"reward.function is {r.function!r}, but must be path/file.py:name"
    if (r.overlong_buffer > 0) != (r.overlong_penalty != 0):
        yield "reward.overlong_buffer and reward.overlong_penalty belong together"
    if r.overlong_buffer > stage.generation.max_new_tokens:
        yield f"reward.overlong_buffer={r.overlong_buffer} exceeds generation.max_new_tokens={stage.generation.max_new_tokens}"
