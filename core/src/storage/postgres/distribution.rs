//! Distributes the tables over the nodes of a Citus cluster (distributed PostgreSQL). An agency's
//! rows are on one node; the rows of some tables are spread by another column or copied to every
//! node, as the table's home says.
//!
//! On any other server there is nothing to do. A store can be opened through any node, but only the
//! coordinator may distribute tables.

use std::iter::once;

use deadpool_postgres::Object;
use tokio_postgres::Error;

use super::codec::Param;
use crate::schema::{AGENCIES, Home, Kind, TABLES};

const HAS_CITUS: &str = "SELECT count(*) FROM pg_extension WHERE extname = 'citus'";

/// Selects the tables that are not distributed yet and that this role may distribute. If no node
/// takes rows, it selects none, because Citus would then use the coordinator as a node.
const NOT_SPREAD: &str = "\
    SELECT c.relname::text FROM pg_class AS c \
    WHERE c.oid = ANY(ARRAY(SELECT to_regclass('partnerkit.' || name) FROM unnest($1) AS name)) \
    AND pg_has_role(c.relowner, 'USAGE') AND citus_is_coordinator() \
    AND NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = c.oid) \
    AND EXISTS (SELECT FROM pg_dist_node \
    WHERE isactive AND shouldhaveshards AND noderole = 'primary')";

/// The table of the schema's versions, which is locked during migrations.
const VERSIONS: &str = "migrations";

/// Whether every table is distributed as its home says.
pub(super) async fn is_done(client: &Object) -> Result<bool, Error> {
    Ok(not_spread(client).await?.is_empty())
}

/// Distributes the tables that are not distributed yet, inside the caller's transaction and under
/// its lock.
pub(super) async fn distribute(client: &Object) -> Result<(), Error> {
    let tables = not_spread(client).await?;
    for (table, home) in &tables {
        client.batch_execute(&spread(table, *home)).await?;
    }
    // Existing rows have been copied to the nodes. Without this they would also stay on the
    // coordinator, where no statement sees or erases them. Truncating a table also truncates the
    // tables that refer to it, so all have to be distributed first. The table of versions is left
    // out: a process that waits for its lock would be in a deadlock with this one.
    for (table, _) in tables.iter().filter(|(table, _)| *table != VERSIONS) {
        let empty = "SELECT truncate_local_data_after_distributing_table";
        client.batch_execute(&format!("{empty}('partnerkit.{table}')")).await?;
    }
    Ok(())
}

async fn not_spread(client: &Object) -> Result<Vec<(&'static str, Home)>, Error> {
    if client.query_typed_one(HAS_CITUS, &[]).await?.try_get::<_, i64>(0)? == 0 {
        return Ok(Vec::new());
    }
    let names = homes().map(|(table, _)| table.into()).collect();
    let names = Param::many(Kind::Text, names);
    let kind = names.kind.clone();
    let rows = client.query_typed(NOT_SPREAD, &[(&names, kind)]).await?;
    let found: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    Ok(homes().filter(|(table, _)| found.iter().any(|name| name == table)).collect())
}

/// The tables in the order in which they can be distributed: a table comes before the tables that
/// are stored with it or refer to it, as in the list of tables. The versions of the schema go to
/// every node, because a store can be opened through any node.
fn homes() -> impl Iterator<Item = (&'static str, Home)> {
    let rest = TABLES.iter().filter(|table| table.name != AGENCIES.name);
    let tables = once(&&AGENCIES).chain(rest).map(|table| (table.name, table.home));
    tables.chain(once((VERSIONS, Home::Everywhere)))
}

fn spread(table: &str, home: Home) -> String {
    let (column, with) = match home {
        Home::Agency if table == AGENCIES.name => ("agency", "none"),
        Home::Agency => ("agency", "partnerkit.agencies"),
        Home::Column(column) => (column, "none"),
        Home::Everywhere => return format!("SELECT create_reference_table('partnerkit.{table}')"),
    };
    format!(
        "SELECT create_distributed_table('partnerkit.{table}', '{column}', \
         colocate_with => '{with}')"
    )
}

#[cfg(test)]
mod tests {
    use super::{homes, spread};

    #[test]
    fn each_table_goes_to_its_home() {
        let all: Vec<_> = homes().map(|(table, home)| spread(table, home)).collect();
        let place = |table: &str| {
            let name = format!("'partnerkit.{table}'");
            let found: Vec<_> = (0..all.len())
                .filter(|n| all[*n].split(['(', ',', ')']).any(|part| part == name))
                .collect();
            assert_eq!(found.len(), 1, "{table}");
            found[0]
        };
        assert_eq!(place("agencies"), 0, "the others lie with it");
        assert!(place("resellers") < place("credentials"), "which refer to them");
        for (table, end) in [
            ("agencies", "'agency', colocate_with => 'none')"),
            ("events", "'agency', colocate_with => 'partnerkit.agencies')"),
            ("labels", "'label', colocate_with => 'none')"),
            ("attempts", "'attempt', colocate_with => 'none')"),
            ("secrets", "create_reference_table('partnerkit.secrets')"),
            ("migrations", "create_reference_table('partnerkit.migrations')"),
        ] {
            assert!(all[place(table)].ends_with(end), "{}", all[place(table)]);
        }
    }
}
