"""Training on Apache Spark: the same whole-number sum, added up on many machines, equal to the last bit.

Executors open sealed histories with the key file of their own environment, judge consent as the driver would, and send
on sums alone, sealed for the run. `sum_of_parquet` adds up a plain file of interactions for the bare `Recommender`, and
`solver_on` has executors solve its columns where a model is sparse.
"""

from assent.learn.spark.columns import solver_on
from assent.learn.spark.parquet import sum_of_parquet
from assent.learn.spark.training import gatherer

__all__ = ["gatherer", "solver_on", "sum_of_parquet"]
