// A line chart of a series and its forecast.

import { svg } from "./dom.js";

const [WIDTH, HEIGHT, LEFT, SHOWN] = [1000, 320, 90, 200];

// Returns the chart of the last values of a text of one series, and of a forecast with its interval.
export function forecastChart(text, answer) {
  const known = text.split(/[\s,;]+/).map(Number).filter(Number.isFinite).slice(-SHOWN);
  const steps = answer.steps || answer.forecast.map((forecast) => ({ forecast }));
  const bound = (name) => steps.map((step) => step[name]).filter(Number.isFinite);
  const values = steps.map((step) => step.forecast);
  const [low, high] = [bound("low"), bound("high")];
  const all = [...known, ...values, ...low, ...high];
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const x = (i) => LEFT + ((WIDTH - LEFT - 10) * i) / Math.max(1, known.length + values.length - 1);
  const y = (value) => HEIGHT - 15 - ((HEIGHT - 30) * (value - least)) / (most - least || 1);
  const points = (row, first) => row.map((value, i) => `${x(first + i)},${y(value)}`);
  const line = (row, first, stroke) =>
    svg("polyline", { points: points(row, first).join(" "), fill: "none", stroke, "stroke-width": 2.5 });
  const start = known.length;
  const chart = svg("svg", {
    class: "chart",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: "img",
    "aria-label": `The last ${known.length} values, and a forecast of ${values.length}`,
  });
  if (low.length === values.length && high.length === values.length) {
    const band = [...points(low, start), ...points(high, start).reverse()].join(" ");
    chart.append(svg("polygon", { points: band, fill: "var(--mark)", opacity: 0.25 }));
  }
  chart.append(line(known, 0, "var(--text)"), line([known.at(-1), ...values].filter(Number.isFinite), start - 1, "var(--mark)"));
  for (const value of [least, most]) {
    chart.append(svg("text", { x: 14, y: y(value) + (value === most ? 14 : -4), fill: "var(--muted)", "font-size": 16 }, value.toPrecision(5)));
  }
  return chart;
}
