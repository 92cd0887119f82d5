// What the colours stand for: as facts, for the page and for the saved picture, and as elements.

import { paintSmall } from "./guest.js";
import { MODES, make, ramp } from "./looks.js";

const GUEST_SIZE = 20; // CSS pixels, between the words

// A title, and either the classes or the two ends of a ramp; and the guest, if there is one.
export function legendOf(movie, mode, theme) {
  const { name, ends } = MODES[mode];
  return {
    title: name(movie),
    classes: ends
      ? []
      : movie.classes.map((one) => ({ ...one, text: one.forgotten ? `${one.name} (forgotten)` : one.name })),
    ramp: ends ? { ends: ends(movie), colors: ramp(theme) } : null,
    guest: movie.guest,
  };
}

export function paintLegend(element, movie, mode, theme) {
  const { title, classes, ramp: scale, guest } = legendOf(movie, mode, theme);
  const entries = classes.map(classEntry);
  if (scale) entries.push(rampEntry(scale));
  if (guest) entries.push(guestEntry(guest, theme));
  element.replaceChildren(make("strong", "", title), ...entries);
}

function classEntry({ text, color, forgotten }) {
  const entry = make("span", "entry");
  const dot = make("span", forgotten ? "dot ringed" : "dot");
  dot.style.background = color;
  entry.append(dot, text);
  return entry;
}

function rampEntry({ ends: [low, high], colors }) {
  const entry = make("span", "entry");
  const bar = make("span", "ramp");
  bar.style.background = `linear-gradient(to right, ${colors.join(", ")})`;
  entry.append(low, bar, high);
  return entry;
}

function guestEntry(guest, theme) {
  const entry = make("span", "entry");
  const picture = make("canvas", "guest");
  const side = GUEST_SIZE * window.devicePixelRatio;
  picture.width = picture.height = side;
  paintSmall(picture.getContext("2d"), guest, theme, { left: 0, top: 0, side });
  entry.append(picture, guest.label);
  return entry;
}
