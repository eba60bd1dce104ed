"""What a Pipeline adds to ``recommend``: one query, 100,000 items, behind an IDEncoder, and the model alone.

Run it as ``python benchmarks/pipeline_recommend.py``; it prints the medians of both, from one run in turns, and the
difference. The first call, which decodes the catalogue, is printed by itself.
"""

import argparse
import time

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

import skrec
from skrec.models import NCFRanker, PopularityRanker
from skrec.preprocessing import IDEncoder


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--model", choices=["popularity", "mf"], default="popularity")
    arguments = parser.parse_args()
    random = np.random.default_rng(0)
    items = np.arange(arguments.items)
    X = pd.DataFrame({"user_id": random.integers(0, 20_000, len(items)), "item_id": random.permutation(items)})
    for kind in ("integers", "strings"):
        rows = X if kind == "integers" else X.astype(str)
        model = PopularityRanker()
        if arguments.model == "mf":
            model = NCFRanker(architecture="mf", epochs=1, random_state=0)
        pipeline = make_pipeline(IDEncoder(), model).fit(rows)
        query = rows["user_id"][:1].tolist()
        code = pipeline[:-1].transform(rows[:1])
        code = np.asarray(code)[:1, 0]
        first = seconds(lambda query=query, pipeline=pipeline: skrec.recommend(pipeline, query))
        model.recommend(code)
        alone, through = [], []
        for _ in range(arguments.repeats):
            alone.append(seconds(lambda code=code, model=model: model.recommend(code)))
            through.append(seconds(lambda query=query, pipeline=pipeline: skrec.recommend(pipeline, query)))
        ours, its = 1e3 * np.median(through), 1e3 * np.median(alone)
        print(
            f"{kind:9} {len(items):,} items, one query: model alone {its:.2f} ms, through the Pipeline {ours:.2f} ms, "
            f"difference {ours - its:.2f} ms, ratio {ours / its:.2f}; the first call {1e3 * first:.1f} ms"
        )


if __name__ == "__main__":
    main()
