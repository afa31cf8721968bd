"""What the app and its tables are called."""

LABEL = "partnerkit"
PREFIX = "partnerkit_"
