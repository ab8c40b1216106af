import { runProgram } from "../system/process.ts";
import { parseTimeLimit } from "./values.ts";

/** A partition of the cluster and what its nodes have. */
export interface Partition {
  name: string;
  isDefault: boolean;
  /** UP, DOWN, DRAIN or INACTIVE in lower case, as sinfo writes it: "up", "down", "drain", "inact". */
  state: string;
  /** Seconds; Infinity where there is no limit, undefined where Slurm's text is not understood. */
  timeLimit: number | undefined;
  /** Nodes of a kind. */
  nodes: NodeKind[];
}

/** So many nodes that are alike. */
export interface NodeKind {
  count: number;
  cpus: number;
  memoryMb: number;
  hasGpus: boolean;
  /** Whether jobs start on them, sooner or later: they are not down, drained or failed. */
  isUsable: boolean;
}

/** What a name of a partition, its state, its limit, and a kind of its nodes are printed with. */
const format = ["%R", "%a", "%l", "%D", "%c", "%m", "%G", "%T", "%P"].join("|");

const timeoutMs = 15_000;

/**
 * All partitions of this cluster, hidden ones too, by one call of sinfo; undefined when Slurm does not say within 15 s, or
 * is not there.
 */
export async function readPartitions(): Promise<Partition[] | undefined> {
  // Without --exact, unlike nodes are one line with the least of each.
  const argv = ["sinfo", "--noheader", "--all", "--exact", `--format=${format}`];
  try {
    const { code, stdout } = await runProgram(argv, { timeoutMs });
    const found = code === 0 ? parsePartitions(stdout) : [];
    return found.length > 0 ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Reads what sinfo prints in the format above. Lines of anything else (a site's banner) are passed over. */
export function parsePartitions(text: string): Partition[] {
  const found = new Map<string, Partition>();
  for (const line of text.split("\n")) {
    const [name = "", state = "", limit = "", count, cpus, memory, gres = "", node = "", marked] =
      line.split("|");
    if (name === "" || marked === undefined) continue;
    const known = found.get(name) ?? {
      ...{ name, isDefault: marked.trim().endsWith("*"), state },
      ...{ timeLimit: parseTimeLimit(limit), nodes: [] },
    };
    // A number may end with "+" where nodes differ all the same.
    const number = (word: string | undefined) => Number.parseInt(word ?? "", 10) || 0;
    if (number(count) > 0) {
      known.nodes.push({
        ...{ count: number(count), cpus: number(cpus), memoryMb: number(memory) },
        hasGpus: /\bgpu\b/.test(gres),
        isUsable: !/^(?:down|drain|fail|error|unk|perfctrs|future)/i.test(node),
      });
    }
    found.set(name, known);
  }
  return [...found.values()];
}
