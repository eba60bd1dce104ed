"""Training speed: the NeuMF of skrec against the same network through plain ``keras.Model.fit``, in one run.

python benchmarks/training_speed.py              all parts
python benchmarks/training_speed.py --parts keras ids

Parts: ``keras``: samples a second at two sizes, and their ratio to plain Keras, which is given arrays, and single rows
of a shuffled ``tf.data.Dataset``; ``ids``: samples a second with ten
thousand and with ten million ids; ``refit``: what a second fit of the same structure costs beside its training.
Absolute figures depend on the machine; quote the ratios. Run it with nothing else running.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
from _timer import epoch_timer

from skrec.models import NCFClassifier

NETWORK = {"embedding_dim": 32, "mlp_embedding_dim": 32, "hidden_units": (64, 32, 16)}
BATCH = 1024


def uniform(n_users, n_items, n_rows, seed=0):
    """Rows of ids drawn uniformly, with random labels."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"user_id": rng.integers(0, n_users, n_rows), "item_id": rng.integers(0, n_items, n_rows)})
    return X, rng.integers(0, 2, n_rows)


def every_id(n_users, n_items):
    """As few rows as hold every id once."""
    ids = np.arange(max(n_users, n_items))
    return pd.DataFrame({"user_id": ids % n_users, "item_id": ids % n_items}), ids % 2


def zipf(n_users, n_items, n_rows, exponent=1.0, seed=0):
    """Rows of ids whose frequency falls with their rank to the power `exponent`; ranks in random order."""
    rng = np.random.default_rng(seed)

    def draw(n_ids):
        cumulative = np.cumsum(np.arange(1, n_ids + 1) ** -exponent)
        ranks = np.searchsorted(cumulative, rng.random(n_rows) * cumulative[-1])
        return rng.permutation(n_ids)[ranks]

    return pd.DataFrame({"user_id": draw(n_users), "item_id": draw(n_items)}), rng.integers(0, 2, n_rows)


def skrec_rate(X, y, epochs=4, known=None):
    """Return the samples a second of NCFClassifier: of the best epoch after the first, which traces."""
    timer, times = epoch_timer()
    settings = {
        "batch_size": BATCH,
        "early_stopping": False,
        "l2": 0.0,
        "id_dropout": 0.0,
        "random_state": 0,
        **NETWORK,
    }
    model = NCFClassifier(epochs=1, warm_start=known is not None, **settings)
    if known is not None:
        model.fit(*known)  # every id joins the vocabulary
    model.set_params(epochs=epochs, callbacks=[timer])
    model.fit(X, y)
    return len(X) / min(times[1:])


def keras_rate(X, y, n_users, n_items, *, rows=False, epochs=3):
    """Return the samples a second of the same network as a Keras user would write it, fed with arrays or with rows."""
    import keras
    from keras import layers

    user, item = keras.Input((), dtype="int32"), keras.Input((), dtype="int32")
    gmf = layers.Embedding(n_users, 32)(user) * layers.Embedding(n_items, 32)(item)
    mlp = layers.Concatenate()([layers.Embedding(n_users, 32)(user), layers.Embedding(n_items, 32)(item)])
    for units in NETWORK["hidden_units"]:
        mlp = layers.Dense(units, activation="relu")(mlp)
    output = layers.Dense(1, activation="sigmoid")(layers.Concatenate()([gmf, mlp]))
    model = keras.Model([user, item], output)
    model.compile("adam", "binary_crossentropy")
    timer, times = epoch_timer()
    columns, labels = (X["user_id"].to_numpy(np.int32), X["item_id"].to_numpy(np.int32)), y.astype(np.float32)
    if rows:
        import tensorflow as tf

        dataset = tf.data.Dataset.from_tensor_slices((columns, labels)).shuffle(100_000).batch(BATCH)
        model.fit(dataset.prefetch(tf.data.AUTOTUNE), epochs=epochs, verbose=0, callbacks=[timer])
    else:
        model.fit(columns, labels, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[timer])
    return len(X) / min(times[1:])


def against_keras():
    """Print the ratios to plain Keras at two sizes."""
    for n_users, n_items, rows, keras_rows in [(6040, 3706, 1_000_000, 500_000), (500_000, 200_000, 1_000_000, 60_000)]:
        ours = skrec_rate(*uniform(n_users, n_items, rows), known=every_id(n_users, n_items))
        print(f"{n_users:>9,} users x {n_items:>7,} items: skrec {ours:>9,.0f}/s", flush=True)
        for single in (False, True):
            epochs = 2 if n_users > 10**5 else 3
            plain = keras_rate(*uniform(n_users, n_items, keras_rows), n_users, n_items, rows=single, epochs=epochs)
            fed = "a dataset of rows" if single else "arrays"
            print(f"{'':>12} plain Keras on {fed:<17} {plain:>9,.0f}/s, ratio {ours / plain:.1f}", flush=True)


def rate_of(draw, n_ids, rows):
    """Return the samples a second with so many ids."""
    half = n_ids // 2
    return skrec_rate(*draw(half, half, rows), known=every_id(half, half), epochs=3)


def many_ids(rows=2_000_000):
    """Print the samples a second with ten thousand and with ten million ids, each in a process of its own."""
    for name, draw in [("Zipf", zipf), ("uniform", uniform)]:
        rates = []
        for n_ids in (10_000, 10_000_000):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:  # TensorFlow keeps what it once had
                rates.append(pool.submit(rate_of, draw, n_ids, rows).result())
        few, many = rates
        print(
            f"{name:>8}: 10 thousand ids {few:>9,.0f}/s, 10 million {many:>9,.0f}/s, ratio {many / few:.2f}", flush=True
        )


def second_fit():
    """Print what a second fit of the same structure costs beside its training."""
    X, y = uniform(200, 100, 1000)
    for fit in ("first", "second", "third"):
        timer, times = epoch_timer()
        model = NCFClassifier(random_state=0, callbacks=[timer], **NETWORK)
        started = time.perf_counter()
        model.fit(X, y)
        wall = time.perf_counter() - started
        print(f"{fit:>8} fit of 1,000 rows: {wall:.3f} s, of which training {sum(times):.3f} s, beside it "
              f"{wall - sum(times):.3f} s", flush=True)  # fmt: skip


PARTS = {"keras": against_keras, "refit": second_fit, "ids": many_ids}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    for part in parser.parse_args().parts:
        PARTS[part]()
