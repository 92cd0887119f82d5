import { FILTERS } from "./emphasis.js";
import { MODES, make } from "./looks.js";

// Fills a select from a registry such as MODES or FILTERS.
function fillSelect(select, registry, movie, chosen) {
  const options = Object.entries(registry).map(([value, { name }]) => new Option(name(movie), value));
  select.replaceChildren(...options);
  select.value = chosen;
}

export function fillControls(root, movie, state) {
  const find = (selector) => root.querySelector(selector);
  fillSelect(find(".mode"), MODES, movie, state.mode);
  fillSelect(find(".filter"), FILTERS, movie, state.filter);
  const canReturn = movie.unlearnEnd < movie.frames.length - 1;
  find('option[value="returned"]').disabled = !canReturn;
  find(".speed").value = String(state.speed);
  find(".loop").checked = state.loop;
  find(".tails").checked = state.tails;
  // With fewer than two other classes there is nothing that a length could be compared with.
  find(".tails").disabled = movie.panels.every((panel) => panel.unit === 0);
  find(".slider").max = String(movie.frames.length - 1);
  find(".stages").replaceChildren(...stagesOf(movie));
  // All of them lie on each other and one is shown, so that nothing jumps from frame to frame.
  const hints = new Set(movie.frames.map(({ hint }) => hint));
  find(".hint").replaceChildren(...[...hints].map((hint) => make("span", "", hint)));
}

// Two segments along the slider: from the original to the end of unlearning, and on from there.
function stagesOf({ frames, unlearnEnd }) {
  const last = frames.length - 1;
  if (last === 0) return [];
  const border = (100 * unlearnEnd) / last;
  const parts = [
    { stage: "unlearn", name: "Unlearning", from: 0, to: border },
    { stage: "relearn", name: "Relearning", from: border, to: 100 },
  ];
  return parts.filter(({ from, to }) => to > from).map(({ stage, name, from, to }) => {
    const segment = make("span", `stage ${stage}`, name);
    segment.style.left = `${from}%`;
    segment.style.width = `${to - from}%`;
    return segment;
  });
}

export function makeFigures(panels) {
  return panels.map((panel) => {
    const figure = document.createElement("figure");
    figure.style.setProperty("--method", panel.color);
    const caption = document.createElement("figcaption");
    const found = make("span", "found");
    caption.append(make("span", "title", panel.title), found);
    if (panel.note) caption.append(make("span", "note", panel.note));
    const canvas = make("canvas", "map");
    canvas.setAttribute("role", "img");
    figure.append(caption, canvas);
    return { figure, canvas, found, panel };
  });
}
