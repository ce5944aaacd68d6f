#!/bin/bash
# blvit eval as a Slurm array of five tasks; examples/cluster/README.md explains it.
#SBATCH --job-name=blvit-eval
#SBATCH --array=0-4
#SBATCH --cpus-per-task=4
#SBATCH --mem=2G
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail

shards=5 # the n of --shard i/n, whatever part of the array runs
exec blvit eval vit-tiny --data "${DATA:?names the pictures}" --threads "$SLURM_CPUS_PER_TASK" \
  --shard "$SLURM_ARRAY_TASK_ID/$shards" --part "${PARTS:?names the folder of the parts}/$SLURM_ARRAY_TASK_ID.part"
