import { sbatchExtras } from "../slurm/sbatch-extras.ts";
import { quoteWords } from "../system/shell-words.ts";
import { farWord } from "./probe.ts";
import type { Profile } from "./profile.ts";

/** Where rclone.conf is mounted in a container. */
const confInContainer = "/etc/rclone/rclone.conf";

/** How long srun may wait for a free node, in seconds, and how long a step may take, in minutes. */
const [waitSeconds, stepMinutes] = [120, 5];

/** The options of sbatch that say where a job may run, which srun has too. */
const placing = /^--(?:qos|reservation|constraint|clusters|licenses)=/;

/** What says to srun where a step of this cluster runs: `--partition=a`, `--account=b`. */
export function placeWords({ partition, account, sbatch_extras }: Profile): string[] {
  return [
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(account === undefined ? [] : [`--account=${account}`]),
    ...sbatchExtras(sbatch_extras ?? "").filter((word) => placing.test(word)),
  ];
}

/** The shell's words that run what follows on one compute node, without a container. */
export function onNode(profile: Profile): string {
  return quoteWords([
    ...["srun", "-n", "1", `--immediate=${waitSeconds}`, `--time=${stepMinutes}`],
    ...placeWords(profile),
  ]);
}

/**
 * The shell's words that run rclone on a compute node, as the agents of this cluster do: in the profile's image, or from
 * PATH. `conf` is a word of the shell that names rclone.conf.
 */
export function rcloneOnNode(profile: Profile, argv: readonly string[], conf?: string): string {
  const rclone = (config: string | undefined) =>
    [`rclone ${quoteWords(argv)}`, ...(config === undefined ? [] : [`--config ${config}`])].join(" ");
  const { image, runtime = "pyxis" } = profile;
  if (runtime === "host" || image === undefined) return `${onNode(profile)} ${rclone(conf)}`;
  const inside = rclone(conf === undefined ? undefined : confInContainer);
  const mount = conf === undefined ? undefined : `${conf}:${confInContainer}:ro`;
  if (runtime === "apptainer") {
    const bind = mount === undefined ? "" : `--bind ${mount} `;
    return `${onNode(profile)} apptainer exec ${bind}${farWord(image)} ${inside}`;
  }
  const mounts = mount === undefined ? "" : ` --container-mounts=${mount}`;
  return `${onNode(profile)} --container-image=${farWord(image)}${mounts} ${inside}`;
}
