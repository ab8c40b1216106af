#!/bin/bash
#@sbatch-directives@
# One array task copies one shard, or with --stride N every Nth. What to copy and how is in config.resolved.json.
set -eu
run_key=#@run-key@
task="${SLURM_ARRAY_JOB_ID:-${SLURM_JOB_ID:-0}}_${SLURM_ARRAY_TASK_ID:-0}"

# Slurm runs a copy of this script, wherever sbatch was called. The run directory is the first of these places whose
# configuration is this run's: what the user says, where sbatch was called, where the job starts, where this file lies,
# and where the file lay that sbatch was given, which only the controller knows.
tried=
is_run_dir() {
  tried="$tried ${1:-(none)};"
  [ -n "$1" ] && grep -qsF -- "$run_key" "$1/config.resolved.json"
}
submitted_from() {
  local file
  file=$(timeout 60 scontrol show job "$task" 2>/dev/null | sed -n 's/^ *Command=//p' | head -n 1)
  [ -n "$file" ] || return 1
  # The script's own arguments follow its name.
  [ -e "$file" ] || file=${file%%/sbatch_array.sh*}/sbatch_array.sh
  dirname -- "$(readlink -f -- "$file")"
}
run_dir=
for dir in "${XFER_RUN_DIR:-}" "${SLURM_SUBMIT_DIR:-}" "$PWD" "$(dirname -- "$0")"; do
  if is_run_dir "$dir"; then run_dir=$dir && break; fi
done
if [ -z "$run_dir" ]; then
  dir=$(submitted_from) || true
  if is_run_dir "$dir"; then run_dir=$dir; fi
fi
if [ -z "$run_dir" ]; then
  said="xfer: the run directory was not found: set XFER_RUN_DIR, or submit from there (looked in:$tried)"
  echo "$said" >&2
  # Nobody reads /dev/null: it is told where sbatch was called, and in the job's comment (squeue -o %k).
  if [ /dev/stderr -ef /dev/null ]; then
    echo "$said" 2>/dev/null >>"${SLURM_SUBMIT_DIR:-.}/slurm-xfer-$task.out" || true
    scontrol update "JobId=$task" "Comment=$said" >&2 || true
  fi
  exit 2
fi

cd -- "$run_dir"
mkdir -p logs state
# Slurm opens the job's log before any of this, and by no name that holds everywhere: without another --output, here.
if [ /dev/stdout -ef /dev/null ]; then exec >>"logs/slurm_$task.out"; fi
if [ /dev/stderr -ef /dev/null ]; then exec 2>>"logs/slurm_$task.out"; fi
agent=./bin/xfer
if [ -f bin/agent-path ]; then IFS= read -r agent <bin/agent-path; fi
# Files are looked at side by side, however few cores the task has.
export UV_THREADPOOL_SIZE="${UV_THREADPOOL_SIZE:-16}"
exec "$agent" agent --run-dir . "$@"
