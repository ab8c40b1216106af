import type { Command, Group } from "./command.ts";
import type { CommandTree } from "./tree.ts";

/** Reads a command or a group and all that is below it, but what scripts alone call. */
export async function loadTree(command: Command | Group): Promise<CommandTree> {
  const below = (command.subCommands ?? {}) as Record<string, () => Promise<Command | Group>>;
  const children = await Promise.all(Object.values(below).map(async (load) => loadTree(await load())));
  return {
    spec: command.spec,
    children: children.filter(({ spec }) => !("isInternal" in spec && spec.isInternal)),
  };
}
