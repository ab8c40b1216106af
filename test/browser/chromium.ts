import { existsSync, readFileSync, rmSync } from "node:fs";
import { ensurePackages, findProgram, program } from "../setup/packages.ts";
import { temporaryDirectory, until } from "../stage/harness.ts";

/** A message of the DevTools protocol, of the parts that are read here. */
interface Message {
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { message: string };
}

/** Makes sure that a Chromium is there, as `ensurePackages` does. */
export const ensureChromium = (): Promise<void> => ensurePackages([program("chromium", "chromium")]);

/** One tab of a headless Chromium, driven over its DevTools protocol; gone when it goes out of scope. */
export class Tab implements AsyncDisposable {
  /** The addresses that the page asked for, and what it complained of. */
  readonly requests: string[] = [];
  readonly complaints: string[] = [];
  readonly #child: Bun.Subprocess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  #lastId = 0;

  private constructor(child: Bun.Subprocess, profile: string, socket: WebSocket) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#take(JSON.parse(String(data))));
  }

  static async open(): Promise<Tab> {
    const { path: profile } = temporaryDirectory("xfer-chromium-");
    const argv = [
      ...[findProgram("chromium") ?? "chromium", "--headless", "--no-sandbox", "--disable-gpu"],
      ...["--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"],
      ...["--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"],
    ];
    // Its home is the profile, so that it leaves nothing behind.
    const env = { PATH: process.env.PATH ?? "", HOME: profile, LANG: "C.UTF-8" };
    const child = Bun.spawn(argv, { env, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    // It is there before its content is, and a BunFile would go on to say that it is empty.
    const portFile = `${profile}/DevToolsActivePort`;
    const port = await until("Chromium", () =>
      existsSync(portFile) ? readFileSync(portFile, "utf8").split("\n")[0] || undefined : undefined,
    );
    const pages = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
      type: string;
      webSocketDebuggerUrl: string;
    }[];
    const page = pages.find(({ type }) => type === "page");
    if (!page) throw new Error("Chromium has no page");
    const socket = new WebSocket(page.webSocketDebuggerUrl);
    const opened = Promise.withResolvers<void>();
    socket.addEventListener("open", () => opened.resolve());
    socket.addEventListener("error", () => opened.reject(new Error("no connection to Chromium")));
    const tab = new Tab(child, profile, socket);
    await opened.promise;
    for (const domain of ["Network", "Page", "Runtime", "Log"]) await tab.send(`${domain}.enable`);
    return tab;
  }

  #take({ id, method, params = {}, result = {}, error }: Message): void {
    if (id !== undefined) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result);
    } else if (method === "Network.requestWillBeSent") {
      this.requests.push((params.request as { url: string }).url);
    } else if (method === "Runtime.exceptionThrown" || method === "Log.entryAdded") {
      this.complaints.push(JSON.stringify(params));
    } else if (method === "Page.javascriptDialogOpening") {
      this.complaints.push(`a dialog: ${params.message}`);
    }
  }

  /** Calls a method of the protocol. */
  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#lastId;
    const waiting = Promise.withResolvers<Record<string, unknown>>();
    this.#waiting.set(id, waiting);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return waiting.promise;
  }

  /** The value of an expression in the page. Throws what it throws. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      ...{ expression, returnByValue: true, awaitPromise: true },
    });
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: T }).value;
  }

  /** Shows a page at a width, light or dark, and waits until it is laid out. */
  async show(url: string, width: number, scheme: "light" | "dark"): Promise<void> {
    const metrics = { width, height: 1000, deviceScaleFactor: 1, mobile: false };
    await this.send("Emulation.setDeviceMetricsOverride", metrics);
    await this.send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: scheme }],
    });
    await this.send("Page.navigate", { url });
    await until("the page", () =>
      this.evaluate<boolean>(`document.readyState === "complete" && location.href !== "about:blank"`),
    );
    await this.evaluate("new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)))");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
