#!/bin/bash
# Copies one shard by hand, without Slurm's array: ./worker.sh 12
set -eu
shard=${1:?usage: worker.sh SHARD}
cd -- "$(dirname -- "$(readlink -f -- "$0")")"
mkdir -p logs state
agent=./bin/xfer
if [ -f bin/agent-path ]; then IFS= read -r agent <bin/agent-path; fi
# Files are looked at side by side, however few cores the task has.
export UV_THREADPOOL_SIZE="${UV_THREADPOOL_SIZE:-16}"
exec "$agent" agent --run-dir . --shard "$shard"
