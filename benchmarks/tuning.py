"""OptunaSearchCV with pruning against GridSearchCV on MovieLens 100K, and against SIGKILL.

python benchmarks/tuning.py --data ML_100K_FOLDER                  36 points of a grid; 40 trials with pruning
python benchmarks/tuning.py --data ML_100K_FOLDER --seeds 0 1 2    the search with several seeds, the grid once
python benchmarks/tuning.py --data ML_100K_FOLDER --kill           a search is killed in the middle, and restarted

Both tune the same four parameters of matrix factorisation within the same bounds, with the same early stopping, by
NDCG@10 of each user's last five events among the whole catalogue; the grid takes decades, as one does. The search
prunes by the validation score of each epoch, which ranks the event before those five. Two clocks are shown, that of the
wall and the processor time of the process: on a machine with other work the second tells more. To make them comparable
run it with TF_NUM_INTRAOP_THREADS=1 and TF_NUM_INTEROP_THREADS=1.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skrec.datasets import fetch_movielens
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut, OptunaSearchCV
from skrec.models import NCFRanker

MODEL = NCFRanker(architecture="mf", n_negatives=128, epochs=20, early_stopping=True, random_state=0)
GRID = {
    "learning_rate": [0.0001, 0.001, 0.01],
    "l2": [0.001, 0.01, 0.1],
    "negative_sampling": [0.0, 0.5],
    "embedding_dim": [32, 64],
}
SPACE = {
    "learning_rate": FloatDistribution(0.0001, 0.01, log=True),
    "l2": FloatDistribution(0.001, 0.1, log=True),
    "negative_sampling": FloatDistribution(0.0, 0.5),
    "embedding_dim": CategoricalDistribution((32, 64)),
}
N_TRIALS = 40
CV = LeaveLastOut(5)
RANKING = make_ranking_scorer("ndcg@10")


class Clock:
    """A scorer that keeps when each candidate was scored."""

    def __init__(self):
        self.start = np.array([time.perf_counter(), time.process_time()])
        self.scores, self.times = [], []

    def __call__(self, estimator, X, y=None):
        """Score a candidate, and look at the clocks."""
        self.scores.append(RANKING(estimator, X, y))
        self.times.append(self.now())
        return self.scores[-1]

    def now(self):
        """Seconds since the start: of the wall, and of the processor."""
        return np.array([time.perf_counter(), time.process_time()]) - self.start

    def when(self, score):
        """Return when a candidate first came to a score, or None."""
        there = np.flatnonzero(np.array(self.scores) >= score)
        return self.times[there[0]] if len(there) else None


def search(scoring, random_state=0, n_trials=N_TRIALS, **options):
    """Make the search; a candidate must be no worse than the median of those before it, from the second epoch on."""
    return OptunaSearchCV(
        MODEL,
        SPACE,
        n_trials=n_trials,
        scoring=scoring,
        cv=CV,
        refit=False,
        random_state=random_state,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=1),
        **options,
    )


def compare(X, seeds):
    """Print how long the search takes to come to the best score of the grid."""
    for dim in GRID["embedding_dim"]:
        clone(MODEL).set_params(embedding_dim=dim, epochs=1).fit(X)  # tracing happens once and counts for neither
    runs = {}
    for seed in seeds:
        clock = Clock()
        found = search(clock, seed).fit(X)
        states = found.cv_results_["trial_state"].tolist()
        runs[seed] = clock
        end = clock.now()
        print(
            f"search, seed {seed}: best {found.best_score_:.4f}, {states.count('PRUNED')} of {len(states)} pruned, "
            f"wall {end[0]:.0f} s, processor {end[1]:.0f} s",
            flush=True,
        )
    clock = Clock()
    grid = GridSearchCV(MODEL, GRID, scoring=clock, cv=CV, refit=False).fit(X)
    end = clock.now()
    print(f"grid: best {grid.best_score_:.4f} of {len(clock.scores)}, wall {end[0]:.0f} s, processor {end[1]:.0f} s")
    for seed, run in runs.items():
        reached = run.when(grid.best_score_)
        if reached is None:
            print(f"search, seed {seed}: never came to the grid's best")
            continue
        share = reached / end
        print(
            f"search, seed {seed}: came to the grid's best after {reached[0]:.0f} s of wall, {reached[1]:.0f} s of "
            f"processor: {share[0]:.2f} and {share[1]:.2f} of the grid's"
        )


def kill(data, n_trials):
    """Kill a search in the middle and restart it; print what was lost."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.log"
        command = [sys.executable, __file__, "--data", data, "--trials", str(n_trials), "--journal", str(path)]
        child = subprocess.Popen(command)
        while len(finished(path)) < n_trials // 2:
            if child.poll() is not None:
                sys.exit("the child ended by itself")
            time.sleep(0.1)
        time.sleep(0.5)  # into the next candidate
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        before = finished(path)
        running = [trial for trial in trials(path) if not trial.state.is_finished()]
        print(f"killed with SIGKILL: {len(before)} candidates finished, {len(running)} running", flush=True)
        subprocess.run(command, check=True)
        after = finished(path)
        kept = sum(trial in after for trial in before)
        print(f"restarted: {kept} of the {len(before)} are kept, {len(after)} finished; lost: {len(running)}")


def trials(path):
    if not path.exists():
        return []
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = JournalStorage(JournalFileBackend(str(path)))
    names = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=names[0], storage=storage).trials if names else []


def finished(path):
    return [trial for trial in trials(path) if trial.state.is_finished()]


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", required=True, help="folder or zip of MovieLens 100K")
parser.add_argument("--seeds", type=int, nargs="+", default=[0])
parser.add_argument("--kill", action="store_true")
parser.add_argument("--trials", type=int, default=12, help="candidates of the search that is killed")
parser.add_argument("--journal", help="run the search that is to be killed, with its study in this file")
options = parser.parse_args()
events = fetch_movielens("100k", path=options.data).interactions.drop(columns="rating")
if options.journal:
    storage = JournalStorage(JournalFileBackend(options.journal))
    done = search(RANKING, n_trials=options.trials, storage=storage, study_name="tuning").fit(events)
    print(f"cv_results_ has {len(done.cv_results_['params'])} candidates, best {done.best_score_:.4f}", flush=True)
elif options.kill:
    kill(options.data, options.trials)
else:
    compare(events, options.seeds)
