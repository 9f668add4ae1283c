// Exported graphs in the browser, by ONNX Runtime in WebAssembly.

let runtime;

async function loadRuntime() {
  const ort = await import("./vendor/ort.wasm.bundle.min.mjs");
  ort.env.wasm.proxy = true; // in a worker, so that the page answers while a graph runs
  ort.env.wasm.numThreads = 1; // more need cross-origin isolation, and gain nothing
  ort.env.wasm.wasmPaths = { wasm: new URL("./vendor/ort-wasm-simd-threaded.wasm", import.meta.url).href };
  return ort;
}

const loaded = new Map();

// Returns `{run, signature}` of a preset. `run` takes and returns named arrays {data, dims}.
export function openGraph(preset) {
  if (!loaded.has(preset.name)) {
    const opening = open(preset);
    opening.catch(() => loaded.delete(preset.name));
    loaded.set(preset.name, opening);
  }
  return loaded.get(preset.name);
}

async function open(preset) {
  runtime ??= loadRuntime();
  const [ort, signature] = [await runtime, await (await found(preset.graph.signature)).json()];
  const model = new Uint8Array(await (await found(preset.graph.model)).arrayBuffer());
  const session = await ort.InferenceSession.create(model);
  async function run(inputs) {
    const feeds = {};
    for (const [name, { data, dims }] of Object.entries(inputs)) {
      // A copy: the worker takes the buffer.
      feeds[name] = new ort.Tensor(data instanceof Int32Array ? "int32" : "float32", data.slice(), dims);
    }
    return session.run(feeds);
  }
  return { run, signature };
}

async function found(address) {
  const response = await fetch(address).catch(() => null);
  if (!response?.ok) throw new Error(`The model cannot be loaded from ${address}.`);
  return response;
}
