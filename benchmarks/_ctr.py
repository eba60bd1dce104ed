"""What the benchmarks of click prediction share: settings tried on a validation part, seeds judged on a test part."""

import itertools
import json
import time
from pathlib import Path

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score


def read_results(path):
    """Return the results of a stopped run, or none."""
    path = Path(path)
    return {**(json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}), "path": str(path)}


def save(results):
    """Write the results so that a stopped run goes on where it was."""
    part = Path(results["path"]).with_suffix(".part")
    part.write_text(json.dumps(results, indent=1), encoding="utf-8")
    part.replace(results["path"])


def grid(**values):
    """Return every combination of the values as a dict of settings."""
    return [dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())]


def judge(model, X, y):
    """AUC and log loss."""
    probability = model.predict_proba(X)[:, 1]
    return [float(roc_auc_score(y, probability)), float(log_loss(y, probability))]


def run(name, make, candidates, data, seeds, results, fit):
    """Choose among the candidate settings by validation log loss, then judge each seed on the test part.

    Parameters
    ----------
    name : str
        Of the model, in the results.
    make : callable
        ``make(random_state=..., **settings)`` returns an estimator.
    candidates : list of dict
        Settings; where there is one only, nothing is tried.
    data : dict of str to (X, y)
        ``"train"``, ``"validation"`` and ``"test"``.
    seeds : int
        How many fits to judge.
    results : dict
        Of earlier runs; changed and saved.
    fit : callable
        ``fit(model, data)`` trains a model without looking at the test part.
    """
    done = results.setdefault(name, {"tried": {}, "seeds": {}})
    for settings in candidates if len(candidates) > 1 else []:
        key = json.dumps(settings)
        if key in done["tried"]:
            continue
        started = time.perf_counter()
        model = fit(make(random_state=0, **settings), data)
        auc, loss = judge(model, *data["validation"])
        done["tried"][key] = {"auc": auc, "log_loss": loss, "epochs": int(np.max(getattr(model, "n_iter_", 0)))}
        print(
            f"  {name} {key}: validation AUC {auc:.4f}, log loss {loss:.4f}, {done['tried'][key]['epochs']} epochs, "
            f"{time.perf_counter() - started:.0f} s",
            flush=True,
        )
        save(results)
    chosen = min(candidates, key=lambda s: done["tried"].get(json.dumps(s), {"log_loss": 0})["log_loss"])
    if done.get("chosen") != chosen:
        done |= {"chosen": chosen, "seeds": {}}
    for seed in map(str, range(seeds)):
        if seed in done["seeds"]:
            continue
        started = time.perf_counter()
        model = fit(make(random_state=int(seed), **chosen), data)
        seconds = time.perf_counter() - started
        done["seeds"][seed] = [*judge(model, *data["test"]), seconds]
        save(results)


def show(results, published):
    """Print the table, in the order of ``published``."""
    print(f"\n{'model':<22}{'AUC':>16}{'log loss':>16}{'seconds':>9}  published; settings chosen")
    for name, figure in published.items():
        if not results.get(name, {}).get("seeds"):
            continue
        values = np.array(list(results[name]["seeds"].values()))
        mean, spread = values.mean(axis=0), values.std(axis=0)
        cells = [
            f"{m:.4f} ± {s:.4f}" if len(values) > 1 else f"{m:.4f}" for m, s in zip(mean[:2], spread[:2], strict=True)
        ]
        print(f"{name:<22}{cells[0]:>16}{cells[1]:>16}{mean[2]:>9.0f}  {figure}; {results[name]['chosen']}", flush=True)
