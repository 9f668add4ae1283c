// One panel for each kind of input. A panel is a function of a preset that returns elements.

import { decode, drawSpectrogram, drawSpikes, record, toWav } from "./audio.js";
import { forecastChart } from "./chart.js";
import { bestPath } from "./ctc.js";
import { answering, bars, element, fileInput, show, status, svg } from "./dom.js";
import { openGraph } from "./graphs.js";
import { drawingOn, drawStrokes, features, hue, lettersOf } from "./ink.js";
import { generate, plotFile, predictFile, predictInput } from "./server.js";

export const BROWSER = "in the browser";
export const SERVER = "on the server";
// Longer recordings are divided, by the server.
const MAX_SECONDS = 30;
const RATE = 16000;

// Returns the panel of a preset.
export function panelOf(preset) {
  const example = preset.input.example;
  if (preset.task === "draw") return drawings;
  if (preset.input.text) return preset.streams.includes("tokens") ? generation : texts;
  if (example.endsWith(".wav")) return sound;
  if (example.endsWith(".jpg")) return photograph;
  if (example.endsWith(".csv")) return series;
  if (preset.task === "transcribe") return ink;
  return anyFile;
}

// The browser takes the best path only: with options, the server answers.
const isHere = (preset, options) => preset.graph && !Object.keys(options()).length;

export const placeOf = (preset, options = () => ({})) => (isHere(preset, options) ? BROWSER : SERVER);

// Sound -----------------------------------------------------------------------------------------------

function sound(preset, options) {
  const picture = element("canvas", { height: 200, role: "img", "aria-label": "Spectrogram" });
  picture.style.height = "12rem";
  const spikes = element("canvas", { role: "img", "aria-label": "Symbols over time" });
  spikes.style.height = "7rem";
  const marks = svg("svg", { class: "chart", viewBox: "0 0 1000 40", preserveAspectRatio: "none" });
  const player = element("audio", { controls: true });
  player.hidden = picture.hidden = spikes.hidden = true;
  marks.style.display = "none";

  async function transcribe(waveform, rate) {
    const { run, signature } = await openGraph(preset);
    if (waveform.length < rate / 10) throw new Error("The recording must have at least 0.1 s of sound.");
    const found = bestPath(
      await run({
        waveform: { data: waveform, dims: [1, waveform.length] },
        lengths: { data: Int32Array.of(waveform.length), dims: [1] },
      }),
      signature,
    );
    return () => {
      spikes.hidden = false;
      drawSpikes(spikes, found);
      show(element("p", { class: "output" }, found.text || "(no speech)"));
    };
  }

  async function take(file, runs) {
    const rate = preset.graph ? (await openGraph(preset)).signature.sample_rate : RATE;
    const content = await file.arrayBuffer();
    const waveform = await decode(content.slice(0), rate);
    URL.revokeObjectURL(player.src);
    player.src = URL.createObjectURL(file);
    player.hidden = picture.hidden = false;
    spikes.hidden = true;
    marks.style.display = "none";
    drawSpectrogram(picture, waveform);
    if (isHere(preset, options) && waveform.length <= MAX_SECONDS * rate) return transcribe(waveform, rate);
    runs(SERVER);
    const answer = await predictFile(preset, file, options());
    return () => {
      if (answer.detections) showDetections(answer.detections, waveform.length / rate);
      else show(...classes(answer));
    };
  }

  function showDetections(detections, seconds) {
    marks.style.display = "block";
    marks.replaceChildren(
      ...detections.map(({ begin, end, label }) =>
        svg(
          "rect",
          { x: (1000 * begin) / seconds, width: (1000 * (end - begin)) / seconds, y: 4, height: 32, fill: "var(--mark)" },
          svg("title", {}, `${label} ${begin}–${end} s`),
        ),
      ),
    );
    const rows = detections.map((each) =>
      element(
        "tr",
        {},
        element("td", {}, element("button", {
          onclick: () => {
            player.currentTime = each.begin;
            player.play();
          },
          "aria-label": `Play ${each.label} at ${each.begin} s`,
        }, "▶")),
        element("td", {}, `${each.begin.toFixed(2)}–${each.end.toFixed(2)} s`),
        element("td", {}, each.label),
        element("td", { class: "muted" }, each.confidence.toFixed(3)),
      ),
    );
    show(detections.length ? element("div", { class: "scroll" }, element("table", {}, ...rows)) : element("p", {}, "No detections."));
  }

  const onFile = (file) => answering(placeOf(preset, options), (runs) => take(file, runs));
  let stop = null;
  const button = element("button", { class: "main", type: "button", onclick: toggle }, "Record");

  async function toggle() {
    if (stop) {
      const finish = stop;
      stop = null;
      button.textContent = "Record";
      onFile(toWav(await finish(), RATE));
      return;
    }
    try {
      let busy = false;
      stop = await record(RATE, async (waveform) => {
        if (!preset.graph || busy || !stop || waveform.length < RATE / 2) return;
        busy = true;
        const part = waveform.slice(-MAX_SECONDS * RATE);
        picture.hidden = false;
        drawSpectrogram(picture, part);
        const finish = await transcribe(part, RATE);
        if (stop) finish();
        busy = false;
      });
      button.textContent = "Stop";
      status("Recording …");
    } catch (error) {
      status(error.message, true);
    }
  }

  return [
    fileInput("Drop a sound file, or select one:", "audio/*,.flac,.wav", onFile),
    element("div", { class: "row" }, button, player),
    picture,
    marks,
    spikes,
  ];
}

