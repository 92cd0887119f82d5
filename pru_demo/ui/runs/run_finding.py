"""One sentence about all runs that are stored, with every number in it counted."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from pru_demo.config import Scenario
from pru_demo.data import DATASETS
from pru_demo.figures.naming import is_yardstick, listed
from pru_demo.methods import METHODS
from pru_demo.ui.runs.stored_runs import StoredRun, is_own
from pru_demo.ui.shared.explained import MASK, mask_said

# More names would be a list, not a sentence.
_NAMED = 3


def runs_finding(runs: Sequence[StoredRun], mine: str) -> str:
    """How many runs of what, how many of them the visitor's, which method holds, and what that is
    worth."""
    datasets = [name for name in DATASETS if any(r.config.scenario.dataset == name for r in runs)]
    labels = [DATASETS[name].label for name in datasets]
    methods = len({run.config.pick.method for run in runs})
    yours = sum(is_own(run, mine) for run in runs)
    where = listed(labels) if len(labels) <= _NAMED else f"{len(labels)} data sets"
    count = (
        f"{_counted(len(runs), 'run')} of {_counted(methods, 'method')} on {where}"
        f"{f', {yours} of them yours' if yours else ''}."
    )
    masks = [r.highest for r in runs if r.config.pick == MASK and r.highest is not None]
    return " ".join(filter(None, [count, _holding(runs), mask_said(masks)]))


def best_methods(runs: Sequence[StoredRun]) -> dict[Scenario, str]:
    """For each scenario in which methods compete, whose A_f stays lowest while it relearns.

    Where two bring back equally little, the one that left more of A_r. Broken networks and the
    yardsticks do not compete.
    """
    competitors: dict[Scenario, list[tuple[float, float, str]]] = defaultdict(list)
    for run in runs:
        pick = run.config.pick
        if run.highest is not None and not run.failure and not is_yardstick(pick):
            competitors[run.config.scenario].append((run.highest, -run.a_r, pick.method))
    return {
        scenario: min(found)[2]
        for scenario, found in competitors.items()
        if len({method for *_, method in found}) > 1
    }


def _holding(runs: Sequence[StoredRun]) -> str:
    best = best_methods(runs)
    if not best:
        return ""
    wins = Counter(best.values())
    most = max(wins.values())
    winners = [METHODS[method].label for method in METHODS if wins[method] == most]
    if len(winners) > _NAMED:
        return ""
    verb = "keeps" if len(winners) == 1 else "each keep"
    return (
        f"With every method in its best variant, **{listed(winners)}** {verb} A_f lowest through "
        f"relearning in {_share(most, len(best))} where methods were compared."
    )


def _share(part: int, whole: int) -> str:
    if whole == 1:
        return "the one scenario"
    return f"all {whole} scenarios" if part == whole else f"{part} of the {whole} scenarios"


def _counted(number: int, thing: str) -> str:
    return f"**{number}** {thing}{'' if number == 1 else 's'}"
