import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Claim } from "../../agent/claim.ts";

/** Takes the claims of many rounds as fast as it can, each at a moment that other takers have too. */
export async function takeClaims(dir: string, rounds: number, startAt: number): Promise<void> {
  const never = new AbortController().signal;
  for (let round = 0; round < rounds; round++) {
    const at = join(dir, String(round));
    while (Date.now() < startAt + 20 * round) await Bun.sleep(0);
    const answer = join(at, "answer");
    const taken = await Claim.takeOr(join(at, "claim"), () => existsSync(answer) || undefined, never);
    if (taken && "claim" in taken) {
      appendFileSync(join(at, "held"), `${taken.claim.token}\n`);
      await Bun.sleep(5);
      if (!taken.claim.isHeld()) appendFileSync(join(at, "held"), "lost\n");
      writeFileSync(answer, "");
      taken.claim.settle();
    }
  }
}

if (import.meta.main) {
  const [dir = "", rounds, startAt] = process.argv.slice(2);
  await takeClaims(dir, Number(rounds), Number(startAt));
}
