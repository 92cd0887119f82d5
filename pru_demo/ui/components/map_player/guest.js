// One image of the visitor's own among the samples. Where it lies is known only for the moments
// whose network was kept: in between it stays where it was last, faded.

const GUEST_SIDE = 28; // CSS pixels: those of an MNIST image
const GUEST_RING = 2;
const GUEST_FADED = 0.4;

// Where it is, in steps of the map, or null before the first place that is known.
function placeAt(places, moment) {
  const { from, to, blend, frame } = moment;
  const [before, after] = [places[from], places[to]];
  if (before && after) {
    const between = (axis) => before[axis] + (after[axis] - before[axis]) * blend;
    return { x: between(0), y: between(1), isComputed: true };
  }
  const latest = places.slice(0, frame + 1).findLast((place) => place !== null);
  return latest ? { x: latest[0], y: latest[1], isComputed: places[frame] !== null } : null;
}

// Paints it and notes in `view` where it is, in bitmap pixels, for pointing at it.
export function paintGuest(context, view, movie, moment, map, { theme, isHovered }, pixelRatio) {
  const place = movie.guest && view.panel.guest ? placeAt(view.panel.guest, moment) : null;
  view.guest = place && { ...place, x: map.x(place.x), y: map.y(place.y) };
  if (!view.guest) return;
  const side = GUEST_SIDE * pixelRatio;
  const [left, top] = [Math.round(view.guest.x - side / 2), Math.round(view.guest.y - side / 2)];
  const square = (reach, color) => {
    const out = reach * pixelRatio;
    context.fillStyle = color;
    context.beginPath();
    context.roundRect(left - out, top - out, side + 2 * out, side + 2 * out, 3 * pixelRatio);
    context.fill();
  };
  // On paper, so that what is faded is not mixed with what lies below.
  const opacity = view.guest.isComputed ? 1 : GUEST_FADED;
  square(GUEST_RING + 1.5, isHovered ? theme.ink : theme.paper);
  square(GUEST_RING, theme.paper);
  context.globalAlpha = opacity;
  square(GUEST_RING, theme.primary);
  context.globalAlpha = 1;
  square(0, theme.paper);
  context.globalAlpha = opacity;
  paintSmall(context, movie.guest, theme, { left, top, side });
  context.globalAlpha = 1;
}

// Larger pixels stay squares; an image that must shrink is smoothed, or lines of it would go.
export function paintSmall(context, guest, theme, { left, top, side }) {
  const picture = pictureOf(guest, theme);
  context.imageSmoothingEnabled = picture.width > side;
  context.drawImage(picture, left, top, side, side);
  context.imageSmoothingEnabled = true;
}

// Ink is dark on light paper, as it is in the thumbnails of samples.
function pictureOf(guest, theme) {
  if (guest.picture?.isDark !== theme.isDark) {
    const { naturalWidth: width, naturalHeight: height } = guest.image;
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.drawImage(guest.image, 0, 0);
    if (guest.grey && !theme.isDark) {
      context.globalCompositeOperation = "difference";
      context.fillStyle = "white";
      context.fillRect(0, 0, width, height);
    }
    guest.picture = { canvas, isDark: theme.isDark };
  }
  return guest.picture.canvas;
}

export function isOnGuest(view, left, top) {
  if (!view.guest) return false;
  const pixelRatio = view.canvas.width / view.canvas.clientWidth;
  const reach = GUEST_SIDE / 2 + GUEST_RING;
  const away = (place, at) => Math.abs(place / pixelRatio - at);
  return away(view.guest.x, left) <= reach && away(view.guest.y, top) <= reach;
}

// In words, for who cannot see it; "" where it is not on the map.
export function guestInWords({ guest }, panel, frame) {
  const at = { from: frame, to: frame, blend: 0, frame };
  const place = guest && panel.guest ? placeAt(panel.guest, at) : null;
  if (!place) return "";
  const known = place.isComputed ? "is on the map" : "was not computed at this step";
  return ` ${capitalised(guest.label)} ${known}.`;
}

export function capitalised(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
