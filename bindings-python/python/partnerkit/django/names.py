"""The names of the app and its tables."""

LABEL = "partnerkit"
PREFIX = "partnerkit_"
