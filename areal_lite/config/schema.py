"""Everything a run can be told, as frozen dataclasses: the default, the unit and the reason beside each key.

A room receives only its own section. `load.py` fills them from YAML, `checks.py` refuses what would not work.
"""
from dataclasses import dataclass, field
from typing import Literal

from realhf.config import Engine


@dataclass(frozen=True)
class Model:
    """What is trained."""
    path: str = "???"
    """Hugging Face directory or hub name to start from. A later stage of a curriculum takes the one before it."""
    dtype: Literal["bfloat16", "float32"] = "bfloat16"
    """Of the generation engine and of the weights on the wire (the trainer has trainer.compute_dtype)."""
    reference: str = ""
    """Model the KL is measured against; empty means model.path, the stage's own start checkpoint."""


@dataclass(frozen=True)
class Data:
    """What it is trained on."""
    path: str = "???"
    """File, directory or hub data set with the training rows; several with commas."""
    format: Literal["auto", "areal", "deepscaler", "orz", "simplerl", "verl", "plain", "sft"] = "auto"
    """Layout of the rows; auto goes by what is in them, never by the name of the file."""
    template: str = "none"
    """Prompt template by name (areal_lite/templates.py); "none" uses the row's prompt as it is, "chat" the model's own chat
    template, over all messages of a row that has several."""
    max_prompt_tokens: int = 2048
    """Longer prompts are dropped, with a count."""
    difficulty: Literal["", "easy", "medium", "hard"] = ""
    """SimpleRL-Zoo's subsets by source and level; empty keeps every row."""
    limit: int = 0
    """Use only the first rows; 0 is all."""
    decontaminate: tuple[str, ...] = ()
    """Benchmark files; training rows whose problem text occurs there are dropped, with a count."""


@dataclass(frozen=True)
class Generation:
    """The vLLM servers: how answers are sampled, and how new weights get in."""
    max_new_tokens: int = 8192
    """The context stage: an answer is cut here and its finish says "length"."""
    temperature: float = 1.0
    """The trainer divides its logits by the same number. top-p and top-k are refused while training."""
    stop: tuple[str, ...] = ()
    """Texts that end an answer, besides the model's own end-of-sequence tokens."""
    max_concurrency: int = 128
    """Samples one server runs at once (vLLM max_num_seqs)."""
    kv: Literal["keep", "recompute"] = "keep"
    """After an in-flight weight update: go on over the old key-value cache, or prefill the prefix again."""
    rolling: bool = True
    """Update the servers one after the other, so that never all are paused at once."""
    update_every: int = 1
    """Load only every so many versions; at most algorithm.max_staleness + 1, or nothing could be issued."""
    memory_utilization: float = 0.85
    """Share of GPU memory vLLM may take (CUDA)."""
    kv_cache_bytes: int = 0
    """Size of the key-value cache; 0 lets vLLM decide (CUDA) or takes 512 MiB (CPU)."""
    enforce_eager: bool = False
    """No CUDA graphs; always so on CPU."""
    probe_tolerance: float = 0.0
    """Largest |logprob difference| to the trainer after a load; 0 means 1e-4 in fp32 and 0.3 in bf16."""
    start_timeout_s: float = 600.0
    """Until a server is ready: vLLM reads the model, compiles and captures its graphs."""
    update_timeout_s: float = 120.0
    """Clock of one pause, load and resume, and of the wait for a turn before (cluster.weights_transport=direct)."""
    threads: int = 1
    """OMP threads of a CPU server."""


@dataclass(frozen=True)
class Reward:
    """What an answer is worth."""
    rule: Literal["correctness", "simplerl", "mix", "independent", "function"] = "correctness"
    """correctness: correct / wrong. simplerl, mix and independent look at the box too (rewards/rules.py)."""
    correct: float = 5.0
    """Reward of a correct answer that ended by itself."""
    wrong: float = -5.0
    """Reward of a wrong answer, of none, and of one cut by the context, unless the rule says otherwise."""
    protocol: Literal["ours", "math-verify", "qwen"] = "ours"
    """How answers are compared; the published ones are for reproduction and accept some wrong answers."""
    function: str = ""
    """path/file.py:name, called as name(response, answers, finish) -> float in the same killable pool (rule: function). Only with it
    may training rows have no answer."""
    overlong_buffer: int = 0
    """Tokens before the context limit over which a penalty grows linearly to overlong_penalty; 0 is off."""
    overlong_penalty: float = 0.0
    """What an answer at the context limit loses; positive, it is subtracted."""
    max_abs: float = 20.0
    """Rewards are clipped to +-this."""
    timeout_s: float = 5.0
    """Per answer; a timeout is its own outcome and takes the reward of `wrong`."""
    workers: int = 1
    """Verifier processes beside each generation server."""
    memory_mb: int = 2048
    """Address space a verifier worker may add to its start."""


