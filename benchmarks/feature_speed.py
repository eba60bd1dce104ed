"""Training speed of a model of features: skrec's DCN-v2 against the same network through plain ``keras.Model.fit``.

python benchmarks/feature_speed.py                   all parts
python benchmarks/feature_speed.py --parts keras     one of them

The data are generated like Criteo's: 26 categorical fields whose values are drawn by Zipf's law (or uniformly) and 13
numbers, in batches of 4,096; every field has a vector of 16 numbers, the numbers too (``numeric_embedding="linear"``,
a number times a vector, which takes one line of Keras). ``keras``: rows a second with 10^5 values in each field, and
their ratio to plain Keras with 26 ``Embedding`` layers and Adam, for cross layers of full and of low rank; ``ids``:
rows a second with ten thousand and with ten million values in all.
Absolute figures depend on the machine; quote the ratios. Run it with nothing else running.
"""

import argparse

import numpy as np
import pandas as pd
from _timer import epoch_timer

from skrec.models import DCNClassifier

FIELDS, NUMBERS, DIM, BATCH = 26, 13, 16, 4096
CROSS_LAYERS, HIDDEN = 2, (128, 64)
COLUMNS = [f"C{i}" for i in range(1, FIELDS + 1)]


def table(n_rows, n_values, exponent=1.0, seed=0):
    """Rows of categories whose frequency falls with their rank to the power `exponent`, numbers and random labels."""
    rng = np.random.default_rng(seed)
    cumulative = np.cumsum(np.arange(1, n_values + 1) ** -exponent)
    columns = {}
    for name in COLUMNS:
        ranks = np.searchsorted(cumulative, rng.random(n_rows) * cumulative[-1])
        columns[name] = rng.permutation(n_values)[ranks]
    columns |= {f"I{i}": rng.standard_normal(n_rows, np.float32) for i in range(1, NUMBERS + 1)}
    return pd.DataFrame(columns), rng.integers(0, 2, n_rows)


def every_value(n_values):
    """As few rows as hold every value of every field once."""
    values = np.arange(n_values)
    columns = dict.fromkeys(COLUMNS, values)
    columns |= {f"I{i}": values.astype(np.float32) for i in range(1, NUMBERS + 1)}
    return pd.DataFrame(columns), values % 2


def skrec_rate(X, y, n_values, *, rank=None, epochs=4):
    """Return the rows a second of DCNClassifier: of the best epoch after the first, which traces."""
    timer, times = epoch_timer()
    model = DCNClassifier(
        categorical_features=COLUMNS,
        numeric_embedding="linear",
        embedding_dim=DIM,
        n_cross_layers=CROSS_LAYERS,
        rank=rank,
        hidden_units=HIDDEN,
        batch_size=BATCH,
        early_stopping=False,
        l2=0.0,
        id_dropout=0.0,
        epochs=1,
        warm_start=True,
        random_state=0,
    )
    model.fit(*every_value(n_values))  # every value joins the vocabulary
    model.set_params(epochs=epochs, callbacks=[timer])
    model.fit(X, y)
    return len(X) / min(times[1:])


def keras_rate(X, y, n_values, *, rank=None, epochs=3):
    """Return the rows a second of the same network as a Keras user would write it."""
    import keras
    from keras import layers

    codes, numbers = keras.Input((FIELDS,), dtype="int32"), keras.Input((NUMBERS,))
    vectors = [layers.Embedding(n_values, DIM)(codes[:, i]) for i in range(FIELDS)]
    numeric = layers.EinsumDense("nd,dk->ndk", output_shape=(NUMBERS, DIM), bias_axes="dk")(numbers)
    x0 = x = layers.Concatenate()([*vectors, layers.Flatten()(numeric)])
    width = x0.shape[1]
    for _ in range(CROSS_LAYERS):
        low = x if rank is None else layers.Dense(rank, use_bias=False)(x)
        x = x0 * layers.Dense(width)(low) + x
    deep = x0
    for units in HIDDEN:
        deep = layers.Dense(units, activation="relu")(deep)
    output = layers.Dense(1, activation="sigmoid")(layers.Concatenate()([x, deep]))
    model = keras.Model([codes, numbers], output)
    model.compile("adam", "binary_crossentropy")
    timer, times = epoch_timer()
    inputs = [X[COLUMNS].to_numpy(np.int32), X.drop(columns=COLUMNS).to_numpy(np.float32)]
    model.fit(inputs, y.astype(np.float32), batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[timer])
    return len(X) / min(times[1:])


def against_keras(n_values=100_000, rows=64 * BATCH, keras_rows=16 * BATCH):
    """Print the ratio to plain Keras, with full and low rank."""
    X, y = table(rows, n_values)
    for rank in (None, 64):
        ours = skrec_rate(X, y, n_values, rank=rank)
        plain = keras_rate(X[:keras_rows], y[:keras_rows], n_values, rank=rank)
        print(
            f"{FIELDS} fields of {n_values:,} values, rank {rank or 'full'}: skrec {ours:>9,.0f}/s, "
            f"plain Keras {plain:>9,.0f}/s, ratio {ours / plain:.1f}",
            flush=True,
        )


def many_values(rows=64 * BATCH):
    """Print the rows a second with ten thousand and with ten million values in all."""
    for name, exponent in [("Zipf", 1.0), ("uniform", 0.0)]:
        rates = []
        for total in (10_000, 10_000_000):
            n_values = total // FIELDS
            rates.append(skrec_rate(*table(rows, n_values, exponent), n_values, epochs=3))
        few, many = rates
        print(f"{name:>8}: 10^4 values {few:>9,.0f}/s, 10^7 values {many:>9,.0f}/s, ratio {many / few:.2f}", flush=True)


PARTS = {"keras": against_keras, "ids": many_values}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    for part in parser.parse_args().parts:
        PARTS[part]()
