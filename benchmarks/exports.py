"""What exports cost and lose: bytes, milliseconds and NDCG@10 of float, int8 and pruned bundles on MovieLens 1M.

python benchmarks/exports.py --data ML_1M_FOLDER                 matrix factorization and SASRec
python benchmarks/exports.py --data ML_1M_FOLDER --work FOLDER   keeps the fitted models, and takes them the next time
python benchmarks/exports.py --data ML_1M_FOLDER --models MF     one of them

The folder holds ``ratings.csv`` with ``user_id``, ``movie_id`` and ``time_rank`` (rows without a rank, -1, are left
out). A user's last event is the test item; the models are fitted on all others, once, with seed 0 and few epochs: the
table compares exports of one model, not models. Pruned kernels are fine-tuned on the training rows. The whole catalogue
is ranked without the items of the user's history. ``size`` and ``NDCG`` are relative to the float bundle.

Nothing is chosen by the figures of the test rows.
"""

import argparse
import json
import time
from pathlib import Path

import pandas as pd

import skrec
from skrec.models import NCFRanker, SASRecRanker

MODELS = {
    "MF": NCFRanker(architecture="gmf", embedding_dim=64, epochs=8, early_stopping=False, random_state=0),
    "SASRec": SASRecRanker(
        embedding_dim=64, max_history=50, n_negatives=256, epochs=8, early_stopping=False, random_state=0
    ),
}


def load(folder):
    """Return training and test rows."""
    path = next(Path(folder).glob("ratings.csv*"))
    rows = pd.read_csv(path, usecols=["user_id", "movie_id", "time_rank"]).query("time_rank >= 0")
    rows = rows.rename(columns={"movie_id": "item_id", "time_rank": "timestamp"})
    rows = rows.sort_values(["user_id", "timestamp"], kind="stable", ignore_index=True)
    last = rows.groupby("user_id").cumcount(ascending=False) == 0
    return rows[~last], rows[last]


def fitted(name, train, work):
    """Return a fitted model, which may have been kept by an earlier run."""
    path = work / f"{name}.skrec"
    if not path.exists():
        started = time.perf_counter()
        skrec.save(MODELS[name].fit(train), path)
        print(f"{name} fitted in {time.perf_counter() - started:.0f} s", flush=True)
    return skrec.load(path)


def variants(name, train):
    """Return the options of each export of a model; matrix factorization has no kernels to prune."""
    found = {"float": {}, "int8": {"quantize": "int8"}}
    if name != "MF":
        found |= {
            "prune .5": {"prune": 0.5},
            "prune .5, fine-tuned": {"prune": 0.5, "fine_tune": (train, None)},
        }
    return found


def main():
    """Fit or load the models, export them, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of MovieLens 1M")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--work", default="exports", help="folder for fitted models and exports")
    options = parser.parse_args()
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    train, test = load(options.data)
    models = {name: fitted(name, train, work) for name in options.models}

    from skrec.inspection import compare_exports

    for name, model in models.items():
        paths = {}
        for variant, export_options in variants(name, train).items():
            paths[variant] = work / f"{name}-{len(paths)}.bundle"
            skrec.export(model, paths[variant], **export_options)
        table = compare_exports({"estimator": model, **paths}, test)
        first = table.loc["float"]
        table["network / float"] = table["network_bytes"] / first["network_bytes"]
        table["NDCG / float"] = table["ndcg@10"] / first["ndcg@10"]
        print(f"\n{name}\n{table.round(4).to_string()}", flush=True)
        (work / f"{name}.json").write_text(json.dumps(table.to_dict("index"), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
