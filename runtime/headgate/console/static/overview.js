// Draws what the page is told: plots, their newest values as text, and their tables. Texts go in as text alone.
"use strict";
(() => {
  const KEPT_SECONDS = 15 * 60, LEAST_SECONDS = 60;
  const NOBODY_KNOWS = "–";
  const SERIES = [1, 2, 3, 4, 1, 2, 3, 4].map((number) => `--series-${number}`);
  const DASHES = [[], [6, 4], [2, 3], [10, 3, 2, 3], [6, 4], [2, 3], [8, 4], [6, 4]];

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const clock = (at, seconds) =>
    new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23",
      ...(seconds && { second: "2-digit" }) });
  const number = (value) =>
    value.toLocaleString("en", { maximumFractionDigits: value < 10 && !Number.isInteger(value) ? 1 : 0 });
  const scaled = (value, units, step) => {
    let unit = 0;
    while (value >= step && unit < units.length - 1) { value /= step; unit += 1; }
    return `${number(value)} ${units[unit]}`;
  };
  const FORMATS = {
    number,
    bytes: (value) => scaled(value, ["B", "kB", "MB", "GB"], 1000),
    milliseconds: (value) => (value < 10000 ? `${number(value)} ms` : `${number(value / 1000)} s`),
    // What is not all never reads 100 %.
    share: (value) => `${number(value === 1 ? 100 : Math.min(Math.floor(value * 1000) / 10, 99.9))} %`,
  };

  /** One figure of the page: times, and for each line a value for each of them, null where nobody knows. */
  class Plotted {
    constructor(figure, lines, limit) {
      this.figure = figure;
      this.format = FORMATS[figure.dataset.unit];
      this.lines = lines;
      this.limit = limit;
      this.values = [...figure.querySelectorAll(".values .value")];
      this.when = figure.querySelector(".when");
      this.place = figure.querySelector(".plot");
      this.details = figure.querySelector("details");
      this.body = figure.querySelector("tbody");
      this.data = [[], ...lines.map(() => [])];
      this.details.addEventListener("toggle", () => this.fill());
      this.plot = null;
      new ResizeObserver(() => this.draw()).observe(this.place);
    }

    set(times, columns) {
      this.data = [times, ...columns];
      this.draw();
      this.tell(this.plot?.cursor.idx ?? null);
      this.fill();
    }

    draw() {
      const width = this.place.clientWidth, height = this.place.clientHeight;
      if (!width || !this.data[0].length) return;
      const data = this.limit ? [...this.data, this.data[0].map(() => this.limit)] : this.data;
      if (!this.plot) this.plot = new uPlot(this.options(width, height), data, this.place);
      else if (this.plot.width !== width) this.plot.setSize({ width, height });
      this.plot.setData(data);
    }

    options(width, height) {
      const axis = { stroke: () => colour("--soft"), grid: { stroke: () => colour("--line"), width: 1 },
        ticks: { stroke: () => colour("--line"), width: 1 }, font: "11px system-ui, sans-serif" };
      const series = this.lines.map((_, index) => ({
        stroke: () => colour(SERIES[index]), width: 2, dash: DASHES[index], spanGaps: false,
        points: { size: 4, fill: () => colour(SERIES[index]) },
      }));
      const limit = { stroke: () => colour("--bad"), width: 1, points: { show: false } };
      return {
        width, height, legend: { show: false },
        cursor: { sync: { key: "overview" }, points: { show: false }, drag: { x: false, y: false } },
        hooks: { setCursor: [(plot) => this.tell(plot.cursor.idx ?? null)] },
        scales: {
          x: { range: (_, from, to) => [Math.max(to - KEPT_SECONDS, Math.min(from, to - LEAST_SECONDS)), to] },
          y: { range: (_, from, to) => [0, this.figure.dataset.unit === "share" ? 1.02 : Math.max(to, 10) * 1.08] },
        },
        axes: [
          { ...axis, values: (_, ticks) => ticks.map((at) => clock(at, ticks.at(-1) - ticks[0] < 240)) },
          { ...axis, size: 62, values: (_, ticks) => ticks.map((value) => this.format(value)) },
        ],
        series: [{}, ...series, ...(this.limit ? [limit] : [])],
      };
    }

    /** Show the values at a place in the data; the newest where it is null. */
    tell(at) {
      const index = at ?? this.data[0].length - 1;
      this.when.textContent = at === null || index < 0 ? "now" : clock(this.data[0][index], true);
      this.values.forEach((value, line) => { value.textContent = this.text(this.data[line + 1]?.[index]); });
    }

    /** Fill the table, if it is open: the last point of each minute, the newest first. */
    fill() {
      if (!this.details.open) return;
      const rows = new Map();
      this.data[0].forEach((at, index) => rows.set(Math.floor(at / 60), index));
      const signs = [...rows.values()].reverse().map((index) => {
        const row = document.createElement("tr");
        const time = row.appendChild(document.createElement("th"));
        time.scope = "row";
        time.textContent = clock(this.data[0][index], true);
        for (const column of this.data.slice(1)) {
          const cell = row.appendChild(document.createElement("td"));
          cell.className = "figure";
          cell.textContent = this.text(column[index]);
        }
        return row;
      });
      this.body.replaceChildren(...signs);
    }

    text(value) {
      return value === null || value === undefined ? NOBODY_KNOWS : this.format(value);
    }

    close() {
      this.plot?.destroy();
      this.figure.remove();
    }
  }

  const times = [];
  const columns = new Map();
  const plots = [...document.querySelectorAll(".plotted")].map((figure) =>
    new Plotted(figure, [...figure.querySelectorAll("[data-series]")].map((line) => line.dataset.series)));

  /** Take points in place of all from the first one's time on, and drop what is older than the plots show. */
  const takePoints = ({ names, rows }) => {
    const before = (from) => times.filter((at) => at < from).length;
    const kept = before(rows[0][0]), first = Math.min(before(rows.at(-1)[0] - KEPT_SECONDS), kept);
    const renewed = (old, fresh) => old.splice(0, old.length, ...old.slice(first, kept), ...fresh);
    renewed(times, rows.map((row) => row[0]));
    names.forEach((name, place) => {
      if (!columns.has(name)) columns.set(name, []);
      renewed(columns.get(name), rows.map((row) => row[place + 1]));
    });
    for (const plot of plots) plot.set(times, plot.lines.map((name) => columns.get(name)));
  };

  const loads = new Map();

  /** Return the figure of a stream's shards, made anew where the shards are others than before. */
  const figureOf = (title, unit, shards, limit) => {
    const known = loads.get(title);
    if (known && String(known.lines) === String(shards)) return known;
    const figure = document.querySelector("#load-plot").content.cloneNode(true).querySelector("figure");
    figure.dataset.unit = unit;
    figure.setAttribute("aria-label", title);
    figure.querySelector("h3").textContent = title;
    figure.querySelector("summary .visually-hidden").textContent = `: ${title}`;
    figure.querySelector(".table").setAttribute("aria-label", `${title}, by the minute`);
    const head = figure.querySelector("thead tr"), values = figure.querySelector(".values");
    const key = (name, text, shown) => {
      const item = values.appendChild(document.createElement("li"));
      item.className = `key-${name}`;
      item.append(text, " ");
      const value = item.appendChild(document.createElement("strong"));
      if (shown) value.textContent = shown;
      else value.className = "value";
    };
    shards.forEach((shard, index) => {
      key(index + 1, shard);
      const cell = head.appendChild(document.createElement("th"));
      cell.scope = "col";
      cell.className = "figure";
      cell.textContent = shard;
    });
    key("limit", "limit of a shard", FORMATS[unit](limit));
    if (known) known.figure.replaceWith(figure);
    else document.querySelector("#load-plots").append(figure);
    known?.close();
    const plotted = new Plotted(figure, shards, limit);
    loads.set(title, plotted);
    return plotted;
  };

  const takeLoad = ({ limits, streams }) => {
    const told = new Set();
    for (const stream of streams) {
      if (!stream.times.length) continue;
      for (const [kind, unit, words] of [["records", "number", "records a second"], ["bytes", "bytes", "bytes a second"]]) {
        const title = `${stream.name}: ${words}`;
        told.add(title);
        figureOf(title, unit, stream.shards, limits[kind]).set(stream.times, stream[kind]);
      }
    }
    for (const [title, plotted] of loads) {
      if (!told.has(title)) { plotted.close(); loads.delete(title); }
    }
  };

  const TAKE = { points: takePoints, load: takeLoad };
  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    const take = TAKE[event.detail.type];
    if (take) {
      event.preventDefault();
      take(JSON.parse(event.detail.data));
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const { plot } of [...plots, ...loads.values()]) plot?.redraw(false);
  });
})();
