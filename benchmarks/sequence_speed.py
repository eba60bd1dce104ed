"""Speed of SASRec, training and ranking: skrec's against RecTools's, in one run.

python benchmarks/sequence_speed.py --data ML_1M_FOLDER --rectools-python PATH
python benchmarks/sequence_speed.py --data ML_1M_FOLDER --rectools-python PATH --users 600 --epochs 2    a trial

PATH is the Python of an environment with ``rectools[torch]``; the folder is that of ``next_item.py``, and so are the
training rows. The libraries run one after the other, each in a process of its own, with one network: 64 wide, 2 blocks,
1 head, windows of 200 events, dropout .2, softmax over the whole catalogue, Adam with a learning rate of .001. RecTools
takes 128 padded sequences a batch, skrec 64 packed rows: 13,700 and 12,800 real target events. The rest is each
library's default.

Training: real target events a second, padding left out, in the best epoch after the first. Each library counts its own:
skrec learns to predict all events of a user, RecTools the last 200 and never the first. Ranking: seconds of the second
``recommend`` of 10 items for every user without the seen ones. Last: how much of the machine's rate of large matrix
products, measured in the same process, skrec's training reaches.
Absolute figures depend on the machine; quote the ratios. Run it with nothing else running.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

DIM, BLOCKS, HEADS, LENGTH, DROPOUT, LEARNING_RATE = 64, 2, 1, 200, 0.2, 0.001
PACKED_ROWS, SEQUENCES = 64, 128  # of a batch: skrec's, RecTools's
K = 10


def flops_per_place(n_items):
    """Floating-point operations of the matrix products for one place of a row, forward and backward.

    A product of a vector with a matrix of a x b takes 2 a b. Forward, with vectors of d, rows of L places and N items:

    * projections to query, key and value, in each block: 3 x 2 d^2;
    * attention, in each block: 2 L d for the logits and 2 L d for the sum of the values (all L places are computed,
      those that are masked too);
    * the two layers of the feed-forward part, in each block: 2 x 2 d^2;
    * softmax over the catalogue: 2 N d.

    Backward takes twice as much: the gradient of either factor is a product of the same size.
    """
    block = 3 * 2 * DIM**2 + 2 * 2 * LENGTH * DIM + 2 * 2 * DIM**2
    return 3 * (BLOCKS * block + 2 * n_items * DIM)


def clock(callback, begin, end):
    """Return a callback that notes when training begins and when each epoch ends, and its list of times."""
    times = []

    def note(self, *args, **kwargs):
        times.append(time.perf_counter())

    return type("Clock", (callback,), {begin: note, end: note})(), times


def best_epoch(times):
    """Seconds of the best epoch after the first, if there are others."""
    seconds = np.diff(times)
    return float(min(seconds[1:], default=seconds[0]))


def second_call(function):
    """Seconds of the second of two calls, and what it returned."""
    function()
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result


def matrix_rate(size=4096, repeats=5):
    """Operations a second of a product of large float32 matrices in TensorFlow: the best of several."""
    import tensorflow as tf

    seconds = []
    matrix = tf.random.stateless_normal([size, size], [0, 0])
    for _ in range(1 + repeats):
        started = time.perf_counter()
        float(tf.matmul(matrix, matrix)[0, 0])  # where products are only queued, the number is waited for
        seconds.append(time.perf_counter() - started)
    return 2 * size**3 / min(seconds[1:])


def skrec_part(events, epochs):
    """Measure skrec's SASRecRanker."""
    import keras
    import tensorflow as tf

    import skrec
    from skrec.models import SASRecRanker

    rows = pd.DataFrame(events, columns=["user_id", "item_id", "timestamp"])
    timer, times = clock(keras.callbacks.Callback, "on_train_begin", "on_epoch_end")
    model = SASRecRanker(
        embedding_dim=DIM,
        n_blocks=BLOCKS,
        n_heads=HEADS,
        max_history=LENGTH,
        dropout=DROPOUT,
        id_dropout=0.0,
        l2=0.0,
        loss="softmax",
        n_negatives="all",
        learning_rate=LEARNING_RATE,
        batch_size=PACKED_ROWS,
        epochs=epochs,
        early_stopping=False,
        callbacks=[timer],
        random_state=0,
    ).fit(rows)
    ranking, frame = second_call(lambda: model.recommend(model.users_, k=K))
    return {
        "versions": f"skrec {skrec.__version__}, TensorFlow {tf.__version__}",
        "events": len(rows),
        "places": timer.params["steps"] * PACKED_ROWS * LENGTH,
        "seconds": best_epoch(times),
        "ranking": ranking,
        "ranked": len(frame),
        "items": len(model.items_),
        "matrix_rate": matrix_rate(),
    }


