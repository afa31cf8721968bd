"""The pages of the agency's staff and of its resellers."""
