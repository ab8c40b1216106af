/** The flags of checked words, each with its last value; a switch is "on" or "off". */
export function givenIn(rawArgs: readonly string[]): Map<string, string> {
  const given = new Map<string, string>();
  for (const word of rawArgs) {
    const [, name = "", value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (value !== undefined) given.set(name, value);
    else if (name.startsWith("no-")) given.set(name.slice("no-".length), "off");
    else given.set(name, "on");
  }
  return given;
}
