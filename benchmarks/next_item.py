"""Next-item recommendation: HR@10 and NDCG@10 of each user's last event.

python benchmarks/next_item.py --data ML_1M_FOLDER                              all models
python benchmarks/next_item.py --data ML_1M_FOLDER --models SASRec --seeds 1    one of them
python benchmarks/next_item.py --data ML_1M_FOLDER --work FOLDER                resumes a stopped run
python benchmarks/next_item.py --data VIDEO_FOLDER --models SASRec-Games        the paper's sampled protocol

The folder of MovieLens 1M holds ``ratings.csv`` with ``user_id``, ``movie_id`` and ``time_rank`` (rows without a rank,
-1, are left out). A user's last event is the test item and the one before it the validation item; the whole catalogue
is ranked without the items of the user's history. The validation items choose the epoch; then they join the histories,
without training, and the test items are ranked. Every few epochs the estimator is saved with its optimizer
state: a stopped run resumes there, and ends with the same result as an uninterrupted one.

The folder of Amazon Games holds ``Video.txt`` of SASRec's authors, "user item" in order of time. There each item is
ranked among 100 others that the user has not chosen, drawn once, as in the paper: such figures do not compare with
those of full ranking.
"""

import argparse
import json
import time
from pathlib import Path

import pandas as pd

import skrec
from skrec.metrics import make_ranking_scorer
from skrec.models import GRU4RecRanker, PopularityRanker, SASRecRanker

METRICS = ["hit_rate@10", "ndcg@10"]
SASREC = {"embedding_dim": 64, "n_blocks": 2, "n_heads": 1, "max_history": 200, "dropout": 0.2, "id_dropout": 0.0}
SASREC |= {"batch_size": 64, "learning_rate": 0.001, "negative_sampling": "uniform"}
MODELS = {
    "SASRec": (SASRecRanker, {**SASREC, "n_negatives": "all"}),
    "SASRec-sampled": (
        SASRecRanker,
        {**SASREC, "n_negatives": 3000, "batch_size": 32, "learning_rate": 0.002, "ema_momentum": 0.9},
    ),
    "gSASRec": (SASRecRanker, {**SASREC, "loss": "gbce", "n_negatives": 256}),
    "SASRec-BCE": (SASRecRanker, {**SASREC, "loss": "log_loss", "n_negatives": 1}),
    "SASRec-Games": (SASRecRanker, {**SASREC, "max_history": 50, "dropout": 0.5, "n_negatives": 1024}),
    "GRU4Rec": (
        GRU4RecRanker,
        {
            "max_history": 200,
            "n_negatives": 1024,
            "negative_sampling": "uniform",
            "id_dropout": 0.0,
            "batch_size": 64,
            "learning_rate": 0.001,
        },
    ),
}
PUBLISHED = {
    "PopularityRanker": ".0315-.037 / .0151-.018 (skrecsys; a study of 2026)",
    "SASRec": ".3027-.3152 / .1739-.1821 (Turning Dross into Gold, 2023)",
    "SASRec-sampled": ".3159 / .1857 (the same, 3,000 negatives)",
    "gSASRec": ".3003 / .1726 (gSASRec, 256 negatives, t = .75)",
    "SASRec-BCE": ".2392-.2500 / .1259-.1341 (gSASRec; Turning Dross into Gold)",
    "SASRec-Games": ".7410 / .5360, sampled (Kang & McAuley, 2018)",
    "GRU4Rec": "not published for this protocol",
}


def load(folder):
    """Return training, validation and test rows."""
    video = next(Path(folder).glob("Video.txt*"), None)
    if video is not None:
        rows = pd.read_csv(video, sep=" ", names=["user_id", "item_id"])
        rows["timestamp"] = rows.groupby("user_id").cumcount()
    else:
        path = next(Path(folder).glob("ratings.csv*"))
        rows = pd.read_csv(path, usecols=["user_id", "movie_id", "time_rank"]).query("time_rank >= 0")
        rows = rows.rename(columns={"movie_id": "item_id", "time_rank": "timestamp"})
        rows = rows.sort_values(["user_id", "timestamp"], kind="stable", ignore_index=True)
    from_end = rows.groupby("user_id").cumcount(ascending=False)
    return rows[from_end >= 2], rows[from_end == 1], rows[from_end == 0]