@dataclass(frozen=True)
class Algorithm:
    """Critic-free PPO with gamma = lambda = 1."""
    prompts_per_step: int = 1024
    """Prompts of one batch; with group_size answers each it is what a step trains on."""
    group_size: int = 8
    """Answers per prompt."""
    minibatches: int = 4
    """Optimizer steps per batch, which prompts_per_step is split for; groups stay whole inside a minibatch."""
    max_staleness: int = 2
    """Hard bound of step - version for every trained token; 0 is synchronous training."""
    staleness_policy: Literal["bounded", "count", "drop_late"] = "bounded"
    """bounded: FIFO tickets, nothing dropped. The others are the field's, for comparison (what they cost: plan --policies)."""
    advantage: Literal["global", "group", "group_mean"] = "global"
    """Normalise over all loss tokens of the batch; or (r - mean) / std per prompt (GRPO); or r - mean per prompt."""
    objective: Literal["decoupled", "naive"] = "decoupled"
    """decoupled: clip against proximal logprobs recomputed by the trainer, weight by proximal / behaviour.
    naive: clip against the behaviour policy."""
    clip_low: float = 0.2
    """The policy ratio is clipped to 1 - clip_low ..."""
    clip_high: float = 0.2
    """... 1 + clip_high; above clip_low it lets unlikely tokens rise faster (clip-higher)."""
    behaviour_weight: Literal["none", "token_truncate", "token_mask", "sequence_truncate", "sequence_mask"] = "token_truncate"
    """What happens to proximal / behaviour weights above behaviour_weight_cap (decoupled only)."""
    behaviour_weight_cap: float = 5.0
    """Largest proximal / behaviour weight."""
    kl_reward: float = 0.0
    """Per-token KL penalty inside the reward: -kl_reward * (logprob - reference logprob)."""
    kl_loss: float = 0.0
    """Coefficient of the k3 KL estimate in the loss, clamped to +-10 (GRPO)."""
    entropy_bonus: float = 0.0
    """Coefficient of the mean entropy per token, which the loss is lowered by."""
    max_mean_ratio: float = 5.0
    """A minibatch whose mean importance ratio exceeds this is not applied; 0 is off."""
    filter_groups: Literal["none", "zero_variance"] = "none"
    """Reissue a ticket whose answers all got the same reward with another prompt."""
    max_attempts: int = 8
    """A ticket whose groups were all filtered this often is trained as it is."""


@dataclass(frozen=True)
class Until:
    """When a stage ends; the first of these. Steps are of Batches."""
    steps: int = 0
    """Batches to train on; 0: from epochs."""
    epochs: float = 10.0
    """Passes over the data; used when steps is 0."""
    truncation_above: float = 0.0
    """End early when the mean truncation rate over `window` steps is above this (the context is too short); 0 is off."""
    plateau: float = 0.0
    """End early when mean reward over `window` steps rose by less than this since the window before; 0 is off."""
    window: int = 20
    """Steps that truncation_above and plateau average over."""


@dataclass(frozen=True)
class Checkpoint:
    """What a restart needs, and exports for others."""
    every_steps: int = 0
    """Recovery checkpoint every so many steps; 0 is off."""
    every_s: float = 600.0
    """Recovery checkpoint at the first step after this long; 0 is off. One is always made at a stage's end."""
    export_every_steps: int = 0
    """Also write a Hugging Face export every so many steps; 0: only at a stage's end."""
    keep: int = 2
    """Newest recovery checkpoints that stay on disk."""
    journal_gb: float = 64.0
    """Disk for finished answers that no checkpoint covers yet, so that a crash makes nobody sample them again; 0 is off."""
    retries: int = 10
    """Restarts of a stage from its last checkpoint after a failure before the run ends."""


@dataclass(frozen=True)
class Evaluation:
    """Accuracy on held-out questions while training."""
    path: str = ""
    """Held-out rows with answers, same formats as data; empty turns evaluation during training off."""
    format: str = "auto"
    """As data.format."""
    every_steps: int = 0
    """Measure every so many versions, besides the first and the last of a stage; 0: only those two."""
    limit: int = 0
    """Use only the first rows; 0 is all."""
    samples: int = 1
    """Answers to each question; accuracy is their mean."""
    temperature: float = 1.0
    """0 is greedy."""
    top_p: float = 1.0
    """Sample from the likeliest tokens that together have this probability; 1 is all."""
    max_new_tokens: int = 0
    """0: generation.max_new_tokens. Set it once for a curriculum, so that stages are measured alike."""


