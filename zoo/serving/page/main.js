// The page: a list of presets, and the panel of the selected one.

import { element, show, status } from "./dom.js";
import { panelOf, placeOf } from "./panels.js";
import { getJson } from "./server.js";

const list = document.getElementById("preset");
let presets = [];

function optionFields(preset) {
  const details = document.getElementById("options");
  details.hidden = !preset.options.length;
  document.getElementById("option-fields").replaceChildren(
    ...preset.options.map(({ name, type, default: value, help }) =>
      element(
        "label",
        { title: help },
        name,
        type === "boolean"
          ? element("input", { type: "checkbox", name, checked: value })
          : element("input", { name, placeholder: value == null ? "" : String(value) }),
      ),
    ),
  );
}

// Returns the options that differ from the defaults, as texts.
function chosenOptions(preset) {
  const chosen = {};
  for (const { name, type, default: value } of preset.options) {
    const field = document.querySelector(`#option-fields [name="${CSS.escape(name)}"]`);
    if (type === "boolean") {
      if (field.checked !== Boolean(value)) chosen[name] = String(field.checked);
    } else if (field.value.trim()) {
      chosen[name] = field.value.trim();
    }
  }
  return chosen;
}

function select(name) {
  const preset = presets.find((each) => each.name === name) || presets[0];
  list.value = preset.name;
  document.getElementById("place").textContent = `Runs ${placeOf(preset)}.`;
  optionFields(preset);
  show();
  status("");
  document.getElementById("panel").replaceChildren(
    element("h2", { id: "preset-name" }, preset.name),
    ...panelOf(preset)(preset, () => chosenOptions(preset)),
  );
  history.replaceState(null, "", `#${preset.name}`);
}

async function start() {
  presets = (await getJson("page.json")).presets;
  list.replaceChildren(...presets.map(({ name }) => element("option", { value: name }, name)));
  list.addEventListener("change", () => select(list.value));
  window.addEventListener("hashchange", () => select(location.hash.slice(1)));
  select(location.hash.slice(1));
}

start().catch((error) => status(error.message, true));
