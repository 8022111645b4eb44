"""The local gateway: serves what is permitted, splits traffic, records every decision."""
