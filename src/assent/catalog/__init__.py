"""Facts about goods: checked where they come in, and read by the hot path through one view of all items."""

from assent.catalog.catalog import Catalog, row_of
from assent.catalog.item import Item
from assent.catalog.view import CatalogFacts, CatalogView

__all__ = ["Catalog", "CatalogFacts", "CatalogView", "Item", "row_of"]
