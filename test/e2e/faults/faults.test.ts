import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Cluster, startCluster } from "../../cluster/cluster.ts";
import { limitMs } from "../../setup/pace.ts";
import * as local from "./local.ts";
import { type Fault, type FaultOf, type FaultRun, LocalRun, quick, SlurmRun } from "./run.ts";
import * as slurm from "./slurm.ts";

/** Jobs wait for the requeue delay, for lost nodes and for two noisy cores; a test that times out kills the cluster. */
const timeoutMs = limitMs(600_000);

/** What may be in flight when two rclones of so many transfers are ended, and what rclone sends again by itself. */
const inFlight = (transfers: number) => 2 * transfers + 2;
const rcloneFlags = (words: string) => ["--rclone-flags", words];

/**
 * The fault matrix. Each row disturbs a run, heals what was broken, and has it go on; then all are judged alike: the run
 * came to its end, the destination holds the same bytes and times, no .done was false at any moment, and no process of
 * the run is left.
 */
const faults: readonly Fault[] = [
  // kill -9 at random moments.
  {
    what: "30 kills -9 of rclones, agents and executors at random moments",
    where: "local",
    objects: 300,
    shards: 3,
    flags: ["--array-concurrency", "2", "--max-attempts", "50"],
    goesOn: "either",
    disturb: local.killAtRandom(30),
  },
  {
    what: "30 kills -9 of rclones, agents and slurmstepds at random moments",
    where: "slurm",
    objects: 300,
    shards: 5,
    flags: [
      ...rcloneFlags("--transfers 2 --retries 30 --retries-sleep 20ms"),
      ...["--max-attempts", "50", "--max-restarts", "100"],
    ],
    goesOn: "either",
    disturb: slurm.killAtRandom({ rclone: 26, agent: 2, slurmstepd: 2 }),
  },
  {
    what: "kill -9 of every rclone in mid-transfer: the next pass copies only what is not proven",
    where: "local",
    objects: 160,
    goesOn: "by itself",
    disturb: local.killEach("child"),
    leaves: local.firstPassKilled,
    extraPuts: inFlight(4),
    attempts: { attempt: 1 },
  },
  {
    what: "kill -9 of every agent in mid-transfer: started again by the executor, they resume",
    where: "local",
    objects: 160,
    goesOn: "by itself",
    disturb: local.killEach("agent"),
    // What was copied since the journal was last written (2 s at most) may be sent twice.
    extraPuts: 160 - 1,
    attempts: { attempt: 2, outcome: "done" },
  },
  {
    what: "kills -9 of an agent before it got to copy, more of them than it has attempts: they spend none",
    where: "local",
    objects: 40,
    shards: 1,
    flags: ["--max-attempts", "2"],
    goesOn: "by itself",
    disturb: local.killBeforeCopying(3),
    attempts: { attempt: 4, spent: 0, lost_starts: 3, early_stops: 3, outcome: "done" },
  },
  {
    what: "kill -9 of an rclone and of another's agent in an array",
    where: "slurm",
    goesOn: "when started again",
    disturb: slurm.killOneOfEach,
    leaves: slurm.oneIsDone,
  },
  {
    what: "kill -9 of the executor: its agents stop by themselves",
    where: "local",
    objects: 160,
    goesOn: "when started again",
    disturb: local.killExecutor,
    leaves: local.stoppedWith(137),
    extraPuts: inFlight(4),
  },
  // Every write point.
  {
    what: "kill -9 of the agent at each write of its state, between data, index and marker",
    where: "local",
    objects: 12,
    shards: 1,
    goesOn: "by itself",
    disturb: local.killAtEveryWrite,
  },
  // The endpoints.
  {
    what: "503 SlowDown on 20 % of the requests",
    where: "local",
    goesOn: "by itself",
    disturb: local.failSome(0.2, { source: "slowdown", dest: "slowdown" }),
  },
  {
    what: "429 on everything for a while: fewer transfers, in the pass or after a wait in the next attempt",
    where: "local",
    flags: rcloneFlags("--transfers 8 --retries 1 --retries-sleep 50ms --low-level-retries 1"),
    goesOn: "by itself",
    disturb: local.failPuts("too-many", 12),
    leaves: local.transfersLowered,
  },
  {
    what: "connections reset, also in the middle of a body",
    where: "local",
    goesOn: "by itself",
    disturb: local.failSome(0.1, { source: { resetAfterBytes: 500 }, dest: "reset" }),
  },
  {
    what: "a hang longer than rclone's timeout",
    where: "local",
    flags: rcloneFlags(`${quick} --timeout 2s --contimeout 2s`),
    goesOn: "by itself",
    disturb: local.failPuts("stall", 4),
  },
  {
    what: "500 on an object, which passes: more passes in one attempt",
    where: "local",
    shards: 1,
    flags: rcloneFlags("--transfers 8 --low-level-retries 1 --retries 8 --retries-sleep 100ms"),
    goesOn: "by itself",
    disturb: local.failOneObject(6),
    leaves: local.othersSentOnce,
    attempts: { attempt: 1 },
  },
  {
    what: "500 on an object, which does not pass: --max-attempts starts and a final .fail",
    where: "local",
    flags: [
      ...rcloneFlags("--low-level-retries 1 --retries 2 --retries-sleep 100ms"),
      ...["--max-attempts", "2"],
    ],
    goesOn: "when started again",
    disturb: local.failOneObject(),
    leaves: local.namesTheOneObject,
    // Two attempts of two passes failed.
    extraPuts: 4,
  },
  {
    what: "500 on an object, which does not pass: the task requeues itself alone, the array's last one too",
    where: "slurm",
    objects: 90,
    shards: 3,
    flags: [
      ...rcloneFlags("--low-level-retries 1 --retries 2 --retries-sleep 100ms"),
      ...["--strategy", "count", "--max-attempts", "2"],
    ],
    goesOn: "when started again",
    disturb: slurm.failLast,
    leaves: slurm.requeuedAlone,
  },
  // The objects.
  {
    what: "a source object that vanished after the listing",
    where: "local",
    goesOn: "when started again",
    disturb: local.vanish,
    leaves: local.namedAsMissing(),
    heal: (run) => run.putBack(),
    extraPuts: 0,
  },
  {
    what: "a file that vanished from a POSIX source, although rclone exits 0",
    where: "local",
    from: "posix",
    goesOn: "when started again",
    disturb: local.vanish,
    leaves: local.namedAsMissing(": rclone ended well without copying it"),
    heal: (run) => run.putBack(),
  },
  {
    what: "a source object that vanished, in a task of several shards, more than the cluster's MaxArraySize",
    where: "slurm",
    objects: 110,
    shards: 11,
    goesOn: "when started again",
    disturb: slurm.vanishLast,
    leaves: slurm.failsAlone,
    heal: (run) => run.putBack(),
    extraPuts: 0,
  },
  {
    what: "a source object that changed its size after the listing: copied as it is, and named",
    where: "local",
    goesOn: "when started again",
    disturb: local.grow,
    leaves: local.namedAsDiffering,
    heal: local.takeAsItIs,
  },
  // Disks.
  {
    what: "a destination that is full",
    where: "local",
    to: "posix",
    flags: ["--max-attempts", "1"],
    goesOn: "when started again",
    disturb: local.smallDestination,
    leaves: local.namedAsFull,
    heal: local.largerDestination,
  },
  {
    what: "a state directory that is full: the agent stops and says so",
    where: "local",
    shards: 1,
    goesOn: "when started again",
    disturb: local.fillStateDirectory,
    leaves: local.stoppedForSpace,
    heal: local.makeRoomForState,
  },
  // State files.
  {
    what: "a torn journal: what is left of it counts",
    where: "local",
    goesOn: "when started again",
    disturb: local.breakState(local.tearJournal),
    extraPuts: 2 * 4 + 4,
  },
  {
    what: "a journal with rubbish in its middle, and one that is another shard's",
    where: "local",
    goesOn: "when started again",
    disturb: local.breakState(local.foreignJournals),
  },
  {
    what: "a torn .progress",
    where: "local",
    goesOn: "when started again",
    disturb: local.breakState(local.tearProgress),
    extraPuts: inFlight(4),
  },
  {
    what: "an empty .attempt",
    where: "local",
    goesOn: "when started again",
    disturb: local.breakState(local.emptyAttempt),
    extraPuts: inFlight(4),
  },
  {
    what: "a foreign .done and .fail",
    where: "local",
    goesOn: "when started again",
    disturb: local.breakState(local.foreignDone),
    extraPuts: inFlight(4),
  },
  {
    what: "no .done beside a journal that proves all: written at once, and nothing is copied",
    where: "local",
    goesOn: "when started again",
    disturb: local.loseDone,
    extraPuts: 0,
    attempts: { attempt: 2, outcome: "done" },
  },
  {
    what: "a lock that an agent on another host left behind, and an empty one",
    where: "local",
    goesOn: "when started again",
    disturb: local.leaveLocks,
    extraPuts: 2 * 4 + 4,
  },
  // What a run needs.
  {
    what: "a wrong key: stops at once, is not tried again, and says so",
    where: "local",
    goesOn: "when started again",
    disturb: local.wrongKey,
    leaves: local.refused(/auth: .*(SignatureDoesNotMatch|403)/),
    heal: local.rightConf,
  },
  {
    what: "a key that may not write: the same",
    where: "local",
    goesOn: "when started again",
    disturb: local.failPuts("forbidden"),
    leaves: local.refused(/auth: .*AccessDenied/),
  },
  {
    what: "an image that is nowhere",
    where: "slurm",
    objects: 10,
    shards: 1,
    flags: ["--max-attempts", "1"],
    goesOn: "when started again",
    disturb: slurm.removeImage,
    leaves: slurm.containerFailed("image"),
    heal: slurm.putImage,
  },
  {
    what: "an rclone.conf that is not on the nodes",
    where: "slurm",
    objects: 10,
    shards: 1,
    flags: ["--max-attempts", "1"],
    goesOn: "when started again",
    disturb: slurm.forgetConf,
    leaves: slurm.finallyFailed(
      /source path does not exist: \S+\/gone\.conf \(rclone\.conf is not on this node\)/,
    ),
    heal: slurm.putConf,
  },
  {
    what: "an image without rclone: no other node is tried, and no other attempt",
    where: "slurm",
    objects: 10,
    shards: 1,
    goesOn: "when started again",
    disturb: slurm.forgetRclone,
    leaves: slurm.finallyFailed(
      /execve\(\): rclone: No such file or directory \(the image holds no rclone\)/,
    ),
    heal: slurm.putRclone,
  },
  {
    what: "an rclone.conf that is gone when local agents start",
    where: "local",
    goesOn: "when started again",
    disturb: local.removeConf,
    leaves: local.confIsMissed,
    heal: local.rightConf,
  },
  // Nodes and Slurm.
  {
    what: "a node that goes down in mid-task: the shard goes on elsewhere, and the loss spends no attempt",
    where: "slurm",
    alone: true,
    flags: ["--sbatch-extras", "--nodelist=n1"],
    goesOn: "by itself",
    disturb: slurm.loseNode,
    attempts: { spent: 0, lost_starts: 1 },
  },
  {
    what: "a node on which no container starts: the task goes on on another, and no attempt is spent",
    where: "slurm",
    alone: true,
    objects: 30,
    shards: 1,
    goesOn: "by itself",
    disturb: slurm.imageOnOneNode,
    attempts: { attempt: 2, spent: 0, bad_nodes: ["n1"], outcome: "done" },
  },
  {
    what: "walltime: the agent stops rclone before it, keeps what is proven, and spends no attempt",
    where: "slurm",
    shards: 1,
    flags: [...slurm.stopAfter(15), "--max-attempts", "1"],
    goesOn: "by itself",
    disturb: slurm.runOutOfTime,
    leaves: slurm.stoppedOnTime,
    extraPuts: 2 + 1,
    attempts: { attempt: 2, spent: 0, outcome: "done" },
  },
  {
    what: "preempted: stopped in good order, started again by Slurm, no attempt spent",
    where: "slurm",
    alone: true,
    flags: ["--sbatch-extras", "--exclusive"],
    goesOn: "by itself",
    disturb: slurm.preempt,
    extraPuts: inFlight(2),
    attempts: { attempt: 2, spent: 0, preemptions: 1, outcome: "done" },
  },
  {
    what: "scancel: a resumable state, and no process",
    where: "slurm",
    goesOn: "when started again",
    disturb: slurm.cancel,
    leaves: slurm.cancelledInGoodOrder,
    extraPuts: inFlight(2),
  },
  {
    what: "SIGTERM to a local run: exit code 75, and no process",
    where: "local",
    objects: 160,
    goesOn: "when started again",
    disturb: local.stopExecutor("SIGTERM"),
    leaves: local.stoppedWith(75),
    extraPuts: inFlight(4),
  },
  {
    what: "SIGINT to a local run: exit code 130, and no process",
    where: "local",
    objects: 160,
    goesOn: "when started again",
    disturb: local.stopExecutor("SIGINT"),
    leaves: local.stoppedWith(130),
    extraPuts: inFlight(4),
  },
  {
    what: "the whole array requeued by hand in mid-transfer, and again when it is done",
    where: "slurm",
    goesOn: "by itself",
    disturb: slurm.requeueAll,
    leaves: slurm.requeuedInVain,
    extraPuts: inFlight(2),
  },
  {
    what: "two agents too many on one shard: they say so and touch nothing",
    where: "local",
    objects: 60,
    shards: 1,
    goesOn: "by itself",
    disturb: local.startThreeAgents,
    extraPuts: 0,
    attempts: { attempt: 1 },
  },
];

