"""Training on Apache Spark: the same whole-number sum, added up on many machines, equal to the last bit.

Executors open sealed histories with the key file of their own environment, judge consent as the driver would, and send
only sums, sealed for the run. `sum_of_parquet` adds up a plain file of actions for the bare `Recommender`, and
`solver_on` lets executors solve the columns of a sparse model.
"""

from assent.learn.spark.columns import solver_on
from assent.learn.spark.driver import gatherer
from assent.learn.spark.parquet import sum_of_parquet

__all__ = ["gatherer", "solver_on", "sum_of_parquet"]
