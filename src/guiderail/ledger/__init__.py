"""The one append-only, tamper-evident audit trail. It knows no stage of the product."""
