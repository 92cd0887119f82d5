// Brings the page in line with the player's state; nothing here changes that state.

import { summary } from "./emphasis.js";
import { guestInWords } from "./guest.js";
import { paintLegend } from "./legend.js";
import { morphOf } from "./morph.js";
import { momentAt } from "./movie.js";
import { paintPanel } from "./scene.js";
import { TAILS_HELP } from "./tails.js";
import { paintGuestTooltip, paintTooltip, placeTooltip } from "./tooltip.js";

const PINNING_HELP = "Click or tap a sample to pin it and see its path.";

export const reducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)");

export const lastFrameOf = (player) => player.movie.frames.length - 1;

export const momentOf = (player) =>
  momentAt(player.state.time, player.movie.frames.length, !reducedMotion.matches);

// Everything anew: after a choice, a resize, a change of theme.
export function refresh(player) {
  if (!player.movie) return;
  player.shownFrame = null;
  paintLegend(player.legend, player.movie, player.state.mode, player.theme);
  player.help.textContent = player.state.tails ? TAILS_HELP : PINNING_HELP;
  paint(player);
}

// What changes while time passes.
export function paint(player) {
  const { movie, state, theme, hovered } = player;
  const moment = momentOf(player);
  const now = performance.now();
  player.views.forEach((view, panel) => {
    paintPanel(view, movie, moment, {
      mode: state.mode,
      filter: state.filter,
      tails: state.tails,
      pinned: state.pinned,
      hovered: hovered?.sample ?? null,
      isHovered: hovered?.view === view && hovered.sample === null,
      morph: morphOf(player, panel, now),
      theme,
    });
  });
  const frame = player.glide ? player.glide.to : moment.frame;
  if (frame !== player.shownFrame) showFrame(player, frame);
  showTooltip(player, moment);
}

function showFrame(player, frame) {
  const { movie, state } = player;
  const { label, hint } = movie.frames[frame];
  player.shownFrame = frame;
  player.label.textContent = label;
  for (const one of player.hint.children) one.hidden = one.textContent !== hint;
  player.slider.value = String(frame);
  player.slider.setAttribute("aria-valuetext", label);
  for (const { panel, found, canvas } of player.views) {
    found.textContent = summary(movie, panel, frame, state.filter);
    const name = `Map of ${panel.title}, ${label}: ${found.textContent}`;
    canvas.setAttribute("aria-label", `${name}.${guestInWords(movie, panel, frame)}`);
  }
}

function showTooltip(player, moment) {
  const { movie, state, hovered, tooltip, views, theme } = player;
  const guest = hovered?.sample === null ? hovered.view.guest : null;
  const sample = hovered?.sample ?? state.pinned;
  tooltip.hidden = !guest && sample === null;
  if (guest) {
    paintGuestTooltip(tooltip, movie.guest, guest, theme);
    placeTooltip(tooltip, hovered.view, guest, false);
  } else if (sample !== null) {
    paintTooltip(tooltip, movie, moment, sample, theme);
    const view = hovered?.view ?? views[state.pinnedIn];
    const place = { x: view.places.x[sample], y: view.places.y[sample] };
    placeTooltip(tooltip, view, place, sample === state.pinned);
  }
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
