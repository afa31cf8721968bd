-- An agency that is deleted is closed first, and erased in steps.
ALTER TABLE partnerkit.agencies ADD COLUMN closed_at bigint;

-- The cached period of a meter is kept as its instants. What is there was a date: with this end
-- it holds no instant, and is summed anew when it is first asked for. No row is rewritten.
ALTER TABLE partnerkit.meters
    ADD COLUMN period_end bigint NOT NULL DEFAULT (-9223372036854775808)::bigint;
ALTER TABLE partnerkit.meters ALTER COLUMN period_end DROP DEFAULT;
