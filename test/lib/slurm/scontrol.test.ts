import { expect, test } from "bun:test";
import { terminateSteps } from "../../../lib/slurm/scancel.ts";
import {
  countNodes,
  excludeNodes,
  readArrayLimits,
  readJobEnding,
  requeueTask,
} from "../../../lib/slurm/scontrol.ts";
import { temporaryDirectory } from "../../stage/harness.ts";
import { standIns } from "./stand-ins.ts";

const task = { arrayJobId: "77", taskId: 5 };

/** Asks with an scontrol that does this; gives what was found and the words that it was called with. */
async function asked<T>(scontrol: string, ask: () => Promise<T>) {
  using dir = temporaryDirectory("xfer-slurm-");
  using slurm = standIns(dir.path, { scontrol, scancel: scontrol });
  return { found: await ask(), calls: slurm.calls() };
}

test.each<[string, string, object]>([
  ["says", "echo 'MaxArraySize = 501'; echo 'MaxJobCount = 200'", { maxArraySize: 501, maxJobCount: 200 }],
  ["fails", "echo 'MaxArraySize = 501'; exit 1", { maxArraySize: 1_001, maxJobCount: 10_000 }],
  ["says nothing", "", { maxArraySize: 1_001, maxJobCount: 10_000 }],
])("the limits of arrays where scontrol %s", async (_, scontrol, limits) => {
  const { found, calls } = await asked(scontrol, readArrayLimits);
  expect(found).toMatchObject(limits);
  expect(calls).toEqual([["scontrol", "show", "config"]]);
});

test("one array task is requeued, never the array", async () => {
  const { found, calls } = await asked("", () => requeueTask(task));
  expect(found).toBeUndefined();
  expect(calls).toEqual([["scontrol", "requeue", "77_5"]]);
});

test("why a requeue is refused is said on one line", async () => {
  const { found } = await asked(
    "echo 'Job is completing' >&2; echo; echo 'slurm_requeue error' ; exit 3",
    () => requeueTask(task),
  );
  expect(found).toBe("scontrol requeue 77_5 failed (exit code 3): Job is completing; slurm_requeue error");
});

test("a requeue is not ended by the TERM that it causes", async () => {
  const { found } = await asked('kill -TERM $$; echo "lived" >&2; exit 4', () => requeueTask(task));
  expect(found).toContain("failed (exit code 4): lived");
});

test("what Slurm says of a task that it is ending is asked twice", async () => {
  const says = "JobId=82 ArrayJobId=77 Restarts=2 PreemptTime=2026-11-25T08:00:00 Reason=None";
  const whole = await asked(`echo '${says}'`, () => readJobEnding(task));
  expect(whole.found).toEqual({ restarts: 2, preempted: true });
  expect(whole.calls).toEqual([["scontrol", "--oneliner", "show", "job", "77_5"]]);
  const second = await asked(`[ -e "$0.asked" ] && { echo '${says}'; exit; }; : >"$0.asked"; exit 1`, () =>
    readJobEnding(task),
  );
  expect(second.found).toEqual({ restarts: 2, preempted: true });
  const never = await asked("exit 1", () => readJobEnding(task));
  expect(never.found).toBeUndefined();
  expect(never.calls).toHaveLength(2);
});

test("nodes are kept from a task as soon as Slurm allows it", async () => {
  const { found, calls } = await asked('[ -e "$0.asked" ] && exit; : >"$0.asked"; exit 1', () =>
    excludeNodes(task, ["n1", "n2"]),
  );
  expect(found).toBe(true);
  expect(calls).toEqual(Array(2).fill(["scontrol", "update", "JobId=77_5", "ExcNodeList=n1,n2"]));
});

test.each<[string, number | undefined]>([
  ["PartitionName=p State=UP TotalCPUs=8 TotalNodes=12 SelectTypeParameters=NONE", 12],
  ["   MaxNodes=3\n   State=UP TotalCPUs=8 TotalNodes=0\n", 0],
  ["slurm_load_partitions error: Invalid partition name specified", undefined],
  ["NotTotalNodes=3", undefined],
  ["", undefined],
])("the nodes of a partition of which scontrol says %j", async (says, nodes) => {
  const { found, calls } = await asked(`cat <<'END'\n${says}\nEND`, () => countNodes("p q"));
  expect(found).toBe(nodes);
  expect(calls).toEqual([["scontrol", "show", "partition", "p q"]]);
});

test("the steps of one task are told to end, its batch script is not; a controller that is busy is asked again", async () => {
  const words = ["scancel", "--signal=TERM", "77_5"];
  const taken = await asked("", () => terminateSteps(task));
  expect(taken).toEqual({ found: undefined, calls: [words] });
  const again = await asked('[ -e "$0.asked" ] && exit; : >"$0.asked"; exit 1', () => terminateSteps(task));
  expect(again).toEqual({ found: undefined, calls: [words, words] });
  const refused = await asked("echo 'Access denied ' >&2; exit 2", () => terminateSteps(task));
  expect(refused.found).toBe("scancel --signal=TERM 77_5 failed (exit code 2): Access denied");
  expect(refused.calls).toHaveLength(2);
});

test("where there is no Slurm, its defaults count, and a stop says why it was not told", async () => {
  const before = process.env.PATH;
  process.env.PATH = "/nowhere";
  try {
    expect(await readArrayLimits()).toEqual({
      maxArraySize: 1_001,
      maxArrayTasks: undefined,
      maxJobCount: 10_000,
    });
    expect(await terminateSteps(task)).toContain("scancel was not found on PATH (looked in /nowhere)");
  } finally {
    process.env.PATH = before;
  }
});
