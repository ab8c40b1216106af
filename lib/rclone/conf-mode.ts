/** Whether a mode, in octal, lets nobody but the owner at a file. */
export function isPrivateMode(mode: string): boolean {
  return /00$/.test(mode);
}
