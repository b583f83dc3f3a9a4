"""The recommender alone, on a people x items matrix: learn, suggest, say why, and forget one person exactly."""

import numpy as np
import scipy.sparse

from assent import Recommender

rng = np.random.default_rng(7)
people, items = 400, 60
taste = rng.integers(0, 6, people)  # six kinds of people, each with ten items of their own
held = rng.random((people, items)) < np.where(np.arange(items)[None, :] // 10 == taste[:, None], 0.5, 0.03)
matrix = scipy.sparse.csr_matrix(held.astype(np.int64))

model = Recommender().fit(matrix)
best, scores = model.recommend(matrix[:1], count=5)
print("The first person holds", matrix[0].indices.tolist(), "and is shown", best[0].tolist())
item = int(best[0, 0])
print(f"Item {item} because of", [(because, round(part, 3)) for because, part in model.explain(matrix[0], item)[:3]])

without = Recommender().fit(matrix[1:])
model.forget(matrix[0])
print("Forgotten as if never known:", model.digest() == without.digest())
