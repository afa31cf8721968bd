//! Page cursors: a place in a list, sealed so that only the query it came from can use it (S29).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::{Position, SortKey};
use crate::access::Secrets;
use crate::error::{Error, Result};
use crate::reseller::ResellerId;
use crate::values::AgencyId;

const TAG: usize = 16;
const ID: usize = 16;

/// Seals and opens the cursors of one agency.
pub(crate) struct CursorSeal<'a> {
    pub secrets: Cow<'a, Secrets>,
    pub agency: &'a AgencyId,
}

impl CursorSeal<'_> {
    /// Makes a cursor of a place in a list of resellers.
    pub fn close(&self, position: &Position, query: &str) -> Result<String> {
        let mut place = position.id.as_uuid().as_bytes().to_vec();
        let packed = |_| Error::storage("a page cursor could not be encoded");
        place.extend(postcard::to_allocvec(&position.key).map_err(packed)?);
        self.pack(place, query)
    }

    /// The place in a list of resellers of a cursor that belongs to this agency and this query.
    pub fn open(&self, cursor: &str, query: &str) -> Result<Position> {
        let place = self.unpack(cursor, query)?;
        let (id, key) = place.split_at_checked(ID).ok_or_else(Error::invalid_cursor)?;
        let id = Uuid::from_slice(id).map_err(|_| Error::invalid_cursor())?;
        let key: SortKey = postcard::from_bytes(key).map_err(|_| Error::invalid_cursor())?;
        Ok(Position { key, id: ResellerId::from_uuid(id) })
    }

    /// Makes a cursor: the place and a keyed hash over place, agency and query, as URL-safe text.
    pub fn pack(&self, place: Vec<u8>, query: &str) -> Result<String> {
        let tag = self.secrets.keyed_hash("cursor", &self.parts(&place, query));
        Ok(URL_SAFE_NO_PAD.encode([&tag[..TAG], &place].concat()))
    }

    /// The place in a cursor, if it is undamaged and belongs to this agency and this query.
    pub fn unpack(&self, cursor: &str, query: &str) -> Result<Vec<u8>> {
        let mut bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| Error::invalid_cursor())?;
        let (tag, place) = bytes.split_at_checked(TAG).ok_or_else(Error::invalid_cursor)?;
        if !self.secrets.verifies("cursor", &self.parts(place, query), tag) {
            return Err(Error::invalid_cursor());
        }
        bytes.drain(..TAG);
        Ok(bytes)
    }

    fn parts<'p>(&'p self, place: &'p [u8], query: &'p str) -> [&'p [u8]; 3] {
        [place, self.agency.as_str().as_bytes(), query.as_bytes()]
    }
}
