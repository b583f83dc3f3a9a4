"""Matrix products that add to a part of a larger array in place, by the BLAS that SciPy carries.

`numpy.matmul` can only write its product; adding it elsewhere costs a second array and a second pass. SciPy publishes
the routine that adds, `gemm`, for compiled callers ("Low-level BLAS functions", scipy.linalg.cython_blas); its address
is taken from there. The interpreter's lock is free while it runs.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import scipy.linalg.cython_blas
from numpy.typing import NDArray

Reals = NDArray[Any]


def _routine(name: str, count: int) -> Callable[..., None]:
    """Return the routine that SciPy publishes under `name`; each of its `count` arguments is an address."""
    capsule = scipy.linalg.cython_blas.__pyx_capi__[name]
    name_of, address_of = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    address_of.restype, address_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    routine: Callable[..., None] = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * count)(
        address_of(capsule, name_of(capsule))
    )
    return routine


_GEMM: Final = {np.dtype(np.float32): _routine("sgemm", 13), np.dtype(np.float64): _routine("dgemm", 13)}
_AXPY: Final = {np.dtype(np.float32): _routine("saxpy", 6), np.dtype(np.float64): _routine("daxpy", 6)}
#: BLAS adds vectors of up to this many entries on the calling thread.
_ALONE_ENTRIES: Final = 10_000
_REAL: Final = {np.dtype(np.float32): ctypes.c_float, np.dtype(np.float64): ctypes.c_double}


def add_product(
    out: Reals, left: Reals, right: Reals, *, scale: float = 1.0, keep: bool = True, operations_max: int | None = None
) -> None:
    """Do `out += scale * left right`, or without `keep` `out = scale * left right`.

    `out` [m, n] with entries of a row side by side, `left` [m, k] and `right` [k, n] with the entries of a row or of a
    column side by side; all of one type, float32 or float64. `out` overlaps neither of the others. With
    `operations_max` one call of BLAS multiplies only as many columns as take that many operations.
    """
    rows, columns = out.shape
    if not out.size:
        return
    real = _REAL[out.dtype]
    # A row-major array is a column-major one transposed, and out' = right' left'.
    right_way, right_step = _layout(right)
    left_way, left_step = _layout(left)
    width = columns if operations_max is None else max(operations_max // max(left.size, 1), 1)
    numbers = (ctypes.c_int * 6)(width, rows, len(right), right_step, left_step, _layout(out)[1])
    scales = (real * 2)(scale, 1.0 if keep else 0.0)
    number, one = ctypes.addressof(numbers), ctypes.addressof(scales)
    right_at, left_at, out_at = (array.__array_interface__["data"][0] for array in (right, left, out))
    item = out.itemsize
    for first in range(0, columns, width):
        numbers[0] = min(width, columns - first)
        _GEMM[out.dtype](
            right_way,
            left_way,
            *(number, number + 4, number + 8),
            one,
            right_at + first * item * (1 if right_way == b"N" else right_step),
            number + 12,
            left_at,
            number + 16,
            one + item,
            out_at + first * item,
            number + 20,
        )


def add_rows(out: Reals, factors: Reals, matrix: Reals, rows: NDArray[np.int32]) -> None:
    """Do `out += sum_k factors[k] matrix[rows[k]]` on this thread, reading each of these rows once, where it is.

    `out` [n] and `factors` [k] with their entries side by side, `matrix` [m, n] by rows; all of one type, float32 or
    float64.
    """
    axpy, item, step, columns = _AXPY[out.dtype], out.itemsize, matrix.strides[0], out.shape[0]
    numbers = (ctypes.c_int * 2)(0, 1)
    number = ctypes.addressof(numbers)
    out_at, factors_at, matrix_at = (array.__array_interface__["data"][0] for array in (out, factors, matrix))
    places = rows.tolist()
    for first in range(0, columns, _ALONE_ENTRIES):
        numbers[0] = min(_ALONE_ENTRIES, columns - first)
        shift, target, factor = matrix_at + first * item, out_at + first * item, factors_at
        for place in places:
            axpy(number, factor, shift + place * step, number + 4, target, number + 4)
            factor += item


def _layout(array: Reals) -> tuple[bytes, int]:
    """Return how BLAS reads an array, `N` by rows or `T` by columns, and how far it is from one to the next."""
    by_row, by_column = (stride // array.itemsize for stride in array.strides)
    if by_column == 1 or array.shape[1] == 1:
        return b"N", max(by_row, array.shape[1])
    return b"T", max(by_column, len(array))
