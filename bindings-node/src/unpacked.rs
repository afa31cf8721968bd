//! Reads the events that the package has packed into one text: `lib/packing.ts` says how.

use std::fmt;

use partnerkit::form::Given;
use partnerkit::{Error, EventDraft, Timestamp};
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use crate::names;

/// The events in a text. Errors: the text is not what the package makes, which is a defect of it.
pub fn events(text: &str) -> partnerkit::Result<Vec<EventDraft>> {
    let events: Events = serde_json::from_str(text).map_err(Error::storage)?;
    Ok(events.0)
}

struct Events(Vec<EventDraft>);

impl<'de> Deserialize<'de> for Events {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Flat)
    }
}

struct Flat;

impl<'de> Visitor<'de> for Flat {
    type Value = Events;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the values of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Events, A::Error> {
        let mut events = Vec::new();
        while let Some(first) = values.next_element()? {
            let mut first = Some(first);
            let event = EventDraft::of(|field| {
                let value = first.take().map_or_else(|| needed(&mut values), Ok)?;
                let value = given(value, &mut values)?;
                // A number might be meant as seconds, so it is refused.
                let is_number = matches!(value, Given::Whole(_));
                Ok(if field == "at" && is_number { Given::Other } else { value })
            })?;
            let unknown: Option<String> = needed(&mut values)?;
            events.push(event.naming(unknown.map(|name| names::unknown(&name))));
        }
        Ok(Events(events))
    }
}

/// A value, or a marker: whether the next value is an instant or an integer.
enum Single {
    Nothing,
    Marker(bool),
    Whole(i64),
    Text(String),
}

impl<'de> Deserialize<'de> for Single {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfSingle)
    }
}

struct OfSingle;

impl Visitor<'_> for OfSingle {
    type Value = Single;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a whole number, a marker or null")
    }

    fn visit_unit<E>(self) -> Result<Single, E> {
        Ok(Single::Nothing)
    }

    fn visit_bool<E>(self, marker: bool) -> Result<Single, E> {
        Ok(Single::Marker(marker))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Single, E> {
        Ok(Single::Whole(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Single, E> {
        i64::try_from(number).map(Single::Whole).map_err(E::custom)
    }

    fn visit_str<E>(self, text: &str) -> Result<Single, E> {
        Ok(Single::Text(text.to_owned()))
    }
}

fn needed<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(values: &mut A) -> Result<T, A::Error> {
    values.next_element()?.ok_or_else(|| de::Error::custom("a value is missing"))
}

fn given<'de, A: SeqAccess<'de>>(value: Single, values: &mut A) -> Result<Given, A::Error> {
    Ok(match value {
        Single::Nothing => Given::Nothing,
        Single::Whole(number) => Given::Whole(number.into()),
        Single::Text(text) => Given::Text(text),
        Single::Marker(false) => Given::Other,
        Single::Marker(true) => match needed(values)? {
            Single::Whole(millis) => Given::Instant(Timestamp::from_millis(millis)),
            Single::Text(digits) => Given::Whole(digits.parse().map_err(de::Error::custom)?),
            Single::Nothing | Single::Marker(_) => {
                return Err(de::Error::custom("a marker is not followed by its value"));
            }
        },
    })
}
