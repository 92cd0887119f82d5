// From the payload that payload.py wrote back to typed arrays, indexed [frame * samples + sample].

export async function decodeMovie(movie) {
  const { samples, frames } = movie;
  return {
    ...movie,
    true: await unpack(movie.true),
    panels: await Promise.all(
      movie.panels.map(async (panel) => ({
        title: panel.title,
        color: panel.color,
        ...decodePlaces(await unpack(panel.xy), samples, frames.length),
        predicted: await unpack(panel.predicted),
        pf: await unpack(panel.pf),
        moved: await unpack(panel.moved),
      })),
    ),
    sprite: { ...movie.sprite, image: await loadImage(movie.sprite.uri) },
    unlearnEnd: Math.max(0, frames.findLastIndex((frame) => frame.stage !== "relearn")),
    forgottenNames: movie.classes.filter((one) => one.forgotten).map((one) => one.name),
  };
}

async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// All low bytes come first, then all high bytes; each value is the change since the last frame.
function decodePlaces(bytes, samples, frameCount) {
  const count = bytes.length / 2;
  const places = Uint16Array.from({ length: count }, (_, i) => bytes[i] | (bytes[count + i] << 8));
  const size = samples * frameCount;
  return {
    x: runningSum(places.subarray(0, size), samples),
    y: runningSum(places.subarray(size), samples),
  };
}

// In place; sums wrap at 65536, as the differences did.
function runningSum(changes, samples) {
  for (let i = samples; i < changes.length; i += 1) changes[i] += changes[i - samples];
  return changes;
}

async function loadImage(uri) {
  const image = new Image();
  image.src = uri;
  await image.decode();
  return image;
}

// ---- a moment between two frames ------------------------------------------------------------

// `time` counts frames; eased, so that each frame is a rest and each step a movement.
export function momentAt(time, frameCount, isSmooth) {
  const clamped = Math.min(Math.max(time, 0), frameCount - 1);
  const from = Math.floor(clamped);
  const part = isSmooth ? clamped - from : 0;
  const blend = part * part * (3 - 2 * part);
  return { from, to: Math.min(from + 1, frameCount - 1), blend, frame: from + Math.round(blend) };
}

export function valueAt(values, samples, moment, sample) {
  const before = values[moment.from * samples + sample];
  const after = values[moment.to * samples + sample];
  return before + (after - before) * moment.blend;
}
