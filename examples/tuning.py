"""Tuning by Optuna, three ways: skrec's search, optuna-integration's, and an objective written by hand.

python examples/tuning.py                    generated events
python examples/tuning.py --data ml-100k     MovieLens 100K: the zip or the unpacked folder
"""

import argparse
import warnings

import optuna
import optuna_integration
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import skrec
from skrec.datasets import fetch_movielens, make_interactions
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut, OptunaSearchCV, search_space
from skrec.models import NCFRanker

N_TRIALS = 10
SCORER = make_ranking_scorer("ndcg@10")  # each user's last event, ranked among the whole catalogue

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", help="folder or zip of MovieLens 100K")
path = parser.parse_args().data
if path:
    X = fetch_movielens("100k", path=path).interactions.drop(columns="rating")
else:
    X = make_interactions(n_users=150, n_items=80, n_interactions=3_000, random_state=0)

optuna.logging.set_verbosity(optuna.logging.WARNING)
model = NCFRanker(architecture="mf", early_stopping=True, epochs=10, random_state=0)


def pruner():
    """After the third epoch, prune candidates below the median of the previous ones, once there are four."""
    return optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=2)


def show(what, study):
    """Print the best score of a study and how it came about."""
    states = [trial.state.name for trial in study.trials]
    best = ", ".join(f"{name}={value:.3g}" for name, value in sorted(study.best_params.items()))
    print(f"{what:<22}NDCG@10 {study.best_value:.4f}  pruned {states.count('PRUNED'):>2}  {best}")


print(f"{len(X):,} events, {N_TRIALS} candidates, over {', '.join(search_space(model))}\n")

# skrec's search has the interface of scikit-learn and a default search space, and prunes fits while they run.
search = OptunaSearchCV(model, n_trials=N_TRIALS, pruner=pruner(), scoring=SCORER, cv=LeaveLastOut(), random_state=0)
show("OptunaSearchCV", search.fit(X).study_)

# optuna-integration's search accepts the same space; it prunes only estimators with partial_fit, between calls.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it is experimental, and uses what Optuna has deprecated
    theirs = optuna_integration.OptunaSearchCV(
        model, search_space(model), n_trials=N_TRIALS, scoring=SCORER, cv=LeaveLastOut(), random_state=0
    ).fit(X)
show("optuna-integration", theirs.study_)


# An objective written by hand: a callback function receives the validation score of each epoch.
def objective(trial):
    def report(epoch, logs):
        trial.report(logs["val_ndcg"], epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    candidate = clone(model).set_params(
        learning_rate=trial.suggest_float("learning_rate", 1e-3, 3e-2, log=True),
        l2=trial.suggest_float("l2", 1e-3, 1e-1, log=True),
        callbacks=[report],
    )
    return cross_val_score(candidate, X, scoring=SCORER, cv=LeaveLastOut(), error_score="raise").mean()


study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0), pruner=pruner())
study.optimize(objective, n_trials=N_TRIALS)
show("an objective by hand", study)

print("\nThe best model of the first search recommends:")
print(skrec.recommend(search, X["user_id"].drop_duplicates().head(2), k=3).round(2).to_string(index=False))
