import type { Scenario } from "./scenario.ts";

/** How many rounds are tried to make one smaller, and for how long. */
const triesMax = 40;
const limitMs = 60_000;

/** A smaller round for which `isBroken` still holds: fewer disturbances, then fewer objects. */
export async function smaller(
  scenario: Scenario,
  isBroken: (scenario: Scenario) => Promise<boolean>,
): Promise<Scenario> {
  const deadline = Date.now() + limitMs;
  let least = scenario;
  let tries = 0;
  const isLess = async (candidate: Scenario): Promise<boolean> => {
    if (++tries > triesMax || Date.now() > deadline || !(await isBroken(candidate))) return false;
    least = candidate;
    return true;
  };
  const simpler: ((from: Scenario) => Scenario)[] = [
    (from) => ({ ...from, starts: [] }),
    (from) => ({ ...from, faults: [] }),
    (from) => ({ ...from, present: [] }),
    (from) => ({ ...from, closed: [] }),
    (from) => ({ ...from, flags: [] }),
    (from) => ({ ...from, shards: 1, strategy: "bytes" }),
  ];
  for (const simplify of simpler) {
    const candidate = simplify(least);
    if (JSON.stringify(candidate) !== JSON.stringify(least)) await isLess(candidate);
  }
  for (const part of ["objects", "present"] as const) {
    for (
      let size = Math.ceil(least[part].length / 2);
      size >= 1;
      size = size === 1 ? 0 : Math.ceil(size / 2)
    ) {
      for (let at = 0; at < least[part].length && least[part].length > 1; ) {
        const kept = least[part].filter((_, index) => index < at || index >= at + size);
        if (kept.length === 0 || !(await isLess(withObjects(least, part, kept)))) at += size;
      }
    }
  }
  return least;
}

/** Without what is only about objects that are gone. */
function withObjects(from: Scenario, part: "objects" | "present", kept: Scenario["objects"]): Scenario {
  const next = { ...from, [part]: kept };
  const isThere = (name: string) =>
    next.objects.some((object) => object.name === name || object.name.startsWith(`${name}/`));
  return {
    ...next,
    closed: next.closed.filter(isThere),
    faults: next.faults.filter(({ name }) => name === undefined || isThere(name)),
  };
}
