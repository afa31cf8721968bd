//! Page cursors: a place in a list, sealed so that only the query it came from can use it (S29).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::Position;
use crate::access::Secret;
use crate::error::{Error, Result};
use crate::reseller::ResellerId;
use crate::values::{AgencyId, Timestamp};

const TAG: usize = 16;
const PLACE: usize = 24;

/// Seals and opens the cursors of one agency.
pub(crate) struct CursorSeal<'a> {
    pub secret: &'a Secret,
    pub agency: &'a AgencyId,
}

impl CursorSeal<'_> {
    /// The place and a keyed hash over place, agency and query, as URL-safe text.
    pub fn close(&self, position: Position, query: &str) -> String {
        let mut bytes = [0; PLACE + TAG];
        bytes[..8].copy_from_slice(&position.created_at.as_millis().to_be_bytes());
        bytes[8..PLACE].copy_from_slice(position.id.as_uuid().as_bytes());
        let parts = self.parts(&bytes[..PLACE], query);
        let tag = self.secret.keyed_hash("cursor", &parts);
        bytes[PLACE..].copy_from_slice(&tag[..TAG]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place, if the cursor is whole, of this agency and of this query.
    pub fn open(&self, cursor: &str, query: &str) -> Result<Position> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| Error::invalid_cursor())?;
        let (place, tag) = bytes.split_at_checked(PLACE).ok_or_else(Error::invalid_cursor)?;
        let whole = tag.len() == TAG;
        if !whole || !self.secret.verifies("cursor", &self.parts(place, query), tag) {
            return Err(Error::invalid_cursor());
        }
        let (millis, id) = place.split_at(8);
        let fixed = |_| Error::invalid_cursor();
        Ok(Position {
            created_at: Timestamp::from_millis(i64::from_be_bytes(
                millis.try_into().map_err(fixed)?,
            )),
            id: ResellerId::from_uuid(Uuid::from_bytes(id.try_into().map_err(fixed)?)),
        })
    }

    fn parts<'p>(&'p self, place: &'p [u8], query: &'p str) -> [&'p [u8]; 3] {
        [place, self.agency.as_str().as_bytes(), query.as_bytes()]
    }
}
