"""Click prediction on Frappe (contexts of app use): deep models against logistic regression; AUC and log loss.

python benchmarks/ctr_frappe.py --data FRAPPE_FOLDER
python benchmarks/ctr_frappe.py --data FRAPPE_FOLDER --models DCN LogisticRegression
python benchmarks/ctr_frappe.py --criteo CRITEO_FOLDER           a smoke run on 8,000 rows of Criteo, no figure

The folder of Frappe holds ``frappe.validation.libfm`` and ``frappe.test.libfm`` (X. He and T.-S. Chua, SIGIR 2017),
that of Criteo ``criteo_8k_train.tsv`` and ``criteo_8k_test.tsv``; each may be gzipped. The published training file of
Frappe is not used: models train on the validation file (57,722 rows) and are judged on the test file, so that their
figures stand beside each other alone, not beside published ones. Settings and the number of epochs are chosen by the
AUC on a tenth of the validation file, drawn at random; the choice is then trained on all of it.

AUC and log loss want different models here: a (user, app) pair of the training rows has the same label in every other
row, so that memorizing pairs, long after the log loss is at its best, raises the AUC.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from _ctr import grid, judge, read_results, run, save, show
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skrec.models import AutoIntClassifier, DCNClassifier, DeepFMClassifier, DNNClassifier, WideDeepClassifier

FIELDS = ["user", "item", "daytime", "weekday", "isweekend", "homework", "cost", "weather", "country", "city"]
COMMON = {
    "categorical_features": FIELDS,
    "embedding_dim": 64,
    "hidden_units": (256, 128),
    "batch_size": 512,
    "learning_rate": 0.003,
    "l2": 0.00001,
    "dropout": 0.5,
    "id_dropout": 0.0,
    "early_stopping": False,
}
MODELS = {
    "WideDeep": (WideDeepClassifier, {"crosses": [("user", "item")], "wide_learning_rate": 3.0}),
    "DNN": (DNNClassifier, {}),
    "DeepFM": (DeepFMClassifier, {}),
    "DCN": (DCNClassifier, {}),
    "AutoInt+": (AutoIntClassifier, {}),
}
PUBLISHED = {
    "LogisticRegression": "LR .9356 with the whole training file",
    "WideDeep": ".9831 so",
    "DNN": "(not published)",
    "DeepFM": "(not published)",
    "DCN": ".9834 (v1), .9838 (v2) so",
    "AutoInt+": "(not published)",
}
CANDIDATES = grid(epochs=[8, 16, 32])
HALF_THE_GAP = (0.983 - 0.9356) / 2


def existing(folder, name):
    """Return the path of a file of the data set, gzipped or not."""
    path = Path(folder) / name
    return path if path.exists() else path.with_name(path.name + ".gz")


def read_libfm(folder, name):
    """Return (X, y): the index of each of the ten features, and whether the app was used."""
    rows = pd.read_csv(existing(folder, name), sep=" ", header=None, names=["y", *FIELDS])
    X = rows[FIELDS].apply(lambda column: column.str.removesuffix(":1").astype(int))
    return X, (rows["y"] > 0).astype(int).to_numpy()


def load(folder):
    """Return the parts of the data, each as (X, y)."""
    X, y = read_libfm(folder, "frappe.validation.libfm")
    training, validation = train_test_split(np.arange(len(X)), test_size=0.1, random_state=0)
    data = {"all": (X, y), "test": read_libfm(folder, "frappe.test.libfm")}
    for name, part in (("train", training), ("validation", validation)):
        data[name] = X.iloc[part].reset_index(drop=True), y[part]
    for name, (X, y) in data.items():
        print(f"{name}: {len(X):,} rows, {y.mean():.4f} of them positive", flush=True)
    return data


def linear(random_state=0, C=1.0):
    """Return scikit-learn's logistic regression of the same fields."""
    return make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(C=C, max_iter=1000))


def fit(model, part, data):
    """Train a model."""
    return model.fit(*data[part])


def frappe(options):
    """Judge the models, and tell by how much each is above logistic regression."""
    results, parts = read_results(options.results), load(options.data)

    def data(seed):
        return parts

    for name in options.models:
        if name == "LogisticRegression":
            candidates = grid(C=[0.3, 1.0, 3.0, 10.0])
            run(name, linear, candidates, data, seeds=1, results=results, fit=fit, by="auc")
            continue
        model, settings = MODELS[name]

        def make(model=model, fixed=settings, **chosen):
            return model(**COMMON, **fixed, **chosen)

        run(name, make, CANDIDATES, data, seeds=options.seeds, results=results, fit=fit, by="auc")
    save(results)
    show(results, {name: PUBLISHED[name] for name in options.models})
    auc = {name: np.mean([seed[0] for seed in results[name]["test"]]) for name in options.models}
    for name in auc.keys() & MODELS if "LogisticRegression" in auc else ():
        gain = auc[name] - auc["LogisticRegression"]
        print(f"{name:<22} above logistic regression by {gain:.4f} ({HALF_THE_GAP:.4f} is half the published gap)")


def criteo(folder):
    """Train DCN on raw columns, gaps and all: that it runs is what this shows."""
    columns = ["label", *(f"I{i}" for i in range(1, 14)), *(f"C{i}" for i in range(1, 27))]
    train, test = (
        pd.read_csv(existing(folder, f"criteo_8k_{part}.tsv"), sep="\t", header=None, names=columns)
        for part in ("train", "test")
    )
    model = DCNClassifier(random_state=0).fit(train.drop(columns="label"), train["label"])
    auc, loss = judge(model, test.drop(columns="label"), test["label"])
    gaps = train.drop(columns="label").isna().to_numpy().mean()
    print(
        f"Criteo, {len(train):,} rows ({gaps:.0%} of the cells empty): DCNClassifier() trained {model.n_iter_} epochs; "
        f"AUC {auc:.4f}, log loss {loss:.4f} on {len(test)} rows (a smoke test: the figures mean nothing)",
        flush=True,
    )


def main():
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of Frappe")
    parser.add_argument("--criteo", help="folder of the Criteo sample")
    parser.add_argument("--models", nargs="+", choices=PUBLISHED, default=list(PUBLISHED))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--results", default="ctr_frappe.json", help="file that keeps the results; an existing one is resumed"
    )
    options = parser.parse_args()
    if options.criteo:
        criteo(options.criteo)
    if options.data:
        frappe(options)


if __name__ == "__main__":
    main()
