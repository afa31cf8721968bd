//! How values are read again, and instants are sent.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use partnerkit::Timestamp;
use serde::de::value::Error;
use serde::de::{DeserializeOwned, IntoDeserializer};

/// Reads a value by the parser that made it.
pub fn read<'de, T: DeserializeOwned>(
    sent: impl IntoDeserializer<'de, Error>,
) -> uniffi::Result<T> {
    Ok(T::deserialize(sent.into_deserializer())?)
}

/// The instant in the type of which uniffi makes an `Instant` and a `Date`.
pub fn system_time(at: Timestamp) -> SystemTime {
    let distance = Duration::from_millis(at.as_millis().unsigned_abs());
    if at.as_millis() < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}

#[cfg(test)]
mod tests {
    use super::*;
    use partnerkit::{Email, Metadata, ResellerId};
    use std::collections::HashMap;

    #[test]
    fn values_are_read_by_their_parsers() {
        let email: Email = read("Ann@acme.example".to_owned()).expect("an address");
        assert_eq!(email.as_str(), "Ann@acme.example");
        assert!(read::<Email>("nobody".to_owned()).is_err());
        assert!(read::<ResellerId>("seven".to_owned()).is_err());
        let pair = |key: &str| HashMap::from([(key.to_owned(), "gold".to_owned())]);
        let metadata: Metadata = read(pair("tier")).expect("metadata");
        assert_eq!(metadata.as_map()["tier"], "gold");
        assert!(read::<Metadata>(pair("")).is_err());
    }

    #[test]
    fn instants_come_back_as_they_went() {
        for millis in [-i64::MAX, -1, 0, 1, 1_773_576_000_123, i64::MAX] {
            let at = Timestamp::from_millis(millis);
            assert_eq!(Timestamp::from(system_time(at)), at);
        }
    }
}