@dataclass(frozen=True)
class Cluster:
    """Which processes run where, and how long they wait for each other."""
    allocation: str = "vllm.d1p1m1+d1p1m1"
    """GPUs (or CPU processes) for generation + for training: vllm.d64p1m1+d32p2m1 is 64 servers of one GPU, and 32 data-parallel
    copies of the trainer in 2 pipeline stages each; m is tensor parallelism (realhf/allocation.py)."""
    device: Literal["cuda", "cpu"] = "cuda"
    """Where generation and training run; cpu is for small models."""
    nodes: int = 1
    """Machines that take part, each with its own launch command."""
    node_rank: int = 0
    """Which of them this is; also from the environment (launch/nodes.py). Node 0 is where the master and trainer rank 0 are."""
    gpus_per_node: int = 8
    """GPUs of one node; on several CPU nodes: generation and training processes of one."""
    master: str = "127.0.0.1:0"
    """host:port the master binds; port 0 picks a free one (single node)."""
    pin_cpus: bool = False
    """CPU runs: vLLM's engines and the trainer ranks stay on cores of their own; all else runs where there is room."""
    hang_s: float = 900.0
    """Nothing moved anywhere for this long: say who waits for whom and stop."""
    silence_s: float = 60.0
    """A server that has not been heard for this long is declared lost and its samples are given to others."""
    weights_transport: Literal["files", "direct"] = "files"
    """files: the trainer writes each version and every server reads it. direct: it sends it from its memory into that of each
    server's vLLM workers (NCCL, gloo on a CPU); for that rank 0's GPU holds a copy, and two while an older one is being sent."""
    weights_dir: str = ""
    """Where weights are published; empty means /dev/shm on one node, the run directory on several (weights_transport=files)."""


@dataclass(frozen=True)
class Record:
    """What is written down besides metrics.jsonl, evaluation.jsonl and events.jsonl."""
    samples_per_step: int = 2
    """Decoded trajectories written to samples.jsonl."""
    bundle_every_steps: int = 0
    """Write a replay bundle of the whole batch every so many steps; 0 is off."""
    tensorboard: bool = True
    """Write the numbers of metrics.jsonl to the stage's tensorboard/ too."""


@dataclass(frozen=True)
class Stage:
    """One context length of a curriculum, or a whole run without one. What every child process reads."""
    name: str = "main"
    """Its directory in the run directory, and how stages.NAME.key=value addresses it."""
    kind: Literal["rl", "sft"] = "rl"
    """Reinforcement learning, or supervised fine-tuning on {prompt, response} rows."""
    seed: int = 1
    """Of the order of the data, of sampling and of what is made at the start; another seed is another run."""
    model: Model = field(default_factory=Model)
    data: Data = field(default_factory=Data)
    generation: Generation = field(default_factory=Generation)
    reward: Reward = field(default_factory=Reward)
    algorithm: Algorithm = field(default_factory=Algorithm)
    trainer: Engine = field(default_factory=Engine)
    until: Until = field(default_factory=Until)
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    evaluation: Evaluation = field(default_factory=Evaluation)
    cluster: Cluster = field(default_factory=Cluster)
    record: Record = field(default_factory=Record)


@dataclass(frozen=True)
class Experiment:
    """A run: one or more stages, each started from the model the one before it exported."""
    name: str
    """What the run is called; by default the name of its file."""
    run_dir: str
    """Where everything of the run is written; by default runs/NAME. ${run_dir} in any other value means this."""
    stages: tuple[Stage, ...]
    """The curriculum: what each stage has different. Without it there is one stage, main."""
    recipe: str = ""
    """The published recipe and revision it reproduces, in words."""
    recover: str = ""
    """What becomes of a run that run_dir holds already: "auto" continues it from its last checkpoint (--resume), "fresh" moves
    it aside (--fresh), a checkpoint's directory goes back to that one; empty is an error then."""
    launcher: str = ""
    """Who starts this on several nodes: "slurm" writes and submits a batch script (--slurm), "ray" uses the Ray cluster that
    this node belongs to (--ray); empty: one command per node."""
    make: str = ""
    """What is made in the run directory before the first stage: "toy" model and data (quickstart), "tiny" a model (tiny=true)."""
