/** An option takes no value ("flag"), always one ("value"), or one only after `=` ("optional"). */
type OptionKind = "flag" | "value" | "optional";

/** The options of a Slurm program. */
export interface OptionTable {
  program: "sbatch" | "srun";
  kinds: ReadonlyMap<string, OptionKind>;
  /** Long names by letter. */
  shorts: ReadonlyMap<string, string>;
}

/** Options of both programs. `=` marks one with a value, `?` one that may have a value after `=`; `/x` gives its letter. */
const common =
  "account/A= acctg-freq= bb= bbf= begin/b= chdir/D= cluster-constraint= clusters/M= comment= consolidate-segments " +
  "constraint/C= container= container-id= contiguous core-spec/S= cores-per-socket= cpu-freq= cpus-per-gpu= " +
  "cpus-per-task/c= deadline= delay-boot= dependency/d= distribution/m= error/e= exclude/x= exclusive? export= " +
  "extra= extra-node-info/B= gpu-bind= gpu-freq= gpus/G= gpus-per-node= gpus-per-socket= gpus-per-task= gres= " +
  "gres-flags= help/h hint= hold/H input/i= job-name/J= licenses/L= mail-type= mail-user= mcs-label= mem= mem-bind= " +
  "mem-per-cpu= mem-per-gpu= mincpus= network= nice? no-kill/k? nodefile/F= nodelist/w= nodes/N= ntasks/n= " +
  "ntasks-per-core= ntasks-per-gpu= ntasks-per-node= ntasks-per-socket= ntasks-per-tres= oom-kill-step? open-mode= " +
  "output/o= overcommit/O oversubscribe/s partition/p= power= prefer= priority= profile= propagate? qos/q= quiet/Q " +
  "reboot reservation= segment= signal= sockets-per-node= spread-job spread-segments stepmgr switches= thread-spec= " +
  "threads-per-core= time/t= time-min= tmp= tres-bind= tres-per-job= tres-per-node= tres-per-socket= tres-per-task= " +
  "uid= gid= usage use-min-nodes verbose/v version/V wckey=";

const sbatchOnly =
  "array/a= batch= expedited-requeue export-file= get-user-env? ignore-pbs kill-on-invalid-dep= no-requeue parsable " +
  "requeue test-only wait/W wait-all-nodes= wrap=";

const srunOnly =
  "accel-bind= bcast? bcast-exclude= compress? cpu-bind= disable-status/X epilog= exact external-launcher het-group= " +
  "immediate/I? interactive jobid= kill-on-bad-exit/K? label/l max-exit-timeout= max-threads= mpi= msg-timeout= " +
  "multi-prog no-allocate/Z overlap preserve-env/E prolog= pty? quit-on-interrupt relative/r= resv-ports? send-libs? " +
  "slurmd-debug= task-epilog= task-prolog= threads/T= treewidth= unbuffered/u wait/W= whole x11? " +
  // pyxis: https://github.com/NVIDIA/pyxis
  "container-entrypoint container-entrypoint-log container-env= container-image= container-mount-home " +
  "container-mounts= container-name= container-readonly container-remap-root container-save= container-unshare= " +
  "container-workdir= container-writable no-container-entrypoint no-container-mount-home no-container-remap-root";

/** The options of sbatch in all releases since 20.02: sbatch(1). */
export const sbatchTable = tableOf("sbatch", `${common} ${sbatchOnly}`);

/** The options of srun in all releases since 20.02 (srun(1)), and those of pyxis. */
export const srunTable = tableOf("srun", `${common} ${srunOnly}`);

function tableOf(program: OptionTable["program"], text: string): OptionTable {
  const kinds = new Map<string, OptionKind>();
  const shorts = new Map<string, string>();
  for (const word of text.split(" ")) {
    const [, name = "", letter, mark] = /^([a-z0-9-]+)(?:\/(\w))?([=?])?$/.exec(word) ?? [];
    kinds.set(name, mark === "=" ? "value" : mark === "?" ? "optional" : "flag");
    if (letter !== undefined) shorts.set(letter, name);
  }
  return { program, kinds, shorts };
}
