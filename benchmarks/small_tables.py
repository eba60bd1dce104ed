"""Classifiers as they come on small tables: AUC and log loss beside logistic regression and boosted trees.

python benchmarks/small_tables.py --data DATA_FOLDER                                     everything, 5 seeds
python benchmarks/small_tables.py --data DATA_FOLDER --sets adult --rows 300 1000 --models DCN FM --seeds 1
python benchmarks/small_tables.py --data DATA_FOLDER --results small_tables.json         resumes a stopped run
python benchmarks/small_tables.py --data DATA_FOLDER --validate                          scores other rows

The folder holds the folders ``adult`` (``adult.data`` and ``adult.test``) and ``frappe``
(``frappe.validation.libfm`` and ``frappe.test.libfm``); breast-cancer comes with scikit-learn. Models are fitted on the
first rows of the training file and scored on the test file. Of breast-cancer, which has no test file, a random half is
held out, the same for all seeds. No parameter of a model is set, except the seed.

With ``--validate``, each seed draws its training rows at random from those after the first 10,000 of the training file,
and other such rows are scored: neither the reported training rows nor the reported test rows take part. All choices
about small tables were made on such draws.

The rule holds for a model if it is worse than logistic regression (one-hot categories, standardized numbers) by at most
0.01 in AUC and 0.02 in log loss, on average over the seeds.
"""

import argparse
import gzip
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from adult import boosting, read
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from skrec import models

REFERENCE = "LogisticRegression"
NETWORKS = ["DCN", "DNN", "DeepFM", "WideDeep", "FM", "NFM", "AutoInt"]
NAMES = [REFERENCE, "HistGradientBoosting", *NETWORKS]
ROWS = {"adult": ["300", "1000", "3000", "9000", "all"], "frappe": ["1000"], "breast-cancer": ["all"]}
WORSE = {"AUC": 0.01, "log loss": 0.02}
RESERVED = 10_000  # rows of a training file that --validate leaves alone
N_SCORED = 10_000  # rows that --validate scores


def logistic_regression():
    """One-hot categories and standardized numbers."""
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
        (StandardScaler(), make_column_selector(dtype_include="number")),
    )
    return make_pipeline(columns, LogisticRegression(max_iter=2000))


def boosting_of(X, seed):
    """HistGradientBoostingClassifier with its defaults; of categories with many values, the most frequent ones."""
    if len(X.columns) == 14:
        return boosting(seed)
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=254, encoded_missing_value=np.nan
    )
    strings = X.select_dtypes(exclude="number").columns
    columns = make_column_transformer((encoder, list(strings)), remainder="passthrough")
    trees = HistGradientBoostingClassifier(categorical_features=list(range(len(strings))), random_state=seed)
    return make_pipeline(columns, trees)


def make(name, X, seed):
    """Make a model with its defaults."""
    if name == REFERENCE:
        return logistic_regression()
    if name == "HistGradientBoosting":
        return boosting_of(X, seed)
    return getattr(models, f"{name}Classifier")(random_state=seed)


def read_libfm(folder, name):
    """Read one of the files of Frappe: ten categories a row."""
    path = Path(folder) / f"{name}.libfm.gz"
    with gzip.open(path, "rt") if path.exists() else path.with_suffix("").open() as lines:
        parts = [line.split() for line in lines]
    columns = [f"field_{i}" for i in range(10)]
    X = pd.DataFrame([[value.partition(":")[0] for value in part[1:]] for part in parts], columns=columns)
    return X, np.array([float(part[0]) > 0 for part in parts])


def load(folder, name):
    """Return the rows and labels to train on, and those to score."""
    if name == "adult":
        parts = [read(Path(folder) / name, f"adult.{part}") for part in ("data", "test")]
        return [(X, (y == ">50K").to_numpy()) for X, y in parts]
    if name == "frappe":
        return [read_libfm(Path(folder) / name, f"frappe.{part}") for part in ("validation", "test")]
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y == 1, test_size=0.5, stratify=y, random_state=0)
    return [(X_train, y_train.to_numpy()), (X_test, y_test.to_numpy())]


