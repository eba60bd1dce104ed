"""What the benchmarks on Amazon Toys share: the reader of its file of events (as S3-Rec has it)."""

from pathlib import Path

import pandas as pd


def read_toys(folder):
    """Return the events: ``user_id``, ``item_id`` and ``timestamp``, the place of an event among those of its user.

    A line of ``Toys_and_Games.txt``, gzipped or not, has a user and the items of the user in order of time.
    """
    path = next(Path(folder).glob("Toys_and_Games.txt*"))
    lines = pd.read_csv(path, sep=r"\n", names=["line"], engine="python")["line"].str.split()
    rows = pd.DataFrame({"user_id": lines.str[0], "item_id": lines.str[1:]}).explode("item_id", ignore_index=True)
    return rows.astype("int64").assign(timestamp=lambda frame: frame.groupby("user_id").cumcount())
