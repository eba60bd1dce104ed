"""AutoencoderFeatures against TruncatedSVD and PCA of the same width, before a logistic regression, on Adult.

python benchmarks/autoencoder_features.py --data ADULT_FOLDER             3 seeds
python benchmarks/autoencoder_features.py --data ADULT_FOLDER --validate  judges on a fifth of the training file instead

The folder holds ``adult.data`` and ``adult.test``, see ``benchmarks/adult.py``. The columns are compressed to 16
numbers without labels, in two forms: ``sparse`` is a sparse matrix of one-hot categories, numbers in 20 bins and the
crosses of TensorFlow's tutorial of Wide & Deep (some 3,000 columns); ``table`` is the 14 columns as they are, which PCA
needs as one-hot categories and standardized numbers. The codes, standardized, are the input of a logistic regression on
the labels of all training rows, or of 500; so are all columns, those of ``sparse`` as they are. Judged by AUC on the
test file. Settings were chosen with ``--validate``, which never opens the test file.
"""

import argparse
import time

import numpy as np
from adult import CROSSES, NUMBERS, STRINGS, load
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler

from skrec.preprocessing import AutoencoderFeatures, FeatureCrosses

WIDTH = 16
FEW = 500


def sparse_columns():
    """Return a transformer to a sparse matrix."""
    return make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), STRINGS),
        (KBinsDiscretizer(20, quantile_method="averaged_inverted_cdf"), NUMBERS),
        (FeatureCrosses(crosses=CROSSES, sparse_output=True), STRINGS),
        sparse_threshold=1.0,
    )


def dense_columns():
    """Return a transformer to a dense array."""
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer((one_hot, STRINGS), (StandardScaler(), NUMBERS))


def encoders(seed):
    """Return what compresses the columns, by name."""
    coder = AutoencoderFeatures(n_components=WIDTH, random_state=seed)
    return {
        "sparse, AutoencoderFeatures": make_pipeline(sparse_columns(), coder),
        "sparse, TruncatedSVD": make_pipeline(sparse_columns(), TruncatedSVD(WIDTH, random_state=seed)),
        "sparse, all columns": sparse_columns(),
        "table, AutoencoderFeatures": clone(coder),
        "table, PCA": make_pipeline(dense_columns(), PCA(WIDTH, random_state=seed)),
        "table, all columns": dense_columns(),
    }


def judge(encoder, data, seed):
    """Return the AUC with all labels and with few of them, and the seconds that the encoder took."""
    X_train, y_train, X_test, y_test = data
    started = time.perf_counter()
    codes = encoder.fit_transform(X_train)
    seconds = time.perf_counter() - started
    new = encoder.transform(X_test)
    few = np.random.default_rng(seed).permutation(len(y_train))[:FEW]
    found = []
    for rows in (np.arange(len(y_train)), few):
        scaler = StandardScaler() if isinstance(codes, np.ndarray) else "passthrough"
        model = make_pipeline(scaler, LogisticRegression(max_iter=5000)).fit(codes[rows], y_train.iloc[rows])
        found.append(roc_auc_score(y_test, model.predict_proba(new)[:, 1]))
    return [*found, seconds]


def main():
    """Run what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of the two files")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--validate", action="store_true", help="judge on a fifth of the training file")
    options = parser.parse_args()
    data = load(options.data, validate=options.validate)
    print(f"{'columns and encoder':<30}{'AUC, all labels':>18}{f'AUC, {FEW} labels':>18}{'seconds':>9}")
    for name in encoders(0):
        values = np.array([judge(encoders(seed)[name], data, seed) for seed in range(options.seeds)])
        mean, spread = values.mean(axis=0), values.std(axis=0)
        cells = [f"{m:.4f} ± {s:.4f}" for m, s in zip(mean[:2], spread[:2], strict=True)]
        print(f"{name:<30}{cells[0]:>18}{cells[1]:>18}{mean[2]:>9.1f}", flush=True)


if __name__ == "__main__":
    main()