def judge(model, rows, name=""):
    """HR@10 and NDCG@10 over the catalogue, or among 100 sampled items."""
    sampled = {"protocol": "sampled", "n_candidates": 100, "random_state": 0} if name == "SASRec-Games" else {}
    scores = make_ranking_scorer(METRICS, **sampled)(model, rows)
    return [scores[name] for name in METRICS]


def run(name, seed, data, work, *, every, longest, patience):
    """Train until the validation score has not grown for long; return its curve and the best epoch's test scores."""
    train, validation, test = data
    log = work / f"{name}-{seed}.json"
    state = {"epochs": 0, "seconds": 0.0, "curve": []}
    cls, parameters = MODELS[name]
    model = cls(**parameters, epochs=every, early_stopping=False, warm_start=True, random_state=seed)
    if log.exists():
        state = json.loads(log.read_text(encoding="utf-8"))
        if "test" not in state:
            model = skrec.load(work / f"{name}-{seed}-{state['epochs']}.skrec")
    while "test" not in state:
        best = max(state["curve"], key=lambda point: point[3], default=[0])[0]
        if state["epochs"] >= longest or state["epochs"] - best >= patience:
            model = skrec.load(work / f"{name}-{seed}-{best}.skrec")
            started = time.perf_counter()
            state |= {"best": best, "test": judge(model.append_history(validation), test, name)}
            state["rank_seconds"] = time.perf_counter() - started
        else:
            started = time.perf_counter()
            model.fit(train)
            state["epochs"] += every
            state["seconds"] += time.perf_counter() - started
            state["curve"].append([state["epochs"], state["seconds"], *judge(model, validation, name)])
            print(name, seed, "epoch {} {:.0f} s: validation {:.4f} {:.4f}".format(*state["curve"][-1]), flush=True)
            skrec.save(model, work / f"{name}-{seed}-{state['epochs']}.skrec")
        write(log, state)
    return state


def write(path, state):
    """Replace a file of results at once."""
    path.with_suffix(".part").write_text(json.dumps(state, indent=1), encoding="utf-8")
    path.with_suffix(".part").replace(path)


def main():
    """Run what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of MovieLens 1M")
    parser.add_argument(
        "--models", nargs="+", choices=PUBLISHED, default=[name for name in PUBLISHED if name != "SASRec-Games"]
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--every", type=int, default=5, help="epochs between two looks at the validation items")
    parser.add_argument("--longest", type=int, default=200, help="epochs at most")
    parser.add_argument("--patience", type=int, default=20, help="epochs without a better score before it ends")
    parser.add_argument("--work", default="next_item", help="folder that keeps the runs; existing ones are resumed")
    options = parser.parse_args()
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    data = load(options.data)
    print(f"{'model':<18}{'epoch':>6}{'HR@10':>8}{'NDCG@10':>9}{'seconds':>9}  published HR@10 / NDCG@10", flush=True)
    for name in options.models:
        if name == "PopularityRanker":
            scores = judge(PopularityRanker().fit(pd.concat(data[:2])), data[2])
            print(f"{name:<18}{'':>6}{scores[0]:>8.4f}{scores[1]:>9.4f}{'':>9}  {PUBLISHED[name]}", flush=True)
            continue
        for seed in range(options.seeds):
            state = run(name, seed, data, work, every=options.every, longest=options.longest, patience=options.patience)
            seconds = next(point[1] for point in state["curve"] if point[0] == state["best"])
            print(
                f"{name:<18}{state['best']:>6}{state['test'][0]:>8.4f}{state['test'][1]:>9.4f}{seconds:>9.0f}  "
                f"{PUBLISHED[name]}",
                flush=True,
            )


if __name__ == "__main__":
    main()
