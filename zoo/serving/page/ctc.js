// Connectionist temporal classification: the best path, and the frames at which symbols appear.

// Returns `{text, spikes, frames}`; a spike is {symbol, first, last, frame, probability}.
export function bestPath(outputs, signature) {
  const { data, dims } = outputs.logits;
  const frames = Number(outputs.logit_lengths.data[0]);
  const classes = dims[2];
  const spikes = [];
  let before = signature.blank;
  for (let frame = 0; frame < frames; frame++) {
    const row = data.subarray(frame * classes, (frame + 1) * classes);
    let best = 0;
    for (let i = 1; i < classes; i++) if (row[i] > row[best]) best = i;
    if (best !== signature.blank) {
      let sum = 0;
      for (const value of row) sum += Math.exp(value - row[best]);
      const probability = 1 / sum;
      const last = spikes.at(-1);
      if (best === before) {
        last.last = frame;
        if (probability > last.probability) Object.assign(last, { frame, probability });
      } else {
        spikes.push({ symbol: signature.labels[best], first: frame, last: frame, frame, probability });
      }
    }
    before = best;
  }
  const joined = spikes.map((spike) => spike.symbol).join(signature.separator);
  return { text: joined.split(/\s+/).filter(Boolean).join(" "), spikes, frames };
}
