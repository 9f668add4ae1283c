// Pen strokes: drawing, and the features of zoo.vision_language.handwriting.stroke_features.

import { colour } from "./dom.js";

const HUES = [15, 210, 130, 285, 340, 190, 45, 255];

// Lets the user draw on a canvas. Returns the list of strokes, each a list of [x, y], and `clear`.
export function drawingOn(canvas, onStroke) {
  const strokes = [];
  let stroke = null;
  const position = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    stroke = [position(event)];
    strokes.push(stroke);
    drawStrokes(canvas, strokes);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke) return;
    stroke.push(position(event));
    drawStrokes(canvas, strokes);
  });
  const end = () => {
    if (stroke) onStroke();
    stroke = null;
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  const clear = () => {
    strokes.length = 0;
    drawStrokes(canvas, strokes);
  };
  return { strokes, clear };
}

// Draws strokes; `letters` has the index of a letter for each point, in order.
export function drawStrokes(canvas, strokes, letters = null) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = canvas.clientWidth * scale;
  canvas.height = canvas.clientHeight * scale;
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.lineWidth = 3;
  context.lineCap = context.lineJoin = "round";
  let index = 0;
  for (const stroke of strokes) {
    stroke.forEach(([x, y], i) => {
      const letter = letters ? letters[index++] : -1;
      context.strokeStyle = letter < 0 ? colour("text") : hue(letter);
      context.beginPath();
      context.moveTo(...(i ? stroke[i - 1] : [x, y]));
      context.lineTo(x, y);
      context.stroke();
    });
  }
}

const isDark = matchMedia("(prefers-color-scheme: dark)");

export const hue = (letter) => `hsl(${HUES[letter % HUES.length]} 75% ${isDark.matches ? 70 : 38}%)`;

const length = ([ax, ay], [bx, by]) => Math.hypot(bx - ax, by - ay);
const unit = ([x, y]) => {
  const size = Math.max(Math.hypot(x, y), 1e-9);
  return [x / size, y / size];
};

// Returns `{data, points, shares}`: features float32 [points, 8], their number, and for each point
// of the drawing its position among the resampled points.
export function features(strokes, spacing) {
  const words = normalize(strokes).map((stroke) => resample(stroke, spacing));
  const rows = [];
  words.forEach(({ points }, s) => {
    const steps = points.slice(1).map(([x, y], i) => unit([x - points[i][0], y - points[i][1]]));
    points.forEach(([x, y], i) => {
      const row = new Float32Array(8);
      if (i === 0 && s > 0) {
        const [bx, by] = words[s - 1].points.at(-1);
        row.set([x - bx, y - by, 1]);
      }
      row[3] = y;
      if (steps.length) {
        const [first, second] = [steps[Math.max(0, i - 1)], steps[Math.min(i, steps.length - 1)]];
        row.set(unit([first[0] + second[0], first[1] + second[1]]), 4);
        row[6] = first[0] * second[0] + first[1] * second[1];
        row[7] = first[0] * second[1] - first[1] * second[0];
      }
      rows.push(row);
    });
  });
  const data = new Float32Array(8 * rows.length);
  rows.forEach((row, i) => data.set(row, 8 * i));
  let first = 0;
  const positions = words.flatMap(({ points, along }) => {
    const begin = first;
    first += points.length;
    return along.map((share) => begin + share * (points.length - 1));
  });
  return { data, points: rows.length, positions };
}

// Shifts strokes to x = 0 and to their mean height, and scales the deviation of the height to 1.
function normalize(strokes) {
  let [weight, sum] = [0, 0];
  const segments = strokes.flatMap((stroke) => stroke.slice(1).map((point, i) => [stroke[i], point]));
  for (const [a, b] of segments) {
    const w = length(a, b);
    weight += w;
    sum += (w * (a[1] + b[1])) / 2;
  }
  if (weight === 0) throw new Error("Draw a word: the drawing has only points.");
  const middle = sum / weight;
  let square = 0;
  for (const [a, b] of segments) {
    const [above, below] = [a[1] - middle, b[1] - middle];
    square += (length(a, b) * (above ** 2 + above * below + below ** 2)) / 3;
  }
  const all = strokes.flat();
  const low = [Math.min(...all.map((p) => p[0])), Math.min(...all.map((p) => p[1]))];
  const high = [Math.max(...all.map((p) => p[0])), Math.max(...all.map((p) => p[1]))];
  const size = Math.max(Math.sqrt(square / weight), 0.05 * length(low, high));
  return strokes.map((stroke) => stroke.map(([x, y]) => [(x - low[0]) / size, (y - middle) / size]));
}

// Returns a stroke with points at equal distances along it, and the share of the way of each old point.
function resample(stroke, spacing) {
  const along = [0];
  stroke.slice(1).forEach((point, i) => along.push(along[i] + length(stroke[i], point)));
  const total = along.at(-1);
  const count = roundHalfEven(total / spacing) + 1;
  const points = [];
  let i = 0;
  for (let n = 0; n < count; n++) {
    const at = count > 1 ? (total * n) / (count - 1) : 0;
    while (i < along.length - 2 && along[i + 1] < at) i++;
    const span = along.length > 1 ? along[i + 1] - along[i] : 0;
    const share = span > 0 ? (at - along[i]) / span : 0;
    const next = stroke[Math.min(i + 1, stroke.length - 1)];
    points.push([0, 1].map((k) => stroke[i][k] + share * (next[k] - stroke[i][k])));
  }
  return { points, along: along.map((value) => (total > 0 ? value / total : 0)) };
}

// Python rounds halves to the even number.
function roundHalfEven(value) {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

// Returns the letter of each position: the border between two letters is midway between their frames.
export function lettersOf(positions, points, found) {
  const scale = points / Math.max(1, found.frames);
  const borders = found.spikes.slice(1).map((spike, i) => ((found.spikes[i].last + 1 + spike.first) / 2) * scale);
  if (!found.spikes.length) return positions.map(() => -1);
  return positions.map((position) => borders.filter((border) => border <= position).length);
}
