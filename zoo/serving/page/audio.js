// Sound: decoding, the microphone, and spectrograms.

import { colour } from "./dom.js";

// Returns the waveform of a sound file, mono float32 at `rate` Hz.
export async function decode(content, rate) {
  const context = new OfflineAudioContext(1, 1, rate);
  let buffer;
  try {
    buffer = await context.decodeAudioData(content);
  } catch {
    throw new Error("The browser cannot decode this file as sound.");
  }
  const mono = new Float32Array(buffer.length);
  for (let channel = 0; channel < buffer.numberOfChannels; channel++) {
    const samples = buffer.getChannelData(channel);
    for (let i = 0; i < mono.length; i++) mono[i] += samples[i] / buffer.numberOfChannels;
  }
  return mono;
}

// The models expect the sound as it is.
const AS_RECORDED = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

// Records the microphone at `rate` Hz. `onSamples` gets the waveform since the start. Returns a function
// that stops the recording and returns the whole waveform.
export async function record(rate, onSamples) {
  if (!navigator.mediaDevices) {
    throw new Error("The microphone needs a page from this machine or over https.");
  }
  const stream = await navigator.mediaDevices.getUserMedia({ audio: AS_RECORDED }).catch(() => {
    throw new Error("The microphone is not available.");
  });
  const context = new AudioContext({ sampleRate: rate });
  await context.audioWorklet.addModule(new URL("./recorder.js", import.meta.url));
  const node = new AudioWorkletNode(context, "recorder");
  let waveform = new Float32Array(rate);
  let length = 0;
  node.port.onmessage = ({ data }) => {
    if (length + data.length > waveform.length) {
      const larger = new Float32Array(2 * waveform.length);
      larger.set(waveform);
      waveform = larger;
    }
    waveform.set(data, length);
    length += data.length;
    onSamples(waveform.subarray(0, length));
  };
  context.createMediaStreamSource(stream).connect(node);
  return async () => {
    stream.getTracks().forEach((track) => track.stop());
    await context.close();
    return waveform.slice(0, length);
  };
}

// Returns a WAV file with 16 bits.
export function toWav(waveform, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * waveform.length));
  const text = (at, value) => [...value].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * waveform.length, true);
  text(8, "WAVEfmt ");
  [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, rate, 4], [28, 2 * rate, 4], [32, 2, 2], [34, 16, 2]].forEach(
    ([at, value, size]) => (size === 4 ? view.setUint32(at, value, true) : view.setUint16(at, value, true)),
  );
  text(36, "data");
  view.setUint32(40, 2 * waveform.length, true);
  waveform.forEach((value, i) => {
    view.setInt16(44 + 2 * i, Math.round(32767 * Math.max(-1, Math.min(1, value))), true);
  });
  return new File([view], "recording.wav", { type: "audio/wav" });
}

const FFT = 512;
const RANGE = 70; // dB

// Draws a spectrogram over the whole canvas.
export function drawSpectrogram(canvas, waveform) {
  const width = Math.min(1200, Math.max(200, Math.floor(waveform.length / 80)));
  const height = FFT / 2;
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const power = new Float32Array(width * height);
  const window = Float32Array.from({ length: FFT }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / FFT));
  const [re, im] = [new Float32Array(FFT), new Float32Array(FFT)];
  let most = 1e-10;
  for (let x = 0; x < width; x++) {
    const begin = Math.floor((x * Math.max(0, waveform.length - FFT)) / width);
    for (let n = 0; n < FFT; n++) re[n] = (waveform[begin + n] || 0) * window[n];
    im.fill(0);
    transform(re, im);
    for (let k = 0; k < height; k++) {
      const value = re[k] ** 2 + im[k] ** 2;
      power[k * width + x] = value;
      if (value > most) most = value;
    }
  }
  for (let k = 0; k < height; k++) {
    for (let x = 0; x < width; x++) {
      const level = 1 + (10 * Math.log10(power[k * width + x] / most + 1e-12)) / RANGE;
      const [r, g, b] = shade(Math.max(0, level));
      const at = 4 * ((height - 1 - k) * width + x);
      image.data.set([r, g, b, 255], at);
    }
  }
  context.putImageData(image, 0, 0);
}

// Returns a colour from black over purple and orange to light yellow, for a level from 0 to 1.
function shade(level) {
  const stops = [[0, 0, 10], [80, 18, 123], [182, 54, 121], [251, 136, 97], [252, 253, 191]];
  const at = Math.min(level, 0.9999) * (stops.length - 1);
  const [low, high] = [stops[Math.floor(at)], stops[Math.floor(at) + 1]];
  return low.map((value, i) => value + (high[i] - value) * (at % 1));
}

// Radix-2 discrete Fourier transform in place.
function transform(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let first = 0; first < n; first += size) {
      for (let k = 0; k < size / 2; k++) {
        const angle = (-2 * Math.PI * k) / size;
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        const [a, b] = [first + k, first + k + size / 2];
        const [x, y] = [re[b] * c - im[b] * s, re[b] * s + im[b] * c];
        [re[b], im[b]] = [re[a] - x, im[a] - y];
        [re[a], im[a]] = [re[a] + x, im[a] + y];
      }
    }
  }
}

// Draws the symbols of a transcription as spikes, as high as they are probable.
export function drawSpikes(canvas, found) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = canvas.clientWidth * scale;
  canvas.height = canvas.clientHeight * scale;
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  context.font = "14px system-ui";
  context.textAlign = "center";
  let free = 0; // right of the last label in the first row
  for (const spike of found.spikes) {
    const x = ((spike.frame + 0.5) / Math.max(1, found.frames)) * width;
    context.strokeStyle = colour("mark");
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x, height);
    context.lineTo(x, height - spike.probability * (height - 40));
    context.stroke();
    context.fillStyle = colour("text");
    const label = spike.symbol === " " ? "␣" : spike.symbol;
    const half = context.measureText(label).width / 2 + 2;
    const fits = x - half >= free;
    if (fits) free = x + half;
    context.fillText(label, x, fits ? 14 : 30);
  }
}
