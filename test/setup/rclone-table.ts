import { join } from "node:path";
import * as v from "valibot";

/**
 * Makes lib/rclone/rclone-table.json, what xfer knows of rclone's flags and options, from the rclones that it is given:
 * `bun run test/setup/rclone-table.ts RCLONE...`, the newest last. It holds names only: which flags take no value, and
 * which backend options the newest rclone marks neither as a password nor as sensitive.
 */

/** The flags of one kind of command, as names without dashes; `shorts` gives the long name of a letter. */
interface CommandFlags {
  booleans: string[];
  values: string[];
  shorts: Record<string, string>;
}

/** What one rclone says of itself. */
export interface RcloneFacts {
  global: CommandFlags;
  copy: CommandFlags;
  lsjson: CommandFlags;
  backends: { name: string; prefix: string; options: BackendOption[] }[];
}

interface BackendOption {
  name: string;
  flag: string;
  boolean: boolean;
  /** Undefined where this rclone does not say. */
  secret: boolean | undefined;
}

const providersSchema = v.array(
  v.object({
    Name: v.string(),
    Prefix: v.string(),
    Options: v.array(
      v.object({
        Name: v.string(),
        Default: v.unknown(),
        IsPassword: v.boolean(),
        Sensitive: v.optional(v.boolean()),
        NoPrefix: v.boolean(),
      }),
    ),
  }),
);

function output(program: string, ...args: string[]): string {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("RCLONE_")));
  const result = Bun.spawnSync([program, ...args], { env: { ...env, AWS_CA_BUNDLE: "" } });
  if (!result.success) throw new Error(`${program} ${args.join(" ")}: ${result.stderr.toString()}`);
  return result.stdout.toString();
}

/** The flags that a help text lists. A flag without the name of a type takes no value, nor does one that counts. */
function flagsIn(help: string): CommandFlags {
  const flags: CommandFlags = { booleans: [], values: [], shorts: {} };
  for (const [, short, name = "", type] of help.matchAll(
    /^ +(?:-(\w), )?--(\w[\w-]*)(?: (\S[^ ]*(?: \S+)*?))?(?: {2,}.*)?$/gm,
  )) {
    const list = type === undefined || type === "count" ? flags.booleans : flags.values;
    if (!list.includes(name)) list.push(name);
    if (short !== undefined) flags.shorts[short] = name;
  }
  return flags;
}

/** Asks an rclone for its flags and options. */
export function factsOf(program: string): RcloneFacts {
  const providers = v.parse(providersSchema, JSON.parse(output(program, "config", "providers")));
  const marks = providers.some(({ Options }) => Options.some(({ Sensitive }) => Sensitive !== undefined));
  const backends = providers.map(({ Name, Prefix, Options }) => ({
    name: Name,
    prefix: Prefix,
    options: Options.map((option) => ({
      name: option.Name,
      flag: (option.NoPrefix ? option.Name : `${Prefix}-${option.Name}`).replaceAll("_", "-"),
      boolean: typeof option.Default === "boolean",
      secret: option.IsPassword || (marks ? option.Sensitive === true : undefined),
    })),
  }));
  const backendFlags = new Set(backends.flatMap(({ options }) => options.map(({ flag }) => flag)));
  const own = (flags: CommandFlags, without: (name: string) => boolean): CommandFlags => ({
    booleans: flags.booleans.filter((name) => !without(name)),
    values: flags.values.filter((name) => !without(name)),
    shorts: flags.shorts,
  });
  const isBackends = (name: string) => backendFlags.has(name) || name === "group" || name === "name";
  const global = own(flagsIn(output(program, "help", "flags")), isBackends);
  const isGlobal = (name: string) => global.booleans.includes(name) || global.values.includes(name);
  const command = (name: string) => own(flagsIn(output(program, name, "--help")), isGlobal);
  return { global, copy: command("copy"), lsjson: command("lsjson"), backends };
}

const words = (names: Iterable<string>) => [...new Set(names)].sort().join(" ");

/** The table of several rclones, of which the last is the newest. */
export function tableOf(all: readonly RcloneFacts[]) {
  const newest = all.at(-1);
  if (!newest) throw new Error("no rclone was given");
  const merged = (command: "global" | "copy" | "lsjson") => ({
    booleans: words(all.flatMap((facts) => facts[command].booleans)),
    values: words(all.flatMap((facts) => facts[command].values)),
    shorts: Object.assign({}, ...all.map((facts) => facts[command].shorts)) as Record<string, string>,
  });
  const marked = (name: string) =>
    newest.backends.flatMap(({ options }) => options).filter((one) => one.name === name);
  const everyOption = all.flatMap(({ backends }) => backends.flatMap(({ options }) => options));
  return {
    global: merged("global"),
    copy: merged("copy"),
    lsjson: merged("lsjson"),
    booleanOptions: words(everyOption.filter((option) => option.boolean).map(({ name }) => name)),
    /** Options that some backend marks as secret: a remote whose backend is not known takes none of these. */
    secretOptions: words(
      everyOption.filter(({ name }) => marked(name).some(({ secret }) => secret)).map(({ name }) => name),
    ),
    backends: Object.fromEntries(
      newest.backends
        .map(
          ({ name, prefix, options }) =>
            [
              name,
              {
                prefix,
                open: words(options.filter(({ secret }) => secret === false).map((option) => option.name)),
              },
            ] as const,
        )
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  };
}

if (import.meta.main) {
  const table = tableOf(process.argv.slice(2).map(factsOf));
  const path = join(import.meta.dir, "..", "..", "lib", "rclone", "rclone-table.json");
  await Bun.write(path, `${JSON.stringify(table, null, 2)}\n`);
}