/** Disturbs a run, heals it, has it go on, and judges what has come of it. */
async function judge<Run extends FaultRun>(fault: FaultOf<Run>, run: Run): Promise<void> {
  await using _ = run;
  const watch = run.watchForFalseDone();
  await fault.disturb(run);
  if (!run.isStarted) await run.start();
  run.quicken();
  await run.end();
  await fault.leaves?.(run);
  run.endFaults();
  await fault.heal?.(run);
  if (fault.goesOn !== "either") expect(run.isWhole(), run.said()).toBe(fault.goesOn === "by itself");
  if (!run.isWhole()) {
    await run.start();
    await run.end();
    expect(run.isWhole(), run.said()).toBe(true);
  }
  expect(watch.end()).toEqual([]);
  expect(run.said()).not.toContain("bug in xfer");
  expect(run.states("fail")).toEqual([]);
  expect(await run.different()).toEqual([]);
  await run.expectNoProcess();
  if (fault.extraPuts !== undefined)
    expect(run.dest.counts.PUT).toBeLessThanOrEqual(run.keys.length + fault.extraPuts);
  if (fault.attempts)
    expect(run.states("attempt")).toMatchObject(run.states("done").map(() => fault.attempts));
}

describe("the fault matrix, on this host", () => {
  for (const fault of faults) {
    if (fault.where !== "local") continue;
    test(fault.what, async () => judge(fault, await LocalRun.of(fault)), timeoutMs);
  }
});

/** A cluster of its own: few array indices, two partitions of which one preempts, and nodes that go down. */
describe("the fault matrix, on a cluster", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({
      config: { MaxArraySize: "5", PreemptType: "preempt/partition_prio", PreemptMode: "REQUEUE" },
      extraLines: [
        "PartitionName=urgent Nodes=n[1-2] MaxTime=INFINITE DefaultTime=60 State=UP PriorityTier=100",
      ],
    });
  }, timeoutMs);
  afterAll(() => cluster.stop(), timeoutMs);
  const testOf = (fault: Fault) => {
    if (fault.where !== "slurm") return;
    test(fault.what, async () => judge(fault, await SlurmRun.of(fault, cluster)), timeoutMs);
  };
  const isAlone = (fault: Fault) => fault.where === "slurm" && fault.alone === true;
  // Most of their time they wait for Slurm: side by side they take as long as the longest.
  describe.concurrent("side by side", () => faults.filter((fault) => !isAlone(fault)).forEach(testOf));
  describe("alone", () => faults.filter(isAlone).forEach(testOf));
});
