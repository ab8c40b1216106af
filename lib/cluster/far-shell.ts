/**
 * A command for the far end of ssh, of which nothing is assumed but a POSIX /bin/sh: sshd hands the text to the user's
 * login shell, which may be sh, csh or fish and may print what it likes before.
 *
 * Of the text every login shell reads the same words: it has no quote, backslash, exclamation mark or line break but for
 * two pairs of single quotes, in which csh still looks for `!`, and fish for `\\` and `\'`. The script itself travels as
 * octal escapes, which printf %b (POSIX) turns back.
 */
export function farCommand(script: string): string {
  const escaped = [...new TextEncoder().encode(script)].map(escapeByte).join("");
  return `exec env XFER_SCRIPT='${escaped}' /bin/sh -c 'eval "$(printf %b "$XFER_SCRIPT")"'`;
}

const plain = /[A-Za-z0-9 _./:=@%+,-]/;

function escapeByte(byte: number): string {
  const char = String.fromCharCode(byte);
  return plain.test(char) ? char : `\\0${byte.toString(8).padStart(3, "0")}`;
}

/** A script whose output can be told from a login shell's: a line of its own before and after it, on both outputs. */
export function framedScript(script: string, mark: string): string {
  return [
    "unset XFER_SCRIPT",
    `printf '%s\\n' ${mark}`,
    `printf '%s\\n' ${mark} >&2`,
    `( ${script}\n)`,
    "code=$?",
    `printf '\\n%s %s\\n' ${mark} "$code"`,
    `printf '\\n%s %s\\n' ${mark} "$code" >&2`,
    "exit 0",
  ].join("\n");
}

/**
 * What stands between the two marks of one output, handed on as it comes: the first mark is a line, the second one a line
 * with the exit code. A part that may yet become the second mark is held back.
 */
export class FramedOutput {
  readonly #begin: Buffer;
  readonly #end: Buffer;
  readonly #onBytes: (bytes: Uint8Array) => void | Promise<void>;
  #held: Buffer = Buffer.alloc(0);
  #state: "before" | "within" | "after" = "before";
  #noise = "";
  #code: number | undefined;

  constructor(mark: string, onBytes: (bytes: Uint8Array) => void | Promise<void>) {
    this.#begin = Buffer.from(`${mark}\n`);
    this.#end = Buffer.from(`\n${mark} `);
    this.#onBytes = onBytes;
  }

  /** What came before the first mark: a login shell's banner, or why there was no shell. */
  get noise(): string {
    return this.#state === "before" ? this.#noise + this.#held.toString() : this.#noise;
  }

  /** Whether the script has started. */
  get hasBegun(): boolean {
    return this.#state !== "before";
  }

  /** The script's exit code; undefined until it has ended. */
  get code(): number | undefined {
    return this.#code;
  }

  /** Takes what came, and resolves when all that can be handed on is taken. */
  async add(chunk: Uint8Array): Promise<void> {
    this.#held = Buffer.concat([this.#held, chunk]);
    if (this.#state === "before") this.#findBegin();
    if (this.#state === "within") await this.#findEnd();
  }

  #findBegin(): void {
    const at = this.#held.indexOf(this.#begin);
    if (at < 0) return;
    this.#noise = this.#held.subarray(0, at).toString();
    this.#held = this.#held.subarray(at + this.#begin.length);
    this.#state = "within";
  }

  async #findEnd(): Promise<void> {
    for (;;) {
      const at = this.#held.indexOf(this.#end);
      await this.#handOn(at < 0 ? this.#held.length - lengthOfStart(this.#held, this.#end) : at);
      if (at < 0) return;
      const rest = this.#held.subarray(this.#end.length).toString("latin1");
      const line = /^(\d{1,3})\n/.exec(rest);
      if (line) {
        this.#code = Number(line[1]);
        this.#state = "after";
        return;
      }
      if (/^\d{0,3}$/.test(rest)) return;
      // The mark's own text in the output: it is no end.
      await this.#handOn(this.#end.length);
    }
  }

  async #handOn(length: number): Promise<void> {
    if (length > 0) await this.#onBytes(this.#held.subarray(0, length));
    this.#held = this.#held.subarray(length);
  }
}

/** How many bytes at the end of `bytes` are the first ones of `wanted`. */
function lengthOfStart(bytes: Buffer, wanted: Buffer): number {
  for (let length = Math.min(bytes.length, wanted.length - 1); length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(wanted.subarray(0, length))) return length;
  }
  return 0;
}
