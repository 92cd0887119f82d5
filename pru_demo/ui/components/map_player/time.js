// Play, pause, step, scrub.

import { MORPH_LASTS } from "./morph.js";
import { lastFrameOf, momentOf, paint, reducedMotion, sayFrame, showPlaying } from "./show.js";

const UNLEARNING_LASTS = 8000; // ms at speed 1: as long as the thought
const FRAME_LASTS = { least: 300, most: 1000 }; // ms
const GLIDE_LASTS = 250; // ms for one step by button or key
const REST_BEFORE_LOOP = 2; // frames
const LONGEST_TICK = 100; // ms: a tab that was in the background goes on where it was

function frameDuration({ unlearnEnd }) {
  const even = UNLEARNING_LASTS / Math.max(1, unlearnEnd);
  return Math.min(FRAME_LASTS.most, Math.max(FRAME_LASTS.least, even));
}

function play(player) {
  const { state } = player;
  if (state.time >= lastFrameOf(player)) state.time = 0;
  player.glide = null;
  player.isPlaying = true;
  showPlaying(player);
  startTicking(player);
}

// Leaves the film at a whole frame, without painting it.
export function stop(player) {
  if (player.movie && player.isPlaying) player.state.time = Math.round(momentOf(player).frame);
  player.isPlaying = false;
  player.glide = null;
  player.morph = null;
  cancelAnimationFrame(player.ticking);
}

// From where the samples were, as `placesNow` gave it, to where the movie has them.
export function morphFrom(player, before) {
  if (reducedMotion.matches) return;
  player.morph = { before, start: performance.now() };
  startTicking(player);
}

function pause(player) {
  stop(player);
  showPlaying(player);
  if (player.movie) paint(player);
}

export function togglePlaying(player) {
  if (player.isPlaying) {
    pause(player);
    sayFrame(player);
  } else {
    play(player);
  }
}

// By button or key: glide there, unless motion is unwelcome.
export function goTo(player, frame) {
  const from = player.glide ? player.glide.to : momentOf(player).frame;
  const to = Math.min(Math.max(frame(from), 0), lastFrameOf(player));
  pause(player);
  if (reducedMotion.matches || Math.abs(to - from) > 1) {
    player.state.time = to;
    paint(player);
  } else {
    player.glide = { from, to, start: performance.now() };
    startTicking(player);
    paint(player);
  }
  sayFrame(player);
}

export function scrubTo(player, frame) {
  pause(player);
  player.state.time = frame;
  paint(player); // the slider itself speaks its aria-valuetext
}

function startTicking(player) {
  cancelAnimationFrame(player.ticking);
  let before = performance.now();
  const tick = (now) => {
    advance(player, now, Math.min(LONGEST_TICK, Math.max(0, now - before)));
    before = now;
    paint(player);
    const isMoving = player.isPlaying || player.glide || player.morph;
    if (isMoving) player.ticking = requestAnimationFrame(tick);
  };
  player.ticking = requestAnimationFrame(tick);
}

function advance(player, now, elapsed) {
  const { state, glide, morph } = player;
  if (morph && now - morph.start >= MORPH_LASTS) player.morph = null;
  if (glide) {
    const part = Math.min(1, Math.max(0, (now - glide.start) / GLIDE_LASTS));
    state.time = glide.from + (glide.to - glide.from) * part;
    if (part === 1) player.glide = null;
    return;
  }
  if (!player.isPlaying) return;
  const last = lastFrameOf(player);
  state.time += (elapsed * state.speed) / frameDuration(player.movie);
  if (state.loop && state.time > last + REST_BEFORE_LOOP) state.time = 0;
  if (!state.loop && state.time >= last) {
    state.time = last;
    pause(player);
    sayFrame(player);
  }
}
