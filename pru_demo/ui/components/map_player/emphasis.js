// Which samples a filter keeps in full colour. All others are dimmed, never hidden: the question
// is always "where are these among the rest?".

const FAR = 0.5; // in distances between class centres: half-way to another class

export const FILTERS = {
  all: { name: () => "All samples", keeps: () => true },
  forgotten: { name: (movie) => `Only ${quoted(movie)}`, keeps: isForgotten },
  recognised: {
    name: (movie) => `Still recognised as ${quoted(movie)}`,
    keeps: isRecognised,
  },
  moved: {
    name: () => "Moved away (over ½ class distance)",
    keeps: (movie, panel, frame, sample) =>
      (panel.moved[frame * movie.samples + sample] / 255) * movie.movedMost > FAR,
  },
  damaged: {
    name: () => "Damaged: others no longer recognised",
    keeps: (movie, panel, frame, sample) =>
      !isForgotten(movie, panel, frame, sample) &&
      isNamed(movie, panel, 0, sample) &&
      !isNamed(movie, panel, frame, sample),
  },
  returned: {
    name: () => "Came back in relearning",
    keeps: (movie, panel, frame, sample) =>
      frame > movie.unlearnEnd &&
      isRecognised(movie, panel, frame, sample) &&
      !isRecognised(movie, panel, movie.unlearnEnd, sample),
  },
};

export function quoted(movie) {
  return movie.forgottenNames.map((name) => `“${name}”`).join(", ");
}

function isForgotten(movie, panel, frame, sample) {
  return movie.classes[movie.true[sample]].forgotten;
}

function isNamed(movie, panel, frame, sample) {
  return panel.predicted[frame * movie.samples + sample] === movie.true[sample];
}

function isRecognised(movie, panel, frame, sample) {
  return isForgotten(movie, panel, frame, sample) && isNamed(movie, panel, frame, sample);
}

function count(movie, panel, frame, keeps) {
  let found = 0;
  for (let sample = 0; sample < movie.samples; sample += 1) {
    if (keeps(movie, panel, frame, sample)) found += 1;
  }
  return found;
}

// The finding of one panel at one frame, in words.
export function summary(movie, panel, frame, filter) {
  const forgotten = count(movie, panel, frame, isForgotten);
  if (filter === "moved") {
    const moved = count(movie, panel, frame, FILTERS.moved.keeps);
    return `Moved away: ${moved} of ${movie.samples}`;
  }
  if (filter === "damaged") {
    const damaged = count(movie, panel, frame, FILTERS.damaged.keeps);
    return `Damaged: ${damaged} of ${movie.samples - forgotten}`;
  }
  if (filter === "returned") {
    const returned = count(movie, panel, frame, FILTERS.returned.keeps);
    return `${quoted(movie)} came back: ${returned} of ${forgotten}`;
  }
  const recognised = count(movie, panel, frame, isRecognised);
  return `${quoted(movie)} recognised: ${recognised} of ${forgotten}`;
}
