// When another map of the same samples takes the place of one, the dots glide over to it.

export const MORPH_LASTS = 700; // ms

// Where the samples of each panel are now, in shares of its canvas; null where nothing was painted.
export function placesNow(views) {
  return views.map(({ canvas, places }) =>
    canvas.width && canvas.height
      ? { x: places.x.map((x) => x / canvas.width), y: places.y.map((y) => y / canvas.height) }
      : null,
  );
}

export function morphOf({ morph }, panel, now) {
  const before = morph?.before[panel];
  if (!before) return null;
  const part = Math.min(1, Math.max(0, (now - morph.start) / MORPH_LASTS));
  return { before, blend: part * part * (3 - 2 * part) };
}

// Moves the places of a panel back towards where its samples were.
export function blendPlaces({ canvas, places }, { before, blend }) {
  for (let sample = 0; sample < places.x.length; sample += 1) {
    const [x, y] = [before.x[sample] * canvas.width, before.y[sample] * canvas.height];
    places.x[sample] = x + (places.x[sample] - x) * blend;
    places.y[sample] = y + (places.y[sample] - y) * blend;
  }
}
