#!/bin/bash
#@sbatch-directives@
# One array task copies one shard, or with --stride N every Nth. What to copy and how is in config.resolved.json.
set -eu
cd -- "${XFER_RUN_DIR:-${SLURM_SUBMIT_DIR:-.}}"
agent=./bin/xfer
if [ -f bin/agent-path ]; then IFS= read -r agent <bin/agent-path; fi
# Files are looked at side by side, however few cores the task has.
export UV_THREADPOOL_SIZE="${UV_THREADPOOL_SIZE:-16}"
exec "$agent" agent --run-dir . "$@"
