import { describe, expect, test } from "bun:test";
import { optionsInHelp, sbatchExtras, srunExtras, unknownOptions } from "../../../lib/slurm/sbatch-extras.ts";

describe("--sbatch-extras: one option a word, however they were written", () => {
  const two = ["--account=foo", "--qos=bar"];
  test.each<[string, string[]]>([
    ["", []],
    ["  \n\n", []],
    ["#SBATCH --account=foo\\n#SBATCH --qos=bar", two],
    ["#SBATCH --account=foo\n#SBATCH --qos=bar\n", two],
    ["#SBATCH --account=foo\r\n#SBATCH --qos=bar\r\n", two],
    ["#SBATCH --account=foo\\n#SBATCH --qos=bar\\n", two],
    ["#SBATCH --account=foo\\r\\n#SBATCH --qos=bar", two],
    ["#SBATCH --account=foo\\\\n#SBATCH --qos=bar", two],
    ["#SBATCH --account=foo \\n #SBATCH --qos=bar", two],
    ["  #SBATCH\t--account=foo\n\n  --qos=bar", two],
    ["--account=foo\\n--qos=bar", two],
    ["--account=foo\\n-q bar", two],
    ["--account=foo\n--qos=bar", two],
    ["--account=foo --qos=bar", two],
    ["#SBATCH --account=foo --qos bar", two],
    ["#SBATCH --account=foo #SBATCH --qos=bar", two],
    ["-A foo -q bar", two],
    ["-Afoo\\n-qbar", two],
    ["--account foo # the group's\n# a comment, it's long\n##SBATCH --hold\n# SBATCH --hold\n--qos bar", two],
    ["--acco=foo --qo=bar", two],
    ["-HOs", ["--hold", "--overcommit", "--oversubscribe"]],
    ["--exclusive", ["--exclusive"]],
    ["--exclusive=user --nice=-5 -k", ["--exclusive=user", "--nice=-5", "--no-kill"]],
    [`--comment='a #b "c" \\n--d'`, [`--comment=a #b "c" \\n--d`]],
    ["--comment '#1' --constraint='[a|b]&c'", ["--comment=#1", "--constraint=[a|b]&c"]],
    ["--comment=a\\ b", ["--comment=a b"]],
    ["--mail-type=END,FAIL --mail-user=a@b", ["--mail-type=END,FAIL", "--mail-user=a@b"]],
    [
      "--dependency=afterok:12:13_4,singleton -d after:5+10",
      ["--dependency=afterok:12:13_4,singleton", "--dependency=after:5+10"],
    ],
    [
      "-N 1-2 --nodelist=n[1-2] --gres=gpu:a:1 -G a:1",
      ["--nodes=1-2", "--nodelist=n[1-2]", "--gres=gpu:a:1", "--gpus=a:1"],
    ],
    [
      "-t 2-0 --mem=1T --tmp=10G -p a,b -J x",
      ["--time=2-0", "--mem=1T", "--tmp=10G", "--partition=a,b", "--job-name=x"],
    ],
    [
      "--signal=B:USR1@165 --open-mode=truncate --requeue",
      ["--signal=B:USR1@165", "--open-mode=truncate", "--requeue"],
    ],
    // Of later releases, and a site's own.
    [
      "--stepmgr --segment=3 --oom-kill-step=1 --exclusive=topo",
      ["--stepmgr", "--segment=3", "--oom-kill-step=1", "--exclusive=topo"],
    ],
    ["--site-option=x --site-switch", ["--site-option=x", "--site-switch"]],
  ])("%j", (text, words) => {
    expect(sbatchExtras(text)).toEqual(words);
    // As one word each they are read as the same.
    expect(unknownOptions(words)).toEqual(text.includes("--site") ? ["site-option", "site-switch"] : []);
  });
});