def rectools_part(events, epochs):
    """Measure RecTools's SASRecModel; runs in the other environment."""
    import pytorch_lightning
    import rectools
    import torch
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import SASRecModel

    user, item, order = events.T
    dataset = Dataset.construct(
        pd.DataFrame(
            {
                Columns.User: user,
                Columns.Item: item,
                Columns.Weight: 1.0,
                Columns.Datetime: pd.to_datetime(order, unit="s"),
            }
        )
    )
    timer, times = clock(pytorch_lightning.Callback, "on_train_start", "on_train_epoch_end")

    def trainer():
        """Make SASRecModel's default trainer, with the clock as a callback."""
        return pytorch_lightning.Trainer(
            max_epochs=epochs,
            min_epochs=epochs,
            enable_progress_bar=False,
            enable_model_summary=False,
            logger=False,
            enable_checkpointing=False,
            devices=1,
            callbacks=[timer],
        )

    model = SASRecModel(
        n_factors=DIM,
        n_blocks=BLOCKS,
        n_heads=HEADS,
        session_max_len=LENGTH,
        dropout_rate=DROPOUT,
        loss="softmax",
        lr=LEARNING_RATE,
        batch_size=SEQUENCES,
        epochs=epochs,
        get_trainer_func=trainer,
    )
    model.fit(dataset)
    kept = model.data_preparator.train_dataset
    n_sequences = kept.user_id_map.size
    users = np.unique(user)
    ranking, frame = second_call(lambda: model.recommend(users=users, dataset=dataset, k=K, filter_viewed=True))
    return {
        "versions": f"RecTools {rectools.VERSION}, PyTorch {torch.__version__}",
        "events": len(kept.interactions.df) - n_sequences,
        "places": n_sequences * LENGTH,
        "seconds": best_epoch(times),
        "ranking": ranking,
        "ranked": len(frame),
    }


PARTS = {"skrec": skrec_part, "RecTools": rectools_part}


def measure(name, python, folder, epochs):
    """Run one part with an interpreter of its own, and print its figures."""
    command = [python, __file__, "--part", name, "--data", str(folder), "--epochs", str(epochs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"The part of {name} failed ({python}):\n{done.stderr}")
    result = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    events, seconds = result["events"], result["seconds"]
    print(
        f"{result['versions']}: {events:,} target events in {seconds:.1f} s: {events / seconds:,.0f}/s "
        f"({1 - events / result['places']:.0%} of the places computed are padding); "
        f"ranking {result['ranking']:.2f} s ({result['ranked']:,} rows)",
        flush=True,
    )
    return result


def report(ours, theirs):
    """Print the ratios, and skrec's distance from the ceiling."""
    rate, other = (part["events"] / part["seconds"] for part in (ours, theirs))
    print(
        f"skrec over RecTools: training {rate / other:.1f} times the real events a second "
        f"({theirs['seconds'] / ours['seconds']:.1f} times the epochs), "
        f"ranking {theirs['ranking'] / ours['ranking']:.1f} times as fast"
    )
    flops, ceiling = flops_per_place(ours["items"]), ours["matrix_rate"]
    computed = flops * ours["places"] / ours["seconds"]
    print(
        f"skrec's training computes {computed / 1e9:.0f} GFLOP/s ({flops / 1e6:.2f} MFLOP a place), "
        f"{flops * rate / 1e9:.0f} of them for real events; large matrix products run at {ceiling / 1e9:.0f} GFLOP/s: "
        f"{computed / ceiling:.0%} of the ceiling, {flops * rate / ceiling:.0%} by real events"
    )


def main():
    """Measure both libraries, or the one that this process is for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help="folder of MovieLens 1M")
    parser.add_argument("--rectools-python", help="Python of an environment with rectools[torch]")
    parser.add_argument("--epochs", type=int, default=4, help="the first is not counted, unless it is the only one")
    parser.add_argument("--users", type=int, help="the first so many users only; all by default")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        result = PARTS[options.part](np.load(options.data / "events.npy"), options.epochs)
        (options.data / f"{options.part}.json").write_text(json.dumps(result), encoding="utf-8")
        return
    if not options.rectools_python:
        parser.error("--rectools-python: name the Python of an environment where rectools[torch] is installed")
    from next_item import load  # skrec is not there in the other environment

    train, _, _ = load(options.data)
    users = train["user_id"].unique()[: options.users]
    train = train[train["user_id"].isin(users)]
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "events.npy", train[["user_id", "item_id", "timestamp"]].to_numpy())
        ours = measure("skrec", sys.executable, Path(folder), options.epochs)
        theirs = measure("RecTools", options.rectools_python, Path(folder), options.epochs)
    report(ours, theirs)


if __name__ == "__main__":
    main()
