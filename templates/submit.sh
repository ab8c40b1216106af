#!/bin/bash
# Submits this run to Slurm from wherever it lies; more sbatch options may follow on the command line.
set -eu
cd -- "$(dirname -- "$(readlink -f -- "$0")")"
mkdir -p logs state
# A log that Slurm opens has Slurm's own lines too (time limit, memory). A % or a backslash would be a pattern to it.
if [[ -z ${SBATCH_OUTPUT:-} && $PWD != *[%\\]* ]] && grep -qx '#SBATCH --output=/dev/null' sbatch_array.sh; then
  set -- "--output=$PWD/logs/slurm_%A_%a.out" "$@"
fi
exec sbatch --export=NONE "$@" sbatch_array.sh
