import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sharedCluster } from "./cluster/shared.ts";
import { blocksOf, type Command, commandsOf } from "./docs/page.ts";
import { differenceOf } from "./docs/told.ts";
import { loginNode, oneMachine, troubledNode, type World, workstation } from "./docs/worlds.ts";
import { limitMs } from "./setup/pace.ts";
import { ensureSshPackages } from "./ssh/account.ts";

const root = join(import.meta.dir, "..");
const read = (page: string) => readFileSync(join(root, page), "utf8");

const onLoginNode = async () => loginNode(await sharedCluster());
const onWorkstation = async () => {
  await ensureSshPackages();
  return workstation(await sharedCluster());
};
const withEarlierRun = async () => loginNode(await sharedCluster(), { earlier: true });

/** Every page whose commands are run; where its parts are about different machines, by heading. */
const stages: readonly [page: string, heading: string, start: () => Promise<World>][] = [
  ["README.md", "A first copy", oneMachine],
  ["README.md", "On a cluster", onLoginNode],
  ["docs/guide/one-machine.md", "", () => oneMachine({ store: true })],
  ["docs/guide/slurm-cluster.md", "", onLoginNode],
  ["docs/guide/remote-cluster.md", "", onWorkstation],
  ["docs/guide/start-to-proof.md", "", async () => troubledNode(await sharedCluster())],
  ["docs/guide/repeat-a-transfer.md", "", () => oneMachine({ store: true })],
  ["docs/guide/troubleshooting.md", "", () => oneMachine({ store: true })],
  ["docs/guide/coming-from-the-python-xfer.md", "", withEarlierRun],
];

/** Commands that no page's test can run, and why. */
const notRun: Readonly<Record<string, string>> = {
  "npx -y bun@1.4.4 run demo": "installs packages and builds: run by hand",
  "npx -y bun@1.4.4 run test": "is what runs this test",
};

/** Words after a fence that say that a block is no command. */
const otherBlocks = ["text", "ini"];

const guides = ["README.md", ...readdirSync(join(root, "docs", "guide")).map((name) => `docs/guide/${name}`)];

/** Job ids as the pages print them: the first that a page tells stands for the first that Slurm gives, and so on. */
const jobId = /^471\d$/;

describe("every command of a page runs as it stands, and prints what the page tells", () => {
  test.each([...stages])(
    "%s %s",
    async (page, heading, start) => {
      const blocks = blocksOf(read(page)).filter((block) => heading === "" || block.heading === heading);
      const commands = blocks.flatMap(commandsOf);
      expect(commands.length).toBeGreaterThan(0);
      await using world = await start();
      await follow(page, commands, world);
      expect(await world.problems?.()).toEqual(world.problems && []);
    },
    limitMs(300_000),
  );
});

/** Does what a page's reader does; fails at the first command that prints or ends otherwise than the page tells. */
async function follow(page: string, commands: readonly Command[], world: World): Promise<void> {
  const jobs = new Map<string, string>();
  let code = 0;
  for (const [index, { line, text, told }] of commands.entries()) {
    const real = inWorld(text, world, jobs);
    const ended = await world.run(`(exit ${code}); ${real}`);
    const wanted = told.map((one) =>
      jobId.test(one) && !jobs.has(one) ? bind(one, ended.stdout, jobs) : one,
    );
    const printed = { ...ended, stdout: asTold(ended.stdout, world), stderr: asTold(ended.stderr, world) };
    const where = `${page}:${line}: $ ${text}`;
    const difference = differenceOf(
      wanted.map((one) => jobs.get(one) ?? one),
      printed,
    );
    if (difference !== undefined) throw new Error(`${where}\n${difference}`);
    // A page that leaves a failure out has its reader believe that all is well.
    code = ended.code;
    const isToldNext = commands[index + 1]?.text === "echo $?";
    expect(isToldNext ? 0 : code, `${where}: exit code, without "$ echo $?" below it`).toBe(0);
    for (const one of told) if (jobId.test(one)) await world.ended(jobs.get(one) ?? "");
  }
}

function bind(told: string, stdout: string, jobs: Map<string, string>): string {
  jobs.set(told, /^\d+$/m.exec(stdout)?.[0] ?? "no job id was printed");
  return told;
}

function inWorld(text: string, { folders }: World, jobs: ReadonlyMap<string, string>): string {
  return replaceAll(text, new Map(folders)).replace(/\b471\d\b/g, (id) => jobs.get(id) ?? id);
}

function asTold(text: string, { folders }: World): string {
  return replaceAll(text, new Map(folders.map(([page, real]) => [real, page])));
}

/** Replaces folders at once: the name of one may be a part of another's. */
function replaceAll(text: string, folders: ReadonlyMap<string, string>): string {
  const names = [...folders.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(`(?:${names.join("|")})(?=/)`, "g");
  return text.replace(pattern, (name) => folders.get(name) ?? name);
}

test("what CI runs is README's test command, as it stands there", () => {
  const [last] = read(".ci/run").trimEnd().split("\n").slice(-1);
  const commands = blocksOf(read("README.md")).flatMap(({ lines }) => lines);
  expect(commands.filter((line) => line.endsWith(" run test"))).toEqual([last ?? ""]);
});

test("every block of README and the guide is a command that is run, or says what else it is", () => {
  for (const page of guides) {
    for (const block of blocksOf(read(page))) {
      const where = `${page}:${block.line}`;
      const commands = commandsOf(block);
      if (block.info !== undefined) {
        expect(otherBlocks, `${where}: a fenced block`).toContain(block.info);
        expect(commands, `${where}: a command is in a fenced block: indent it`).toEqual([]);
      } else if (commands.length === 0) {
        for (const line of block.lines.filter((one) => one !== "")) {
          expect(Object.keys(notRun), `${where}: neither a command nor a fenced block`).toContain(line);
        }
      } else {
        const isRun = stages.some(
          ([staged, heading]) => staged === page && (heading === "" || heading === block.heading),
        );
        expect(isRun, `${where}: no test runs it`).toBe(true);
      }
    }
  }
});
