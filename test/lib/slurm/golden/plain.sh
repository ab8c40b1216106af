#!/bin/bash
#SBATCH --job-name=xfer
#SBATCH --array=0-255%64
#SBATCH --partition=transfer
#SBATCH --time=24:00:00
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --output=logs/slurm_%A_%a.out
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
# One array task copies one shard, or with --stride N every Nth. What to copy and how is in config.resolved.json.
set -eu
cd -- "${XFER_RUN_DIR:-${SLURM_SUBMIT_DIR:-.}}"
agent=./bin/xfer
if [ -f bin/agent-path ]; then IFS= read -r agent <bin/agent-path; fi
# Files are looked at side by side, however few cores the task has.
export UV_THREADPOOL_SIZE="${UV_THREADPOOL_SIZE:-16}"
exec "$agent" agent --run-dir . "$@"
