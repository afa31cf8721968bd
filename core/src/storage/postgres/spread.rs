//! Whether a database is on one server or spread over several machines by Citus.

use deadpool_postgres::Object;

use super::failure::Failure;
use crate::error::Result;

/// Selects whether a table is partitioned, and whether Citus is there. Partitioned tables depend on
/// a row's home like distributed ones, so tests use them.
const PARTITIONED: &str = "\
    SELECT relkind = 'p', to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL \
    FROM pg_class WHERE oid = 'partnerkit.labels'::regclass";
/// Selects whether Citus has distributed a table. The list of them exists only with Citus.
const DISTRIBUTED: &str = "\
    SELECT EXISTS (SELECT FROM pg_dist_partition \
    WHERE logicalrelid = 'partnerkit.labels'::regclass)";

/// Whether the tables are spread over several nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spread(pub bool);

/// Finds out whether the tables are spread.
pub(super) async fn find(client: &Object) -> Result<Spread> {
    let row = client.query_typed_one(PARTITIONED, &[]).await.map_err(Failure::from)?;
    if let (false, true) = (row.get(0), row.get(1)) {
        let row = client.query_typed_one(DISTRIBUTED, &[]).await.map_err(Failure::from)?;
        return Ok(Spread(row.get(0)));
    }
    Ok(Spread(row.get(0)))
}
