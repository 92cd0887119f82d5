// Brings the page in line with the player's state; nothing here changes that state.

import { summary } from "./emphasis.js";
import { paintLegend } from "./looks.js";
import { momentAt } from "./movie.js";
import { paintPanel } from "./scene.js";
import { paintTooltip, placeTooltip } from "./tooltip.js";

export const reducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)");

export const lastFrameOf = (player) => player.movie.frames.length - 1;

export const momentOf = (player) =>
  momentAt(player.state.time, player.movie.frames.length, !reducedMotion.matches);

// Everything anew: after a choice, a resize, a change of theme.
export function refresh(player) {
  if (!player.movie) return;
  player.shownFrame = null;
  paintLegend(player.legend, player.movie, player.state.mode, player.theme);
  paint(player);
}

// What changes while time passes.
export function paint(player) {
  const { movie, state, theme, hovered } = player;
  const moment = momentOf(player);
  for (const view of player.views) {
    paintPanel(view, movie, moment, {
      mode: state.mode,
      filter: state.filter,
      pinned: state.pinned,
      hovered: hovered?.sample ?? null,
      theme,
    });
  }
  const frame = player.glide ? player.glide.to : moment.frame;
  if (frame !== player.shownFrame) showFrame(player, frame);
  showTooltip(player, moment);
}

function showFrame(player, frame) {
  const { movie, state } = player;
  const { label, hint } = movie.frames[frame];
  player.shownFrame = frame;
  player.label.textContent = label;
  player.hint.textContent = hint;
  player.slider.value = String(frame);
  player.slider.setAttribute("aria-valuetext", label);
  for (const { panel, found, canvas } of player.views) {
    found.textContent = summary(movie, panel, frame, state.filter);
    canvas.setAttribute("aria-label", `Map of ${panel.title}, ${label}: ${found.textContent}`);
  }
}

function showTooltip(player, moment) {
  const { movie, state, hovered, tooltip, views, theme } = player;
  const sample = hovered?.sample ?? state.pinned;
  tooltip.hidden = sample === null;
  if (sample === null) return;
  paintTooltip(tooltip, movie, moment, sample, theme);
  const view = hovered?.view ?? views[state.pinnedIn];
  placeTooltip(tooltip, view, sample, sample === state.pinned);
}

export function fitBitmaps(player) {
  for (const { canvas } of player.views) {
    // Hidden or gone: a bitmap of no pixels could not be painted. It is asked again once it shows.
    if (!canvas.clientWidth || !canvas.clientHeight) return;
    const width = Math.round(canvas.clientWidth * window.devicePixelRatio);
    const height = Math.round(canvas.clientHeight * window.devicePixelRatio);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
  }
  refresh(player);
}

export function showPlaying(player) {
  player.root.classList.toggle("playing", player.isPlaying);
  player.play.querySelector(".play-name").textContent = player.isPlaying ? "Pause" : "Play";
}

export function sayFrame(player) {
  const { label, hint } = player.movie.frames[player.shownFrame];
  player.spoken.textContent = `${label}. ${hint}`;
}
