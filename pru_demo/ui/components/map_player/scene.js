import { FILTERS } from "./emphasis.js";
import { paintGuest } from "./guest.js";
import { HAIRLINE, colorOf } from "./looks.js";
import { blendPlaces } from "./morph.js";
import { STEPS, valueAt } from "./movie.js";
import { paintTails } from "./tails.js";

const RADIUS = 3.2; // of a dot, in CSS pixels
const MARGIN = 14;
const DIMMED = 0.16;
const DIMMED_FORGOTTEN = 0.45; // as empty rings: one still sees where they went

// Dots are stamped from small ready-made pictures, which is much faster than drawing 3,000 circles.
const stamps = new Map();

function stampOf(color, ring, pixelRatio) {
  const name = `${color} ${ring} ${pixelRatio}`;
  if (!stamps.has(name)) stamps.set(name, makeStamp(color, ring, pixelRatio));
  return stamps.get(name);
}

function makeStamp(color, ring, pixelRatio) {
  const stamp = document.createElement("canvas");
  // The ring takes from the fill, whose colour must still be readable.
  const radius = (ring ? RADIUS + 0.8 : RADIUS) * pixelRatio;
  stamp.width = stamp.height = Math.ceil(2 * radius + 4 * pixelRatio);
  const context = stamp.getContext("2d");
  const middle = stamp.width / 2;
  context.arc(middle, middle, radius, 0, 2 * Math.PI);
  context.fillStyle = color;
  context.fill();
  context.lineWidth = (ring ? 1.5 : HAIRLINE.width) * pixelRatio;
  context.strokeStyle = ring || HAIRLINE.color;
  context.stroke();
  return stamp;
}

// Both axes to one scale, in the middle of the canvas, y upwards; gives bitmap pixels.
function projection(canvas, [width, height], pixelRatio) {
  const margin = MARGIN * pixelRatio;
  const scale = Math.min(
    (canvas.width - 2 * margin) / (width || 1),
    (canvas.height - 2 * margin) / (height || 1),
  );
  const left = (canvas.width - width * scale) / 2;
  const bottom = (canvas.height + height * scale) / 2;
  return {
    scale, // bitmap pixels per map unit
    x: (step) => left + (step / STEPS) * width * scale,
    y: (step) => bottom - (step / STEPS) * height * scale,
  };
}

// Paints one panel and notes in `view` where each sample is, for pointing at it.
export function paintPanel(view, movie, moment, look) {
  const { mode, filter, tails, pinned, hovered, morph, theme } = look;
  const { canvas, panel, places } = view;
  const context = canvas.getContext("2d");
  const pixelRatio = canvas.width / (canvas.clientWidth || canvas.width);
  const map = projection(canvas, movie.extent, pixelRatio);
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (let sample = 0; sample < movie.samples; sample += 1) {
    places.x[sample] = map.x(valueAt(panel.x, movie.samples, moment, sample));
    places.y[sample] = map.y(valueAt(panel.y, movie.samples, moment, sample));
    places.kept[sample] = FILTERS[filter].keeps(movie, panel, moment.frame, sample) ? 1 : 0;
  }
  if (morph) blendPlaces(view, morph);
  const stampSample = (sample) => {
    const isForgotten = movie.classes[movie.true[sample]].forgotten;
    const isKept = places.kept[sample] === 1;
    const dimmedColor = isForgotten ? theme.paper : theme.ink;
    const color = isKept ? colorOf(movie, panel, moment, sample, mode, theme) : dimmedColor;
    const stamp = stampOf(color, isForgotten ? theme.ink : "", pixelRatio);
    const half = stamp.width / 2;
    const dimmed = isForgotten ? DIMMED_FORGOTTEN : DIMMED;
    context.globalAlpha = isKept ? 1 : dimmed;
    context.drawImage(stamp, places.x[sample] - half, places.y[sample] - half);
    context.globalAlpha = 1;
  };
  for (const kept of [0, 1]) {
    if (kept && tails) paintTails(context, view, movie, moment, map, look, pixelRatio);
    for (const sample of view.order) if (places.kept[sample] === kept) stampSample(sample);
  }
  if (pinned !== null) {
    paintTrail(context, view, movie, moment, pinned, map, theme, pixelRatio);
    stampSample(pinned);
    circle(context, places, pinned, 7 * pixelRatio, 2 * pixelRatio, theme.ink);
  }
  if (hovered !== null && hovered !== pinned) {
    circle(context, places, hovered, 6 * pixelRatio, 2 * pixelRatio, theme.ink);
  }
  paintGuest(context, view, movie, moment, map, look, pixelRatio);
}

// The others first and the forgotten class on top.
export function paintingOrder(movie) {
  const samples = Array.from({ length: movie.samples }, (_, sample) => sample);
  const isForgotten = (sample) => Number(movie.classes[movie.true[sample]].forgotten);
  return samples.sort((a, b) => isForgotten(a) - isForgotten(b));
}

// The whole way of one sample: what lies behind it as a line, what is to come as dashes.
function paintTrail(context, view, movie, moment, sample, map, theme, pixelRatio) {
  const { panel, places } = view;
  const stop = (frame) => {
    const index = frame * movie.samples + sample;
    return [map.x(panel.x[index]), map.y(panel.y[index])];
  };
  const frames = movie.frames.map((_, frame) => frame);
  const here = [places.x[sample], places.y[sample]];
  const behind = [...frames.slice(0, moment.from + 1).map(stop), here];
  const ahead = [here, ...frames.slice(moment.from + 1).map(stop)];
  context.lineJoin = context.lineCap = "round";
  const line = (points, width, color, dash = []) => {
    context.beginPath();
    points.forEach((point) => context.lineTo(...point));
    context.lineWidth = width * pixelRatio;
    context.strokeStyle = color;
    context.setLineDash(dash.map((length) => length * pixelRatio));
    context.stroke();
    context.setLineDash([]);
  };
  line(ahead, 4, theme.paper);
  line(ahead, 1.5, theme.ink, [1, 5]);
  line(behind, 6, theme.paper);
  line(behind, 3, panel.color);
  context.fillStyle = panel.color;
  for (const [x, y] of behind.slice(0, -1)) {
    context.beginPath();
    context.arc(x, y, 3 * pixelRatio, 0, 2 * Math.PI);
    context.fill();
  }
}

function circle(context, places, sample, radius, width, color) {
  context.beginPath();
  context.arc(places.x[sample], places.y[sample], radius, 0, 2 * Math.PI);
  context.lineWidth = width;
  context.strokeStyle = color;
  context.stroke();
}

// The sample nearest to a place on the panel (CSS pixels), the highlighted ones first, or null.
export function sampleAt(view, left, top, reach) {
  const pixelRatio = view.canvas.width / view.canvas.clientWidth;
  for (const kept of [1, 0]) {
    let nearest = null;
    let least = (reach * pixelRatio) ** 2;
    for (const sample of view.order) {
      if (view.places.kept[sample] !== kept) continue;
      const right = view.places.x[sample] - left * pixelRatio;
      const down = view.places.y[sample] - top * pixelRatio;
      const distance = right * right + down * down;
      if (distance <= least) [nearest, least] = [sample, distance];
    }
    if (nearest !== null) return nearest;
  }
  return null;
}
