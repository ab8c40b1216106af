#!/bin/bash
# Submits this run to Slurm from wherever it lies; more sbatch options may follow on the command line.
set -eu
cd -- "$(dirname -- "$0")"
mkdir -p logs state
exec sbatch --export=NONE "$@" sbatch_array.sh
