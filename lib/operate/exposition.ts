/** One value of a metric, told from its others by its labels. */
interface Sample {
  labels?: Readonly<Record<string, string>>;
  value: number;
}

/** A metric: all values of one name. */
export interface MetricFamily {
  /** Ends with its unit, and a counter's with `_total` after that. */
  name: string;
  help: string;
  type: "counter" | "gauge";
  samples: readonly Sample[];
}

/** The media type of the text below. */
export const expositionType = "text/plain; version=0.0.4; charset=utf-8";

/** Metrics in Prometheus' text format 0.0.4; `labels` are those of every value. A metric without values is left out. */
export function expositionText(
  families: readonly MetricFamily[],
  labels: Readonly<Record<string, string>>,
): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, type, samples }) => {
      const lines = samples.map(
        (one) => `${name}${labelsText({ ...labels, ...one.labels })} ${valueText(one.value)}\n`,
      );
      return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join("")}`;
    })
    .join("");
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** A number as Go's ParseFloat reads it, which knows no "Infinity". */
export function valueText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}

const escapeHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");

const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');
