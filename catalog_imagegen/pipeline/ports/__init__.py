"""What the pipeline needs of the world, in our words; adapters provide it."""

from catalog_imagegen.pipeline.ports.ledger import (
    CatalogLedger,
    JobLedger,
    Leases,
    Ledger,
    PictureLedger,
    ReviewLedger,
)
from catalog_imagegen.pipeline.ports.world import (
    BlobStore,
    Listings,
    Photos,
    Previews,
    Progress,
    RenderBackend,
    TextReader,
)

__all__ = [
    "BlobStore",
    "CatalogLedger",
    "JobLedger",
    "Leases",
    "Ledger",
    "Listings",
    "Photos",
    "PictureLedger",
    "Previews",
    "Progress",
    "RenderBackend",
    "ReviewLedger",
    "TextReader",
]
