//! Ids that the library gives.

/// What the newtypes around a UUID share. `NoteId` is the id of what errors call a note.
macro_rules! id_value {
    ($name:ident) => {
        impl $name {
            /// From a UUID.
            ///
            /// ```
            #[doc = concat!("use partnerkit::", stringify!($name), ";")]
            ///
            /// let kept = uuid::Uuid::nil(); // in a table of the host's
            #[doc = concat!("assert_eq!(", stringify!($name), "::from_uuid(kept).as_uuid(), kept);")]
            /// ```
            pub const fn from_uuid(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }

            /// As a UUID.
            ///
            /// ```
            #[doc = concat!("use partnerkit::", stringify!($name), ";")]
            ///
            #[doc = concat!("let id: ", stringify!($name))]
            ///     = "01936b2e-3f4a-7c1d-8e5f-0123456789ab".parse().unwrap();
            /// assert_eq!(id.as_uuid().get_version_num(), 7);
            /// ```
            pub const fn as_uuid(self) -> uuid::Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        /// Reads every common spelling of a UUID: capital letters, no hyphens, braces. Databases
        /// and drivers give UUIDs back in these, and an id is no secret whose spelling could matter;
        /// stamps and tokens have one spelling only.
        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_newtype_struct(stringify!($name), &self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(|_| {
                    let other = serde::de::Unexpected::Other("invalid");
                    serde::de::Error::invalid_value(other, &"an id")
                })
            }
        }
    };
}

pub(crate) use id_value;
