// Requests to the server. The errors of the server are one line, which is shown as it is.

async function checked(response) {
  if (response.ok) return response;
  let text = `${response.status} ${response.statusText}`;
  try {
    text = (await response.json()).error || text;
  } catch {
    // The answer is not JSON.
  }
  throw new Error(text);
}

async function request(url, init) {
  let response;
  try {
    response = await fetch(url, init);
  } catch {
    throw new Error("The server does not answer.");
  }
  return checked(response);
}

export async function getJson(url) {
  return (await request(url)).json();
}

function url(preset, verb, options) {
  const query = new URLSearchParams(options).toString();
  return `${preset.url}/${verb}${query ? `?${query}` : ""}`;
}

// Returns the answer of `zoo predict --json` to a file.
export async function predictFile(preset, file, options = {}) {
  const response = await request(url(preset, "predict", { ...options, name: file.name || "input" }), {
    method: "POST",
    body: file,
  });
  return (await response.json()).predictions[0];
}

// Returns the answer to a text or an array.
export async function predictInput(preset, input, options = {}) {
  const response = await request(url(preset, "predict", {}), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input, options }),
  });
  return (await response.json()).predictions[0];
}

// Returns the picture of `zoo predict --plot` as the address of a PNG.
export async function plotFile(preset, file, options = {}) {
  const response = await request(url(preset, "plot", { ...options, name: file.name || "input" }), {
    method: "POST",
    body: file,
  });
  return URL.createObjectURL(await response.blob());
}

// Yields the events of a generation: tokens with probabilities, then the whole output.
export async function* generate(preset, input, options, signal) {
  const response = await request(url(preset, "stream", {}), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input, options }),
    signal,
  });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split(/\r?\n\r?\n/);
    text = events.pop();
    for (const event of events) {
      const data = event.split(/\r?\n/).find((line) => line.startsWith("data:"));
      if (!data) continue;
      const row = JSON.parse(data.slice(5));
      if (row.error) throw new Error(row.error);
      yield row;
    }
  }
}
