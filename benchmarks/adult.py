"""Adult (census income): AUC and log loss of the models of features, beside trees and logistic regression.

python benchmarks/adult.py --data ADULT_FOLDER                         all models, 3 seeds
python benchmarks/adult.py --data ADULT_FOLDER --models DCN DNN        some of them
python benchmarks/adult.py --data ADULT_FOLDER --results results.json  resumes a stopped run
python benchmarks/adult.py --data ADULT_FOLDER --validate              judges on a fifth of the training file instead

The folder holds ``adult.data`` and ``adult.test``, the official files, gzipped or not (Becker & Kohavi, 1996,
doi:10.24432/C5XW20). ``X`` is the 14 columns as they are, "?" a category like others; ``y`` is the label. Models train
on the training file, of which they hold a tenth out to stop early, and are judged on the test file. All settings were
chosen with ``--validate``, which never opens the test file.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, OrdinalEncoder

from skrec import models

COLUMNS = [
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education-num",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital-gain",
    "capital-loss",
    "hours-per-week",
    "native-country",
    "income",
]
# The first three are those of TensorFlow's tutorial of Wide & Deep.
CROSSES = [
    ("education", "occupation"),
    ("education", "occupation", "race"),
    ("native-country", "occupation"),
    ("marital-status", "occupation"),
    ("relationship", "sex"),
]
NUMBERS, STRINGS = make_column_selector(dtype_include="number"), make_column_selector(dtype_exclude="number")


def logistic_regression(random_state):
    """One-hot logistic regression, numbers in bins."""
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), STRINGS),
        (KBinsDiscretizer(20, quantile_method="averaged_inverted_cdf"), NUMBERS),
    )
    return make_pipeline(columns, LogisticRegression(max_iter=2000, random_state=random_state))


def boosting(random_state):
    """HistGradientBoostingClassifier with its defaults."""
    columns = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), STRINGS),
        remainder="passthrough",
    )
    trees = HistGradientBoostingClassifier(categorical_features=list(range(8)), random_state=random_state)
    return make_pipeline(columns, trees)


def deep(name, **parameters):
    """Return what makes a model of skrec of a seed."""
    return lambda random_state: getattr(models, f"{name}Classifier")(**parameters, random_state=random_state)


# Of each model: how it is made of a seed, and what others have reached with the like on the same files.
MODELS = {
    "LogisticRegression": (logistic_regression, ".9067 / .3179 (measured)"),
    "HistGradientBoosting": (boosting, ".9272 / .2771 (measured); LightGBM .9279 / .2759"),
    "DCN": (deep("DCN"), "deepctr-torch .9106 / .3091"),
    "DNN": (deep("DNN"), ""),
    "DeepFM": (deep("DeepFM"), "deepctr-torch .9124 / .3059"),
    "AutoInt": (deep("AutoInt"), "deepctr-torch .9101 / .3114"),
    "FM": (deep("FM"), ""),
    "NFM": (deep("NFM"), ""),
    "WideDeep": (
        deep("WideDeep", crosses=CROSSES, wide_features=[], wide_learning_rate=0.1, wide_l1=0.0003),
        "deepctr-torch .9108 / .3100",
    ),
    "wide only": (deep("WideDeep", crosses=CROSSES, hidden_units=()), ""),
    "deep only": (deep("WideDeep", wide_features=[]), ""),
}


def read(folder, name):
    """Read one of the two files, gzipped or not; the first line of the test file is not data."""
    path = Path(folder) / name
    path = path if path.exists() else path.with_name(path.name + ".gz")
    skipped = 1 if name.endswith("test") else 0
    frame = pd.read_csv(path, names=COLUMNS, skipinitialspace=True, skiprows=skipped)
    return frame.drop(columns="income"), frame["income"].str.rstrip(".")


def load(folder, *, validate):
    """Return the rows to train on, their labels, the rows to judge on and theirs."""
    X, y = read(folder, "adult.data")
    if not validate:
        return X, y, *read(folder, "adult.test")
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=0)
    return X_train, y_train, X_test, y_test


def run(name, data, seeds, results):
    """Train and judge each seed; keep what is done."""
    X_train, y_train, X_test, y_test = data
    done = results["models"].setdefault(name, {})
    for seed in map(str, range(seeds)):
        if seed in done:
            continue
        model = MODELS[name][0](int(seed))
        started = time.perf_counter()
        model.fit(X_train, y_train)
        seconds = time.perf_counter() - started
        chances = model.predict_proba(X_test)[:, 1]
        accuracy = np.mean((chances > 0.5) == (y_test == ">50K"))
        done[seed] = [
            roc_auc_score(y_test, chances),
            log_loss(y_test == ">50K", chances),
            float(accuracy),
            seconds,
            getattr(model, "n_iter_", 0),
        ]
        save(results)


def save(results):
    """Write the results so that a stopped run resumes where it stopped."""
    path = Path(results["path"])
    path.with_suffix(".part").write_text(json.dumps(results, indent=1), encoding="utf-8")
    path.with_suffix(".part").replace(path)


def show(results, names):
    """Print the table."""
    print(f"\n{'model':<22}{'AUC':>16}{'log loss':>16}{'accuracy':>10}{'seconds':>9}{'epochs':>8}  elsewhere")
    for name in names:
        if not results["models"].get(name):
            continue
        values = np.array(list(results["models"][name].values()))
        mean, spread = values.mean(axis=0), values.std(axis=0)
        cells = [f"{m:.4f} ± {s:.4f}" for m, s in zip(mean[:2], spread[:2], strict=True)]
        print(
            f"{name:<22}{cells[0]:>16}{cells[1]:>16}{mean[2]:>10.4f}{mean[3]:>9.1f}{mean[4]:>8.1f}  {MODELS[name][1]}",
            flush=True,
        )


def main():
    """Run what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of the two files")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--results", help="file that keeps the results; an existing one is resumed (adult.json, adult_validate.json)"
    )
    parser.add_argument("--validate", action="store_true", help="judge on a fifth of the training file")
    options = parser.parse_args()
    path = Path(options.results or ("adult_validate.json" if options.validate else "adult.json"))
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"models": {}}
    if results.setdefault("validate", options.validate) != options.validate:
        parser.error(f"{path} holds results of the other rows; name another file with --results.")
    results["path"] = str(path)
    data = load(options.data, validate=options.validate)
    for name in options.models:
        run(name, data, options.seeds, results)
        show(results, [name])
    show(results, options.models)


if __name__ == "__main__":
    main()
