/** How long tests may wait, by how fast this machine works at the moment. */

/** Milliseconds that `work` takes on an idle core of a machine like those that run the tests. */
const idleMs = 120;
const rounds = 100_000_000;

/** What the measurement gives at most: a longer wait would be for a hang. */
const paceMax = 30;

/** The test runner's own limits only end what hangs for good: what a test waits for has its own, and says what it is. */
const runnerFactor = 4;

function work(): number {
  let x = 1;
  for (let i = 0; i < rounds; i++) x = (Math.imul(x, 1_664_525) + 1_013_904_223) | 0;
  return x;
}

let slowest = 1;

/**
 * Measures how many times slower this machine works than an idle one, which takes a moment's work; the slowest that was
 * ever measured counts, for what waits may have begun then. At least 1, and at most 30.
 */
function measurePace(): number {
  const before = performance.now();
  // The result is looked at, so that the loop is not optimised away.
  const tookMs = work() === 0 ? 0 : performance.now() - before;
  slowest = Math.min(paceMax, Math.max(slowest, tookMs / idleMs));
  return slowest;
}

// The first run of the loop is not compiled yet.
work();
measurePace();

/** A limit for the test runner, from what the test takes at most on an idle machine. */
export function limitMs(idleLimitMs: number): number {
  return Math.round(idleLimitMs * Math.max(runnerFactor, slowest));
}

/** What a wait of so many milliseconds on an idle machine may take here. */
export function paced(idleWaitMs: number): number {
  return Math.round(idleWaitMs * slowest);
}

/**
 * The end of a wait, which moves with the machine's pace: before a wait is given up the pace is measured again. Call it
 * at each look; true once the wait has lasted too long.
 */
export function patience(idleWaitMs: number): () => boolean {
  const startedAt = performance.now();
  let waitMs = paced(idleWaitMs);
  return () => {
    if (performance.now() - startedAt <= waitMs) return false;
    measurePace();
    waitMs = paced(idleWaitMs);
    return performance.now() - startedAt > waitMs;
  };
}
