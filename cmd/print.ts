/** Writes data to stdout and waits until it is taken; a reader that has gone away ends the output without a word. */
export function printText(text: string): Promise<void> {
  return print(text);
}

/** Writes bytes to stdout, as printText does; they may be changed once they are taken. */
export function printBytes(bytes: Uint8Array): Promise<void> {
  return print(bytes);
}

function print(data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(data, (error) => {
      if (error && (error as NodeJS.ErrnoException).code !== "EPIPE") reject(error);
      else resolve();
    });
  });
}

/** Writes a value as one line of JSON. */
export function printJson(value: unknown): Promise<void> {
  return printText(`${JSON.stringify(value)}\n`);
}
