// What the visitor does, with the pointer and with keys.

import { isOnGuest } from "./guest.js";
import { savePicture } from "./picture.js";
import { sampleAt } from "./scene.js";
import { lastFrameOf, momentOf, paint, refresh } from "./show.js";
import { goTo, scrubTo, togglePlaying } from "./time.js";
import { factsOf } from "./tooltip.js";

const REACH = { mouse: 12, touch: 24 }; // CSS pixels from a sample

export function listen(player) {
  const { state } = player;
  const choose = (name, read) => (event) => {
    state[name] = read(event.target);
    refresh(player);
  };
  player.mode.onchange = choose("mode", (select) => select.value);
  player.filter.onchange = choose("filter", (select) => select.value);
  player.speed.onchange = choose("speed", (select) => Number(select.value));
  player.loop.onchange = choose("loop", (box) => box.checked);
  player.tails.onchange = choose("tails", (box) => box.checked);
  player.save.onclick = () => savePicture(player);
  player.play.onclick = () => togglePlaying(player);
  player.back.onclick = () => goTo(player, (frame) => frame - 1);
  player.forward.onclick = () => goTo(player, (frame) => frame + 1);
  player.slider.oninput = () => scrubTo(player, Number(player.slider.value));
  player.root.onkeydown = (event) => {
    if (handleKey(player, event)) event.preventDefault();
  };
}

function handleKey(player, event) {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches("select")) return false;
  if (key === "Escape") pin(player, null);
  // Space presses a focused button or box; everywhere else it plays.
  else if (key === " " && !target.matches("button, [type=checkbox]")) togglePlaying(player);
  else if (key === "ArrowLeft") goTo(player, (frame) => frame - 1);
  else if (key === "ArrowRight") goTo(player, (frame) => frame + 1);
  else if (key === "Home") goTo(player, () => 0);
  else if (key === "End") goTo(player, () => lastFrameOf(player));
  // On the slider these step as well.
  else if (key === "ArrowDown" && target === player.panels) pinNeighbour(player, 1);
  else if (key === "ArrowUp" && target === player.panels) pinNeighbour(player, -1);
  else return false;
  return true;
}

export function listenToPointer(player, view) {
  const { canvas } = view;
  // The guest lies on top.
  const find = ({ offsetX: left, offsetY: top, pointerType }) => {
    if (isOnGuest(view, left, top)) return { view, sample: null };
    const sample = sampleAt(view, left, top, pointerType === "touch" ? REACH.touch : REACH.mouse);
    return sample === null ? null : { view, sample };
  };
  const hover = (found) => {
    if (found?.sample === player.hovered?.sample) return;
    player.hovered = found;
    canvas.classList.toggle("on-sample", found !== null && found.sample !== null);
    paint(player);
  };
  canvas.onpointermove = (event) => {
    if (event.pointerType === "mouse") hover(find(event));
  };
  canvas.onpointerleave = (event) => {
    // A finger that is lifted leaves, and what it tapped on stays.
    if (event.pointerType === "mouse") hover(null);
  };
  canvas.onclick = (event) => {
    const found = find(event);
    if (event.pointerType === "touch") hover(found?.sample === null ? found : null);
    if (found?.sample === null) return;
    player.state.pinnedIn = player.views.indexOf(view);
    pin(player, found?.sample === player.state.pinned ? null : (found?.sample ?? null));
  };
}

// From the sample on top downwards, of those that the filter keeps.
function pinNeighbour(player, step) {
  const { order, places } = player.views[player.state.pinnedIn];
  const kept = order.filter((sample) => places.kept[sample] === 1).reverse();
  if (!kept.length) return;
  const here = kept.indexOf(player.state.pinned);
  const next = here === -1 && step === -1 ? -1 : here + step;
  pin(player, kept.at(next % kept.length));
}

function pin(player, sample) {
  if (sample === player.state.pinned) return;
  player.state.pinned = sample;
  paint(player);
  if (sample === null) {
    player.spoken.textContent = "Unpinned.";
    return;
  }
  const { truth, perPanel } = factsOf(player.movie, momentOf(player), sample);
  const said = perPanel.map(({ title, top, lines }) => {
    const shares = top.map((share) => share.join(" ")).join(", ");
    return `${title}: ${[shares, ...lines].join(". ")}.`;
  });
  player.spoken.textContent = `Pinned. ${truth}. ${said.join(" ")}`;
}
