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
    """Write the results so that a stopped run resumes where it stopped."""
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


def run(name, make, candidates, data, *, seeds, results, fit, by="log_loss"):
    """Choose among the candidate settings on the validation part, then judge each seed on the test part.

    Parameters
    ----------
    name : str
        Of the model, in the results.
    make : callable
        ``make(random_state=..., **settings)`` returns an estimator.
    candidates : list of dict
        Settings.
    data : callable
        ``data(seed)`` returns the parts by name, each as (X, y): ``"train"``, ``"validation"`` and ``"test"``; with
        ``"all"`` the choice is trained anew, on that.
    seeds : int
        How many fits to judge; the choice is made with the first.
    results : dict
        Of earlier runs; changed and saved.
    fit : callable
        ``fit(model, part, data)`` trains a model on the part of that name, without looking at the test part.
    by : {"log_loss", "auc"}
        What the choice goes by.
    """
    done = results.setdefault(name, {"fits": {}})

    def judged(settings, seed, part="train"):
        """Fit once, and judge on both parts; the choice looks at the validation part alone."""
        key = json.dumps([settings, seed, part])
        if key not in done["fits"]:
            parts, started = data(seed), time.perf_counter()
            model = fit(make(random_state=seed, **settings), part, parts)
            seconds = time.perf_counter() - started
            done["fits"][key] = {
                "epochs": int(np.max(getattr(model, "n_iter_", 0))),
                "seconds": seconds,
                "validation": judge(model, *parts["validation"]),
                "test": judge(model, *parts["test"]),
            }
            save(results)
            shown = {key: value for key, value in done["fits"][key].items() if key != "test"}
            print(f"  {name} {key} {shown}", flush=True)
        return done["fits"][key]

    def loss(settings):
        auc, log_loss = judged(settings, 0)["validation"]
        return log_loss if by == "log_loss" else -auc

    done["chosen"] = candidates[0] if len(candidates) == 1 else min(candidates, key=loss)
    fits = [judged(done["chosen"], seed, "all" if "all" in data(seed) else "train") for seed in range(seeds)]
    done["test"] = [[*one["test"], one["seconds"]] for one in fits]
    save(results)


def show(results, published):
    """Print the table, in the order of ``published``."""
    print(f"\n{'model':<22}{'AUC':>16}{'log loss':>16}{'seconds':>9}  published; settings chosen")
    for name, figure in published.items():
        if not results.get(name, {}).get("test"):
            continue
        values = np.array(results[name]["test"])
        mean, spread = values.mean(axis=0), values.std(axis=0)
        cells = [
            f"{m:.4f} ± {s:.4f}" if len(values) > 1 else f"{m:.4f}" for m, s in zip(mean[:2], spread[:2], strict=True)
        ]
        print(f"{name:<22}{cells[0]:>16}{cells[1]:>16}{mean[2]:>9.0f}  {figure}; {results[name]['chosen']}", flush=True)
