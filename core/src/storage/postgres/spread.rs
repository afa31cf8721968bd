//! How a database lies: on one server, or spread over several machines, as Citus does it.

use deadpool_postgres::Object;

use super::failure::Failure;
use crate::error::Result;

/// Partitions are told from each other by a row's home, too, and are so for tests of this.
const PARTITIONED: &str = "\
    SELECT relkind = 'p', to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL \
    FROM pg_class WHERE oid = 'partnerkit.labels'::regclass";
/// The list of what Citus has spread, which is there if Citus is.
const DISTRIBUTED: &str = "\
    SELECT EXISTS (SELECT FROM pg_dist_partition \
    WHERE logicalrelid = 'partnerkit.labels'::regclass)";

/// Whether the tables are spread over several machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spread(pub bool);

/// Looks how the tables lie.
pub(super) async fn find(client: &Object) -> Result<Spread> {
    let row = client.query_typed_one(PARTITIONED, &[]).await.map_err(Failure::from)?;
    if let (false, true) = (row.get(0), row.get(1)) {
        let row = client.query_typed_one(DISTRIBUTED, &[]).await.map_err(Failure::from)?;
        return Ok(Spread(row.get(0)));
    }
    Ok(Spread(row.get(0)))
}
