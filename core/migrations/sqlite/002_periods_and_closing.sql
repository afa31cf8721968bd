-- An agency that is deleted is closed first, and erased in steps.
ALTER TABLE agencies ADD COLUMN closed_at INTEGER;

-- The cached period of a meter is kept as its instants. What is there was a date: with this end
-- it holds no instant, and is summed anew when it is first asked for.
ALTER TABLE meters ADD COLUMN period_end INTEGER NOT NULL DEFAULT -9223372036854775808;
