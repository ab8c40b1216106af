import { isColored } from "./colors.ts";
import type { Command, Group } from "./command.ts";
import { helpText } from "./help.ts";
import { loadTree } from "./load-tree.ts";

/** The help of a command or a group, laid out for a stream. */
export async function helpFor(
  command: Command | Group,
  wish: { all: boolean; color: string | undefined; stream: NodeJS.WriteStream },
): Promise<string> {
  return helpText(await loadTree(command), {
    all: wish.all,
    width: wish.stream.columns || 80,
    colors: isColored(wish.color, wish.stream, process.env),
  });
}
