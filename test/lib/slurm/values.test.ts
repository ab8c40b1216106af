import { describe, expect, test } from "bun:test";
import { memoryProblem, parseTimeLimit, partitionProblem, stopLead } from "../../../lib/slurm/values.ts";

/** What each is was seen with sbatch 22.05 (test/e2e/words.test.ts asks a real one); seconds, rounded up to minutes. */
describe("a time limit as Slurm reads it", () => {
  const forever = Number.POSITIVE_INFINITY;
  test.each<[string, number | undefined]>([
    ["90", 5400],
    ["1:30", 120],
    ["0:20", 60],
    ["24:00:00", 86_400],
    ["90:00:00", 324_000],
    ["00:99:99", 6060],
    ["2-12", 216_000],
    ["2-12:30", 217_800],
    ["2-12:30:10", 217_860],
    ["UNLIMITED", forever],
    ["infinite", forever],
    ["-1", forever],
    ["0", forever],
    ["00:00:00", forever],
    ["abc", undefined],
    ["", undefined],
    ["24h", undefined],
    ["1.5", undefined],
    ["1:2:3:4", undefined],
    ["1-2:3:4:5", undefined],
    ["1-1-1", undefined],
    [":30", undefined],
    ["30:", undefined],
    ["unlim", undefined],
    ["1 2", undefined],
    ["-5", undefined],
  ])("%s", (text, seconds) => expect(parseTimeLimit(text)).toBe(seconds));
});

test("an amount of memory as Slurm reads it", () => {
  for (const text of ["0", "500", "8G", "8g", "8GB", "512M", "100K", "1T"]) {
    expect(memoryProblem(text), text).toBeUndefined();
  }
  for (const text of ["lots", "", "8Gfoo", "8GiB", "1P", "-1", "1.5G", " 8G", "8 G", "G"]) {
    expect(memoryProblem(text), text).toContain(`${JSON.stringify(text)} is no amount of memory`);
  }
});

test("names of partitions", () => {
  for (const text of ["transfer", "a,b", "p;rm", "p-1.x_y"])
    expect(partitionProblem(text), text).toBeUndefined();
  for (const text of ["", " ", "a b", "a,", ",a", "a,,b", "a\nb"])
    expect(partitionProblem(text)).toContain("no partition");
});

describe("how long before the limit a task is told to stop", () => {
  test.each<[number | undefined, string, number | "wrong"]>([
    [undefined, "24:00:00", 120],
    [undefined, "UNLIMITED", 120],
    [undefined, "5", 120],
    [undefined, "3", 90],
    [undefined, "1", 30],
    [300, "24:00:00", 300],
    [300, "0", 300],
    [59, "1", 59],
    [60, "1", "wrong"],
    [120, "1", "wrong"],
  ])("%p of %s", (asked, limit, seconds) => {
    const lead = stopLead(asked, limit);
    expect("seconds" in lead ? lead.seconds : "wrong").toBe(seconds);
  });
});
