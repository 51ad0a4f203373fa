# A GPU node: every process of a run, on one machine or as one of many.
#   docker build -t areal-lite .
#   docker run --gpus all --ipc host --network host -v /shared:/shared areal-lite exp=distill-1.5b run_dir=/shared/runs/distill
# --ipc host: weights travel through /dev/shm; --network host: one port of node 0 is all that others connect to.
FROM nvidia/cuda:13.0.2-devel-ubuntu24.04

RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-dev python3-venv git && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /venv
ENV PATH=/venv/bin:$PATH

# The heavy layers first, from pyproject alone, so that a change of the code does not rebuild them.
RUN pip install --no-cache-dir torch==2.13.0 vllm==0.32.0
RUN MAX_JOBS=8 pip install --no-cache-dir --no-build-isolation "flash-attn>=2.8"

WORKDIR /areal-lite
COPY pyproject.toml README.md LICENSE ./
COPY areal_lite areal_lite
COPY realhf realhf
COPY configs configs
RUN pip install --no-cache-dir -e '.[gpu]'

ENTRYPOINT ["python", "-m", "areal_lite.launch"]
CMD ["--help"]
