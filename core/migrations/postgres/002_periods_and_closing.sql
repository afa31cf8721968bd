-- An agency that is deleted is closed first, and erased in steps.
ALTER TABLE partnerkit.agencies ADD COLUMN closed_at bigint;
