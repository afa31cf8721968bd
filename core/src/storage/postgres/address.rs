//! The server's URL, parsed and checked.

use std::net::IpAddr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::error::{Error, Result};

/// How long a new connection may take when the URL does not say.
const CONNECT: Duration = Duration::from_secs(10);
/// How long sent bytes may stay unacknowledged before a connection counts as lost.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);
/// Statements are sent without waiting for BEGIN. If BEGIN fails, they run outside a transaction,
/// and must not write then. A transaction that writes says so in its BEGIN.
const READ_ONLY: &str = "-c default_transaction_read_only=on";

/// Parses a URL. It may contain a password, so no error quotes any of it.
pub(super) fn parse(url: &str) -> Result<Config> {
    let unreadable = |_| Error::configuration("the store's URL is not a valid PostgreSQL URL");
    let mut config: Config = url.parse().map_err(unreadable)?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(Error::configuration("the PostgreSQL URL has no host"));
    }
    check_transport(&config)?;
    if config.get_application_name().is_none() {
        config.application_name("partnerkit");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNACKNOWLEDGED);
    }
    config.keepalives_idle(UNACKNOWLEDGED);
    let options = config.get_options().unwrap_or_default();
    config.options(format!("{options} {READ_ONLY}").trim_start());
    Ok(config)
}

/// There is no TLS, so the server must be on this machine unless the URL says otherwise.
fn check_transport(config: &Config) -> Result<()> {
    match config.get_ssl_mode() {
        SslMode::Disable => Ok(()),
        SslMode::Prefer if is_local(config) => Ok(()),
        _ => Err(Error::configuration(
            "TLS to PostgreSQL is not supported yet: use a server on this machine, or add \
             `?sslmode=disable` to the URL if you trust the network",
        )),
    }
}

fn is_local(config: &Config) -> bool {
    let local = |host: &Host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        Host::Unix(_) => true,
    };
    config.get_hosts().iter().all(local) && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::error::ErrorKind;

    #[test]
    fn nothing_leaves_the_machine_unencrypted_unasked() {
        for url in [
            "postgres://127.0.0.1/a",
            "postgres://user:secret@localhost:5433/a",
            "postgres://[::1]/a",
            "postgres:///a?host=/run/postgresql",
            "postgres://db.example/a?sslmode=disable",
        ] {
            assert!(parse(url).is_ok(), "{url}");
        }
        for url in [
            "postgres://db.example/a",
            "postgres://127.0.0.1,db.example/a",
            "postgres://127.0.0.1/a?hostaddr=192.0.2.1",
            "postgres://db.example/a?sslmode=prefer",
            "postgres://127.0.0.1/a?sslmode=require",
        ] {
            let error = parse(url).expect_err(url);
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains("TLS"), "{error}");
        }
    }

    #[test]
    fn nothing_is_written_outside_a_transaction() {
        let config = parse("postgres://localhost/a?options=-c%20work_mem=8MB").expect("a URL");
        let both = "-c work_mem=8MB -c default_transaction_read_only=on";
        assert_eq!(config.get_options(), Some(both));
    }

    #[test]
    fn an_error_does_not_repeat_the_url() {
        for url in ["postgres://u:hunter2@h:x/a", "postgres://u:hunter2@h/a?no=such", "postgres:"] {
            let error = parse(url).expect_err(url).to_string();
            assert!(!error.contains("hunter2") && !error.contains("such"), "{error}");
        }
    }
}
