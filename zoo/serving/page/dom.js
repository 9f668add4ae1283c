// Elements, the status line, and inputs that all panels share.

// Returns an element. Children are elements or texts; texts are never read as HTML.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function show(...children) {
  document.getElementById("answer").replaceChildren(...children);
}

export function status(text, isError = false) {
  const line = document.getElementById("status");
  line.textContent = text;
  line.className = isError ? "error" : "muted";
}

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// Runs work that answers an input, and shows its time or its error. A new run replaces the last one.
// The work can correct the place where it runs, and show a part of the answer before the rest.
let run = 0;
export async function answering(place, work) {
  const mine = ++run;
  status(`Running ${place} …`);
  const started = performance.now();
  try {
    const finish = await work(
      (other) => {
        place = other;
      },
      (...children) => mine === run && show(...children),
    );
    if (mine !== run) return;
    if (finish) finish();
    status(`Answered ${place} in ${duration(performance.now() - started)}.`);
  } catch (error) {
    if (mine !== run) return;
    show();
    status(error.message || String(error), true);
  }
}

const duration = (ms) => (ms < 10000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`);

// Returns an area that accepts a file by drop or by a file dialog.
export function fileInput(label, accept, onFile) {
  // Without the reset, the same file could not be selected again, for example with other options.
  const reset = () => (input.value = "");
  const input = element("input", { type: "file", accept, onclick: reset, onchange: () => take(input.files) });
  const take = (files) => files.length && onFile(files[0]);
  const area = element("div", { class: "drop" }, element("label", {}, `${label} `, input));
  area.addEventListener("dragover", (event) => {
    event.preventDefault();
    area.classList.add("over");
  });
  area.addEventListener("dragleave", () => area.classList.remove("over"));
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    area.classList.remove("over");
    take(event.dataTransfer.files);
  });
  return area;
}

// Returns bars of names with values from 0 to 1.
export function bars(rows) {
  return element(
    "div",
    { class: "bars" },
    ...rows.flatMap(([name, value]) => [
      element("span", {}, name),
      element("meter", { min: 0, max: 1, value, "aria-label": name }),
      element("span", { class: "muted" }, value.toFixed(3)),
    ]),
  );
}
