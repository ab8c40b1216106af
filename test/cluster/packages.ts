import { ensurePackages, files, type Need, program } from "../setup/packages.ts";

/** Slurm's plugin folder has the machine's architecture in its name on Debian. */
const MULTIARCH = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" } as const;

const NEEDS: readonly Need[] = [
  program("slurmctld", "slurmctld"),
  program("slurmd", "slurmd"),
  ...["sbatch", "srun", "squeue", "sinfo", "scontrol", "scancel"].map((name) =>
    program("slurm-client", name),
  ),
  program("munge", "munged"),
  files(
    "slurm-wlm-basic-plugins",
    ...Object.values(MULTIARCH).map((arch) => `/usr/lib/${arch}/slurm-wlm/select_cons_tres.so`),
    "/usr/lib64/slurm/select_cons_tres.so",
    "/usr/lib/slurm/select_cons_tres.so",
  ),
  files("libslurm-dev", "/usr/include/slurm/spank.h"),
  program("gcc", "gcc"),
  files("libc6-dev", "/usr/include/stdio.h"),
  program("squashfs-tools", "mksquashfs"),
  program("rclone", "rclone"),
  files("ca-certificates", "/etc/ssl/certs/ca-certificates.crt"),
  program("util-linux", "setpriv"),
  program("strace", "strace"),
  program("binutils", "readelf"),
  program("mount", "losetup"),
  program("passwd", "useradd"),
  // sbatch --export=NONE makes slurmd read the user's environment through su.
  program("util-linux", "su"),
];

/** Makes sure that the programs and headers of a test cluster are installed, as `ensurePackages` does. */
export function ensureClusterPackages(): Promise<void> {
  return ensurePackages(NEEDS);
}
