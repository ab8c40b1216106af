import { dirname } from "node:path";
import { binary, until } from "./harness.ts";

/** A program at a terminal, and what it has shown since something was last typed. */
export class Typist implements AsyncDisposable {
  #shown = "";
  readonly #child: Bun.Subprocess;
  readonly #terminal: Bun.Terminal;

  constructor(
    argv: readonly string[],
    cwd: string,
    env: Readonly<Record<string, string>> = {},
    { cols, rows } = { cols: 200, rows: 50 },
  ) {
    const decoder = new TextDecoder();
    this.#terminal = new Bun.Terminal({
      cols,
      rows,
      data: (_terminal, data) => {
        this.#shown += decoder.decode(data, { stream: true });
      },
    });
    const PATH = `${dirname(binary)}:/usr/bin:/bin`;
    this.#child = Bun.spawn([...argv], {
      cwd,
      env: { PATH, HOME: cwd, PS1: "$ ", TERM: "dumb", LANG: "C.UTF-8", ...env },
      terminal: this.#terminal,
    });
  }

  /** Types in place of what stands on the line, and waits until the line is as it should be. */
  async type(keys: string, shows: string): Promise<void> {
    this.#shown = "";
    this.#terminal.write(`\x15${keys}`);
    await until(`${JSON.stringify(shows)} after ${JSON.stringify(keys)}`, () => this.#shown.includes(shows));
  }

  /** Waits until this is shown. */
  async sees(text: string): Promise<void> {
    await until(JSON.stringify(text), () => this.#shown.includes(text));
  }

  /** Answers what is asked for without an echo. */
  answer(line: string): void {
    this.#terminal.write(`${line}\n`);
  }

  /** Types keys as they are, and forgets what was shown before. */
  press(keys: string): void {
    this.#shown = "";
    this.#terminal.write(keys);
  }

  /** Gives the terminal another size, and forgets what was shown before. */
  resize(cols: number, rows: number): void {
    this.#shown = "";
    this.#terminal.resize(cols, rows);
  }

  /** The process id of the program. */
  get pid(): number {
    return this.#child.pid;
  }

  /** The exit code, once the program has ended. */
  get exited(): Promise<number> {
    return this.#child.exited;
  }

  /** All that has been shown since something was last typed. */
  get shown(): string {
    return this.#shown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    this.#terminal.close();
  }
}
