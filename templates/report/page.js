// Draws the plots of a report's page and lets its tables be sorted. Nothing is loaded, and nothing is kept.

(() => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

  function bytesText(value) {
    let unit = 0;
    let left = value;
    while (left >= 1024 && unit < units.length - 1) {
      left /= 1024;
      unit++;
    }
    return `${left >= 100 || unit === 0 ? Math.round(left) : left.toFixed(1)} ${units[unit]}`;
  }

  /** The steps of an axis of bytes: powers of two. */
  const byteSteps = Array.from({ length: 60 }, (_, power) => 2 ** power);

  /** How times are told below a plot, by the step between two of them in seconds: on the line, and below it for a new day. */
  const day = "{YYYY}-{MM}-{DD}";
  const timeTexts = [
    [86400, day, null, null, null, null, null, null, 1],
    [60, "{HH}:{mm}", `\n${day}`, null, `\n${day}`, null, null, null, 1],
    [1, "{HH}:{mm}:{ss}", `\n${day}`, null, `\n${day}`, null, null, null, 1],
  ];

  /** The steps of an axis of times, in seconds: points are a second long at least. */
  const timeSteps = [1, 2, 5, 10, 15, 30]
    .flatMap((step) => [step, step * 60])
    .concat([1, 2, 3, 4, 6, 12, 24, 48, 120, 240, 720, 2160, 8760].map((hours) => hours * 3600))
    .sort((a, b) => a - b);

  const numberText = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 1 });

  /** The plots, from the top: what each shows, in which colours and how its numbers are told. */
  const plots = [
    {
      title: "Bytes a second",
      height: 220,
      text: bytesText,
      steps: byteSteps,
      lines: [["bytes", "bytes/s", "--blue"]],
    },
    { title: "Objects a second", height: 160, text: numberText, lines: [["objects", "objects/s", "--teal"]] },
    {
      title: "Shards under way",
      height: 160,
      text: numberText,
      lines: [["shards", "shards", "--violet"]],
    },
    {
      title: "Errors, and requests that were throttled",
      height: 160,
      text: numberText,
      lines: [
        ["errors", "errors", "--bad"],
        ["throttled", "throttled", "--amber"],
      ],
      isLeftOut: (data) => [...data.errors, ...data.throttled].every((value) => value === 0),
    },
  ];

  function optionsOf({ height, text, lines, steps }, width, points) {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: color("--soft"),
      grid: { stroke: color("--grid"), width: 1 },
      ticks: { show: false },
    };
    return {
      width,
      height,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      padding: [12, 36, 0, 0],
      cursor: { sync: { key: "report" } },
      scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.05 : 1] } },
      axes: [
        { ...axis, space: 64, values: timeTexts, incrs: timeSteps },
        { ...axis, size: 76, values: (_, values) => values.map(text), ...(steps ? { incrs: steps } : {}) },
      ],
      series: [
        { label: "UTC", value: "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}" },
        ...lines.map(([, label, name]) => ({
          label,
          stroke: color(name),
          fill: lines.length === 1 ? `${color(name)}33` : undefined,
          width: 1.5,
          points: { show: points < 3 },
          value: (_, value) => (value === null || value === undefined ? "-" : text(value)),
        })),
      ],
    };
  }

  function draw(holder, data) {
    holder.replaceChildren();
    const drawn = [];
    for (const plot of plots) {
      if (plot.isLeftOut?.(data)) continue;
      const title = document.createElement("p");
      title.className = "plot-title";
      title.textContent = plot.title;
      holder.append(title);
      const values = [data.at, ...plot.lines.map(([name]) => data[name])];
      const options = optionsOf(plot, holder.clientWidth, data.at.length);
      drawn.push({ plot: new uPlot(options, values, holder), height: plot.height });
    }
    return drawn;
  }

  function drawPlots() {
    const holder = document.getElementById("plots");
    const source = document.getElementById("throughput");
    if (holder === null || source === null) return;
    const data = JSON.parse(source.textContent);
    let drawn = draw(holder, data);
    let width = holder.clientWidth;
    new ResizeObserver(() => {
      if (holder.clientWidth === width) return;
      width = holder.clientWidth;
      for (const { plot, height } of drawn) plot.setSize({ width, height });
    }).observe(holder);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const { plot } of drawn) plot.destroy();
      drawn = draw(holder, data);
    });
  }

  /** What a cell is sorted by: a number where it has one. */
  function sortValue(row, column) {
    const cell = row.cells[column];
    const text = cell.dataset.sort ?? cell.textContent;
    const number = text === "" ? Number.NaN : Number(text);
    return Number.isNaN(number) ? text : number;
  }

  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  }

  function sortBy(table, column) {
    const heads = [...table.tHead.rows[0].cells];
    const isUp = heads[column].getAttribute("aria-sort") !== "ascending";
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[column].setAttribute("aria-sort", isUp ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, value: sortValue(row, column) }));
    rows.sort((a, b) => (isUp ? compare(a.value, b.value) : compare(b.value, a.value)));
    body.append(...rows.map(({ row }) => row));
  }

  function makeSortable() {
    for (const table of document.querySelectorAll("table.sortable")) {
      [...table.tHead.rows[0].cells].forEach((head, column) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = head.textContent;
        button.addEventListener("click", () => sortBy(table, column));
        head.replaceChildren(button);
      });
    }
  }

  makeSortable();
  drawPlots();
})();
