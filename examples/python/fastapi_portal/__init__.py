"""An agency's platform: FastAPI in front of PartnerKit's `AsyncPlatform` on SQLite."""