// A class has a probability, a text its logarithm.
const probabilityOf = (each) => each.probability ?? Math.exp(each.log_probability);

function classes(answer) {
  const output = element("p", { class: "output" }, answer.output || "(no class)");
  if (answer.alternatives?.length) return [output, bars(answer.alternatives.map((each) => [each.output, probabilityOf(each)]))];
  if (answer.probability == null) return [output];
  return [output, bars([[answer.output || "most probable", answer.probability]])];
}

// Pen strokes -----------------------------------------------------------------------------------------

function ink(preset, options) {
  const canvas = element("canvas", { class: "ink", "aria-label": "Write a word here with a pen, finger or mouse" });
  canvas.style.height = "14rem";
  const { strokes, clear } = drawingOn(canvas, () => answering(placeOf(preset, options), read));

  async function read() {
    if (!isHere(preset, options)) {
      const file = new File([JSON.stringify({ strokes })], "word.json", { type: "application/json" });
      const answer = await predictFile(preset, file, options());
      return () => show(element("p", { class: "output" }, answer.output));
    }
    const { run, signature } = await openGraph(preset);
    const { data, points, positions } = features(strokes, signature.spacing);
    const outputs = await run({
      strokes: { data, dims: [1, points, 8] },
      lengths: { data: Int32Array.of(points), dims: [1] },
    });
    const found = bestPath(outputs, signature);
    return () => {
      drawStrokes(canvas, strokes, lettersOf(positions, points, found));
      const letters = found.spikes.map((spike, i) => {
        const letter = element("span", {}, spike.symbol);
        letter.style.color = hue(i);
        return letter;
      });
      show(element("p", { class: "output", "aria-label": found.text }, ...letters));
    };
  }

  const erase = element("button", { type: "button", onclick: () => [clear(), show(), status("")] }, "Clear");
  return [element("p", { class: "muted" }, "Write one word."), canvas, element("div", { class: "row" }, erase)];
}

function drawings(preset, options) {
  const work = async () => {
    const seed = Math.floor(Math.random() * 1e6);
    const answer = await predictInput(preset, preset.input.example, { seed, ...options() });
    return () => show(element("div", { class: "drawings" }, ...answer.drawings.map(drawing)));
  };
  return [element("button", { class: "main", type: "button", onclick: () => answering(SERVER, work) }, "Draw")];
}

function drawing(strokes) {
  const all = strokes.flat();
  const [xs, ys] = [all.map((p) => p[0]), all.map((p) => p[1])];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const size = Math.max(right - left, bottom - top, 1);
  const corner = `${(left + right) / 2 - 0.6 * size} ${(top + bottom) / 2 - 0.6 * size}`;
  const path = strokes.map((stroke) => `M${stroke.map(([x, y]) => `${x} ${y}`).join("L")}`).join("");
  return svg(
    "svg",
    { viewBox: `${corner} ${1.2 * size} ${1.2 * size}`, role: "img", "aria-label": "Drawing" },
    svg("path", { d: path, fill: "none", stroke: "currentColor", "stroke-width": size / 40, "stroke-linecap": "round" }),
  );
}

