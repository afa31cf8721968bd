//! Every entity comes back as it was stored.