describe("--sbatch-extras: refused, by name", () => {
  test.each<[string, string]>([
    ["foo", '"foo" is no option'],
    ["--comment #1", "--comment has no value"],
    ["--account=a foo", '"foo" is no option'],
    ["--exclusive user", '"user" is no option'],
    ["--nice 10", '"10" is no option'],
    ["--account=foo\\nmodule load x", '"module" is no option'],
    ["--", '"--" is no option'],
    ["-", '"-" is no option'],
    ["--account", "--account has no value"],
    ["--account\n--qos=bar", "--account has no value"],
    ["--account --qos=bar", "--account has no value"],
    ["-A", "-A has no value"],
    ["--hold=yes", "--hold takes no value"],
    ["--acc=a", "--acc is short for --account and --acctg-freq"],
    ["-Z", "sbatch has no option -Z"],
    ["--comment 'a", "a quote is not closed"],
    ["--array=0-3", "--array cannot be used here: the array is xfer's"],
    ["-a0-3", "-a cannot be used here: the array is xfer's"],
    ["--arr 0-3", "--arr cannot be used here: the array is xfer's"],
    ["--wrap=ls", "--wrap cannot be used here"],
    ["--no-requeue", "--no-requeue cannot be used here"],
    ["-W", "-W cannot be used here"],
    ["--test-only", "--test-only cannot be used here: nothing would be submitted"],
    ["-h", "-h cannot be used here: nothing would be submitted"],
    ["-c 8", "-c cannot be used here: the agents must know it too: use xfer's own --cpus-per-task"],
    ["--mem-per-cpu=1G", "--mem-per-cpu cannot be used here: sbatch takes it or --mem, not both"],
    [
      "--signal=USR1@60",
      "--signal: with it a task is told to stop before its time limit: use xfer's own --stop-lead",
    ],
    ["--signal=B:USR1@70000", "--signal: with it"],
    ["--time=abc", '--time: "abc" is no time limit'],
    ["-t abc", '-t: "abc" is no time limit'],
    ["--time-min=1:2:3:4", '--time-min: "1:2:3:4" is no time limit'],
    ["--mem=lots", '--mem: "lots" is no amount of memory'],
    ["--tmp=1.5G", '--tmp: "1.5G" is no amount of memory'],
    ["--partition=", '--partition: "" names no partition'],
    ["--nodes=x", '--nodes: "x" is no number of nodes'],
    ["--nodes=2-1", '--nodes: "2-1" is no number of nodes'],
    ["-N0", '-N: "0" is no number of nodes'],
    ["--ntasks=0", '--ntasks: "0" is no whole number from 1'],
    ["--ntasks-per-node=x", '--ntasks-per-node: "x" is no whole number from 1'],
    ["--gpus=x", '--gpus: "x" is no number of GPUs'],
    ["--mail-type=FOO", '--mail-type: "FOO" is no kind of mail'],
    ["--open-mode=foo", '--open-mode: "foo" is no mode'],
    ["--exclusive=foo", '--exclusive: "foo" is no kind of --exclusive'],
    ["--nice=abc", '--nice: "abc" is no whole number'],
    ["--dependency=foo", '--dependency: "foo" is no dependency'],
    ["--dependency=afterok:x", '--dependency: "afterok:x" is no dependency'],
    ["--kill-on-invalid-dep=maybe", '--kill-on-invalid-dep: "maybe" is no answer'],
    ["--wait-all-nodes=2", '--wait-all-nodes: "2" is no answer'],
    ["--hint=foo", '--hint: "foo" is no hint'],
  ])("%j", (text, said) => {
    expect(() => sbatchExtras(text)).toThrow(`--sbatch-extras: ${said}`);
  });
});

describe("--pyxis-extra: only options come between srun and rclone", () => {
  test.each<[string, string[] | string]>([
    ["--container-workdir=/ -v", ["--container-workdir=/", "--verbose"]],
    ["--container-workdir / --mpi none", ["--container-workdir=/", "--mpi=none"]],
    ["--export=ALL\\n--no-container-mount-home", ["--export=ALL", "--no-container-mount-home"]],
    ["--container-mounts=/a:/a --container-env A,B", ["--container-mounts=/a:/a", "--container-env=A,B"]],
    ["--site-option=x", ["--site-option=x"]],
    ["foo", '"foo" is no option'],
    ["--site-option x", '"x" is no option'],
    ["--container-name", "--container-name has no value"],
    ["--container-image=x", "--container-image cannot be used here: use --rclone-image"],
    ["--help", "--help cannot be used here"],
  ])("%j", (text, words) => {
    if (typeof words === "string") expect(() => srunExtras(text)).toThrow(`--pyxis-extra: ${words}`);
    else expect(srunExtras(text)).toEqual(words);
  });
});

test("what sbatch --help names", () => {
  const help =
    "Usage: sbatch [OPTIONS(0)...] script\n\nParallel run options:\n  -a, --array=indexes         job array\n" +
    "      --bb=<spec>             burst buffer\n  -B  --extra-node-info=S     sockets; see --hint\n" +
    "Options provided by plugins:\n      --site-image=IMAGE\n                              of the site\n";
  expect([...optionsInHelp(help)].sort()).toEqual(["array", "bb", "extra-node-info", "site-image"]);
});
