"""What is known about goods: their facts, checked where they come in, and a view of them all for the hot path."""

from assent.catalog.catalog import Catalog, row_of
from assent.catalog.item import Item
from assent.catalog.view import CatalogView, Facts

__all__ = ["Catalog", "CatalogView", "Facts", "Item", "row_of"]
