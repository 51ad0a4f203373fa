"""One run of TRL's GRPOTrainer on the CPU, inside TRL's own environment: python -P trl_run.py JOB.json

Consumes a job that benchmarks/trl.py writes (its `job`) and waits for nothing else; imports nothing of ours. Writes
steps.jsonl, a row per optimizer step whose `seconds` are of training alone (exporting is taken out), exports/step-NNNNNNNN
every so many steps, and last finished.json. Batch, loss and optimizer are those of the job; `way` says how it is run.
"""
import json
import math
import os
import re
import sys
import time
from pathlib import Path

BOXED = re.compile(r"\\boxed\{(\d+)\}")


def rewards(completions: list[str], completion_ids: list[list[int]], answers: list[list[str]], end: int, job: dict) -> list[float]:
    """job's `correct` or `wrong` for each completion: right is one that ended by itself with an answer in its last box."""
    made = []
    for text, ids, wanted in zip(completions, completion_ids, answers, strict=True):
        boxes = BOXED.findall(text)
        made.append(job["correct"] if ids and ids[-1] == end and boxes and boxes[-1] in wanted else job["wrong"])
    return made


def settings(job: dict, out: Path) -> dict:
    """The words of GRPOConfig."""
    way, answers = job["way"], job["prompts_per_step"] * job["group_size"]
    words = {"output_dir": str(out / "trl"), "use_cpu": True, "bf16": False, "gradient_checkpointing": False, "seed": job["seed"],
             "per_device_train_batch_size": way["microbatch"], "gradient_accumulation_steps": answers // way["microbatch"],
             "num_generations": job["group_size"], "max_completion_length": job["max_new_tokens"], "max_steps": job["steps"],
             "temperature": job["temperature"], "top_p": 1.0, "top_k": 0, "beta": 0.0, "num_iterations": 1,
             "loss_type": "dapo", "scale_rewards": job["scale_rewards"], "epsilon": job["clip_low"],
             "epsilon_high": job["clip_high"], "max_grad_norm": job["grad_clip"], "learning_rate": job["lr"],
             "shuffle_dataset": False, "logging_strategy": "no", "save_strategy": "no", "report_to": "none", "disable_tqdm": True}
    return words | way["config"]


def optimizer(model, job: dict):
    """AdamW and the schedule as ours are: the rise ends at the peak and its first step is not at 0."""
    import torch

    adam = torch.optim.AdamW(model.parameters(), lr=job["lr"], betas=tuple(job["betas"]), eps=job["eps"],
                             weight_decay=job["weight_decay"], fused=True)
    rise = math.ceil(job["warmup_fraction"] * job["steps"])
    return adam, torch.optim.lr_scheduler.LambdaLR(adam, lambda step: min(1.0, (step + 1) / rise) if rise else 1.0)


def clock(job: dict, out: Path, seen: dict):
    """A callback that counts the seconds of training and exports the model every job["every"] steps."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        def on_train_begin(self, args, state, control, **_):
            self.began, self.paused = time.monotonic(), 0.0
            self.used, self.unused = time.process_time(), 0.0

        def on_step_end(self, args, state, control, model=None, **_):
            now, used = time.monotonic(), time.process_time()
            row = {"step": state.global_step, "seconds": now - self.began - self.paused, "cpu_s": used - self.used - self.unused, **seen}
            with open(out / "steps.jsonl", "a") as file:
                file.write(json.dumps(row) + "\n")
            if job["every"] and state.global_step % job["every"] == 0:
                model.save_pretrained(out / "exports" / f"step-{state.global_step:08d}")
            self.paused += time.monotonic() - now
            self.unused += time.process_time() - used

    return Clock()


def main(file: str) -> None:
    job = json.loads(Path(file).read_text())
    out = Path(job["out"])
    os.environ |= {"OMP_NUM_THREADS": str(job["way"]["threads"]), "TOKENIZERS_PARALLELISM": "false"}
    began = time.monotonic()
    import torch
    import transformers
    import trl
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(job["way"]["threads"])
    torch.manual_seed(job["seed"])
    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=torch.float32, attn_implementation=job["way"]["attention"])
    seen = {}

    def reward(prompts, completions, completion_ids, answers, **_):
        made = rewards(completions, completion_ids, answers, tokenizer.eos_token_id, job)
        seen.update(samples=len(completions), tokens=sum(map(len, completion_ids)), reward=sum(made) / len(made))
        return made

    rows = [json.loads(line) for line in Path(job["rows"]).read_text().splitlines()]
    assert tokenizer([r["prompt"] for r in rows])["input_ids"] == [r.pop("prompt_ids") for r in rows], "prompts are tokenised otherwise"
    trainer = trl.GRPOTrainer(model=model, args=trl.GRPOConfig(**settings(job, out)), reward_funcs=reward,
                              train_dataset=Dataset.from_list(rows), processing_class=tokenizer,
                              optimizers=optimizer(model, job), callbacks=[clock(job, out, seen)])
    start_s = time.monotonic() - began
    trainer.train()
    versions = {"trl": trl.__version__, "transformers": transformers.__version__, "torch": torch.__version__}
    (out / "finished.json").write_text(json.dumps({"start_s": start_s, **versions}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
