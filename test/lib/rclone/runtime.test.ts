import { describe, expect, test } from "bun:test";
import {
  absoluteImage,
  mountProblem,
  type RuntimeOptions,
  rcloneVariables,
  stepEnvironment,
  wrapCommand,
} from "../../../lib/rclone/runtime.ts";

const rclone = ["rclone", "version"];
const mounts = [
  { source: "/data", target: "/data", writable: false },
  { source: "/out", target: "/to", writable: true },
];
const pyxis: RuntimeOptions = {
  runtime: "pyxis",
  image: "/i.sqsh",
  mounts,
  cpus: 4,
  keepFromImage: ["RCLONE_TRANSFERS", "RCLONE_CHECKERS"],
  pyxisExtra: ["--qos=high"],
};
const bare: RuntimeOptions = { ...pyxis, mounts: [], cpus: undefined, keepFromImage: [], pyxisExtra: [] };

describe("the command line that runs rclone", () => {
  const table: [what: string, options: RuntimeOptions, argv: string[]][] = [
    [
      "pyxis: one list of mounts, one of variables, the user's words last",
      pyxis,
      [
        ...["srun", "--export=ALL", "-n", "1", "-c", "4", "--container-image=/i.sqsh"],
        ...["--container-mounts=/data:/data:ro,/out:/to:rw"],
        ...["--container-env=RCLONE_TRANSFERS,RCLONE_CHECKERS", "--qos=high", ...rclone],
      ],
    ],
    [
      "pyxis with one of each",
      { ...bare, mounts: mounts.slice(0, 1), keepFromImage: ["RCLONE_TRANSFERS"] },
      [
        ...[
          "srun",
          "--export=ALL",
          "-n",
          "1",
          "--container-image=/i.sqsh",
          "--container-mounts=/data:/data:ro",
        ],
        ...["--container-env=RCLONE_TRANSFERS", ...rclone],
      ],
    ],
    [
      "pyxis: the user's own mounts and variables are joined to xfer's, since only the last list counts",
      {
        ...bare,
        mounts: mounts.slice(0, 1),
        keepFromImage: ["RCLONE_TRANSFERS"],
        pyxisExtra: [
          "--container-mounts=/a:/b",
          "--verbose",
          "--container-env=A,B",
          "--container-mounts=/c:/c",
        ],
      },
      [
        ...["srun", "--export=ALL", "-n", "1", "--container-image=/i.sqsh"],
        ...["--container-mounts=/data:/data:ro,/a:/b,/c:/c"],
        ...["--container-env=RCLONE_TRANSFERS,A,B", "--verbose", ...rclone],
      ],
    ],
    [
      "pyxis with nothing more",
      bare,
      ["srun", "--export=ALL", "-n", "1", "--container-image=/i.sqsh", ...rclone],
    ],
    [
      "apptainer: a bind for each mount",
      { ...pyxis, runtime: "apptainer" },
      ["apptainer", "exec", "--bind", "/data:/data:ro", "--bind", "/out:/to:rw", "/i.sqsh", ...rclone],
    ],
    ["the host: rclone itself", { ...pyxis, runtime: "host" }, rclone],
    ["no image: rclone itself", { ...pyxis, image: undefined }, rclone],
  ];
  for (const [what, options, argv] of table) {
    test(what, () => expect(wrapCommand(rclone, options)).toEqual(argv));
  }
});

test("an image is named everywhere alike", () => {
  const table: [image: string, runtime: "pyxis" | "apptainer", named: string][] = [
    ["/shared/i.sqsh", "pyxis", "/shared/i.sqsh"],
    ["i.sqsh", "pyxis", "/here/i.sqsh"],
    ["i.squashfs", "pyxis", "/here/i.squashfs"],
    ["i.sif", "pyxis", "/here/i.sif"],
    ["i.sqsh.old", "pyxis", "i.sqsh.old"],
    ["sqsh", "pyxis", "sqsh"],
    ["./image", "pyxis", "/here/image"],
    ["../image", "pyxis", "/image"],
    [".image", "pyxis", ".image"],
    ["library./image", "pyxis", "library./image"],
    ["rclone/rclone", "pyxis", "rclone/rclone"],
    ["rclone/rclone", "apptainer", "/here/rclone/rclone"],
    ["docker://rclone/rclone:1.60", "pyxis", "docker://rclone/rclone:1.60"],
    ["docker://rclone/rclone:1.60", "apptainer", "docker://rclone/rclone:1.60"],
    ["x docker://i.sif", "pyxis", "/here/x docker:/i.sif"],
  ];
  for (const [image, runtime, named] of table)
    expect([image, absoluteImage(image, runtime, "/here")]).toEqual([image, named]);
});

test("a path that would end an entry of a mount list cannot be mounted", () => {
  expect(mountProblem("/a,b", "pyxis")).toContain("/a,b");
  expect(mountProblem("/a:b", "apptainer")).toContain("cannot be mounted by apptainer");
  expect(mountProblem("/a b;c", "pyxis")).toBeUndefined();
  expect(mountProblem("/a:b,c", "host")).toBeUndefined();
});

describe("the environment of a step", () => {
  const env = {
    PATH: "/bin",
    RCLONE_TRANSFERS: "4",
    RCLONE_DRY_RUN: "true",
    XRCLONE_TRANSFERS: "4",
    RCLONE_CONFIG_SRC_PASS: "a$b",
    RCLONE_lower: "x",
    BUN_OPTIONS: "--smol",
    NONE: undefined,
  };

  test("has nothing that the account cannot stand", () => {
    const step = stepEnvironment("host", env);
    expect(step).toEqual({
      PATH: "/bin",
      RCLONE_TRANSFERS: "4",
      XRCLONE_TRANSFERS: "4",
      RCLONE_CONFIG_SRC_PASS: "a$b",
      RCLONE_lower: "x",
    });
    expect(stepEnvironment("pyxis", env)).toEqual(step);
  });

  test("under apptainer has rclone's variables once more, but for those that it would evaluate", () => {
    expect(stepEnvironment("apptainer", env)).toEqual({
      ...stepEnvironment("host", env),
      APPTAINERENV_RCLONE_TRANSFERS: "4",
    });
    for (const char of ["$", "`", '"', "\\", "\n"]) {
      const { APPTAINERENV_RCLONE_USER: passed } = stepEnvironment("apptainer", { RCLONE_USER: `a${char}b` });
      expect([char, passed]).toEqual([char, undefined]);
    }
  });

  test("names the variables that win over an image's own", () => {
    expect(rcloneVariables(env)).toEqual(["RCLONE_TRANSFERS", "RCLONE_CONFIG_SRC_PASS"]);
    expect(rcloneVariables({ RCLONE_: "x", "RCLONE_A-B": "x", RCLONE_A9: "" })).toEqual(["RCLONE_A9"]);
  });
});