// Texts -----------------------------------------------------------------------------------------------

function textField(preset, label, button, work) {
  const field = element("textarea", { id: "text" });
  field.value = preset.input.example;
  const send = () => answering(SERVER, () => work(field.value));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
  });
  return [
    element("label", { for: "text" }, label),
    field,
    element("div", { class: "row" }, element("button", { class: "main", type: "button", onclick: send }, button)),
  ];
}

function texts(preset, options) {
  return textField(preset, "Text", "Send", async (text) => {
    const answer = await predictInput(preset, text, options());
    const near = answer.neighbours?.map(({ word, similarity }) => [word, similarity]);
    return () => show(...(near ? [bars(near)] : classes(answer)));
  });
}

function generation(preset, options) {
  let running = null;
  const work = async (text) => {
    running?.abort();
    running = new AbortController();
    const output = element("p", { class: "output" }, text);
    show(output, element("p", { class: "muted" }, "The colour of a token is its probability; point at it for the number."));
    for await (const row of generate(preset, text, options(), running.signal)) {
      if (row.token == null) continue;
      const title = `probability ${row.probability.toFixed(4)}`;
      const span = element("span", { class: "token", title }, row.text);
      span.style.background = `color-mix(in srgb, var(--mark) ${Math.round(60 * (1 - row.probability))}%, transparent)`;
      output.append(span);
    }
    return null;
  };
  return textField(preset, "Prompt", "Continue", work);
}

// Photographs -----------------------------------------------------------------------------------------

function photograph(preset, options) {
  const image = element("img", { alt: "The photograph", hidden: true });
  const onFile = (file) =>
    answering(SERVER, async (_, showNow) => {
      URL.revokeObjectURL(image.src);
      image.src = URL.createObjectURL(file);
      image.hidden = false;
      const answer = await predictFile(preset, file, options());
      const caption = element("p", { class: "output" }, answer.output);
      showNow(caption);
      const picture = preset.plots && (await plotFile(preset, file, options()).catch(() => null));
      return () => {
        if (!picture) return;
        const alt = "The part of the photograph that each word attends to";
        show(caption, element("div", { class: "scroll" }, element("img", { src: picture, class: "wide", alt })));
      };
    });
  return [fileInput("Drop a photograph, or select one:", "image/*", onFile), image];
}

// Series ----------------------------------------------------------------------------------------------

function series(preset, options) {
  return textField(preset, "Values, one per line or separated by commas; or rows of a CSV file", "Send", async (text) => {
    const file = new File([toCsv(text)], "series.csv", { type: "text/csv" });
    const answer = await predictFile(preset, file, options());
    return () => (answer.forecast ? show(forecastChart(text, answer), stepTable(answer)) : show(...classes(answer)));
  });
}

// A line of numbers becomes a column, as a CSV file has it.
function toCsv(text) {
  const lines = text.trim().split("\n");
  return lines.length > 1 ? text : text.trim().split(/[\s,;]+/).join("\n");
}

function stepTable(answer) {
  const rows = answer.steps || answer.forecast.map((forecast, i) => ({ step: i + 1, forecast }));
  const names = Object.keys(rows[0]);
  const cells = (tag, values) => element("tr", {}, ...values.map((value) => element(tag, {}, String(value))));
  return element(
    "div",
    { class: "scroll" },
    element("table", {}, cells("th", names), ...rows.map((row) => cells("td", names.map((name) => row[name])))),
  );
}

// Other files -----------------------------------------------------------------------------------------

function anyFile(preset, options) {
  const onFile = (file) =>
    answering(SERVER, async () => {
      const answer = await predictFile(preset, file, options());
      return () => show(...classes(answer));
    });
  return [fileInput(`Drop a file such as ${preset.input.example}, or select one:`, "", onFile)];
}