def draw(data, rows, seed, *, validate):
    """Return the training rows and the scored rows of a seed."""
    (X, y), scored = data
    n = len(X) if rows == "all" else int(rows)
    if not validate:
        return (X[:n], y[:n]), scored
    random = np.random.default_rng([seed, 1])
    first = RESERVED if len(X) > 2 * RESERVED else 0
    order = first + random.permutation(len(X) - first)
    n = min(n, len(order) * 3 // 4)
    train, score = order[:n], order[n : n + N_SCORED]
    return (X.iloc[train], y[train]), (X.iloc[score], y[score])


def run(name, seed, train, scored):
    """Fit and score one model."""
    model = make(name, train[0], seed)
    started = time.perf_counter()
    model.fit(*train)
    seconds = time.perf_counter() - started
    chances = model.predict_proba(scored[0])[:, 1]
    return {
        "AUC": roc_auc_score(scored[1], chances),
        "log loss": log_loss(scored[1], chances),
        "seconds": seconds,
        "epochs": getattr(model, "n_iter_", 0),
    }


def save(path, results):
    """Write the results so that a stopped run resumes where it stopped."""
    path.with_suffix(".part").write_text(json.dumps(results, indent=1), encoding="utf-8")
    path.with_suffix(".part").replace(path)


def show(results, cases, names):
    """Print one table for each set and number of rows."""
    for case in cases:
        found = {name: [results[key] for key in results if key.startswith(f"{case} {name} ")] for name in names}
        tables = {name: pd.DataFrame(runs) for name, runs in found.items() if runs}
        if REFERENCE not in tables:
            continue
        print(f"\n{case}\n\n| model | AUC | log loss | fit, s | epochs | seeds | rule |\n|---|---|---|---|---|---|---|")
        for name, table in tables.items():
            mean = table.mean()
            behind = tables[REFERENCE].mean() - mean
            holds = behind["AUC"] <= WORSE["AUC"] and -behind["log loss"] <= WORSE["log loss"]
            cells = [f"{mean['AUC']:.4f}", f"{mean['log loss']:.4f}", f"{mean['seconds']:.1f}", f"{mean['epochs']:.1f}"]
            rule = ("holds" if holds else "broken") if name in NETWORKS else ""
            print(f"| {name} | {' | '.join(cells)} | {len(table)} | {rule} |", flush=True)


def main():
    """Run what is asked for, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of the sets")
    parser.add_argument("--sets", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--rows", nargs="+", choices=ROWS["adult"], default=ROWS["adult"], help="rows of adult")
    parser.add_argument("--models", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--validate", action="store_true", help="score rows that are not the test rows")
    parser.add_argument("--results", help="file of the results; an existing one is resumed")
    options = parser.parse_args()
    path = Path(options.results or f"small_tables{'_validate' if options.validate else ''}.json")
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if results.setdefault("validate", options.validate) != options.validate:
        parser.error(f"{path} holds results of other rows; name another file with --results.")
    data = {name: load(options.data, name) for name in options.sets}
    chosen = {name: options.rows if name == "adult" else ROWS[name] for name in options.sets}
    names = list(dict.fromkeys([REFERENCE, *options.models]))
    for seed in range(options.seeds):
        for case, name in [(f"{name} {rows}", name) for name, every in chosen.items() for rows in every]:
            train, scored = draw(data[name], case.split()[1], seed, validate=options.validate)
            for model in names:
                key = f"{case} {model} {seed}"
                if key not in results:
                    results[key] = run(model, seed, train, scored)
                    print(key, {column: round(value, 4) for column, value in results[key].items()}, flush=True)
                    save(path, results)
    show(results, [f"{name} {rows}" for name, every in chosen.items() for rows in every], names)


if __name__ == "__main__":
    main()
