// From the payload that payload.py wrote back to typed arrays, indexed [frame * samples + sample].

export const STEPS = 2047; // of places, over each side of the map

export async function decodeMovie(movie) {
  const { samples, frames, guest } = movie;
  const panels = await Promise.all(movie.panels.map((one) => decodePanel(one, samples, frames.length)));
  const isOnAMap = panels.some((panel) => panel.guest?.some((place) => place !== null));
  return {
    ...movie,
    true: await unpack(movie.true),
    panels,
    sprite: { ...movie.sprite, image: await loadImage(movie.sprite.uri) },
    guest: guest && isOnAMap ? { ...guest, image: await loadImage(guest.uri) } : null,
    unlearnEnd: Math.max(0, frames.findLastIndex((frame) => frame.stage !== "relearn")),
    forgottenNames: movie.classes.filter((one) => one.forgotten).map((one) => one.name),
  };
}

async function decodePanel(panel, samples, frameCount) {
  const top = byFrame(await unpack(panel.top), samples, frameCount);
  return {
    ...panel,
    ...decodePlaces(await unpack(panel.xy), samples, frameCount),
    top, // indexed [(rank * frames + frame) * samples + sample], as are the percents
    percent: byFrame(await unpack(panel.percent), samples, frameCount),
    predicted: top.subarray(0, samples * frameCount),
    pf: await unpack(panel.pf),
    moved: runningSum(await unpack(panel.moved), samples),
  };
}

async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// From [(rank * samples + sample) * frames + frame], in which they are sent.
function byFrame(values, samples, frameCount) {
  const size = samples * frameCount;
  return values.map((_, i) => {
    const [rank, frame, sample] = [Math.floor(i / size), Math.floor((i % size) / samples), i % samples];
    return values[(rank * samples + sample) * frameCount + frame];
  });
}

// All low bytes come first, then all high bytes; 0, 1, 2, 3 … stand for changes of 0, -1, 1, -2 …
// since the last frame.
function decodePlaces(bytes, samples, frameCount) {
  const count = bytes.length / 2;
  const places = Int16Array.from({ length: count }, (_, i) => {
    const folded = bytes[i] | (bytes[count + i] << 8);
    return (folded >> 1) ^ -(folded & 1);
  });
  const size = samples * frameCount;
  return {
    x: runningSum(places.subarray(0, size), samples),
    y: runningSum(places.subarray(size), samples),
  };
}

// In place; sums wrap around in the array's type, as the differences did.
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

// In distances between class centres.
export function movedAt(movie, panel, moment, sample) {
  return (valueAt(panel.moved, movie.samples, moment, sample) / 255) * movie.movedMost;
}
