//! Values of JavaScript, made by Node-API's own functions, without the wrapper of a type for each.

use napi::bindgen_prelude::ToNapiValue;
use napi::{Env, Error, Result, Status, sys};

/// A value that was made in the scope of the running callback.
pub type Value = sys::napi_value;

/// What makes values; it is used only in the callback that gave the environment.
#[derive(Clone, Copy)]
pub struct Maker(sys::napi_env);

/// A value that was made, as a result for JavaScript.
pub struct Made(pub Value);

fn checked(status: sys::napi_status) -> Result<()> {
    match Status::from(status) {
        Status::Ok => Ok(()),
        status => Err(Error::new(status, "Node-API has refused to make a value")),
    }
}

/// Functions that make one value of one other.
macro_rules! makes {
    ($($(#[$doc:meta])* $name:ident($of:ty) = $function:ident;)*) => {
        $($(#[$doc])*
        #[allow(unsafe_code, reason = "Node-API's functions are unsafe")]
        pub fn $name(self, value: $of) -> Result<Value> {
            let mut made = std::ptr::null_mut();
            // SAFETY: the environment is the one of the running callback, see `Maker`.
            checked(unsafe { sys::$function(self.0, value, &raw mut made) })?;
            Ok(made)
        })*
    };
}

/// Functions that make one value of nothing.
macro_rules! makes_alone {
    ($($(#[$doc:meta])* $name:ident = $function:ident;)*) => {
        $($(#[$doc])*
        #[allow(unsafe_code, reason = "Node-API's functions are unsafe")]
        pub fn $name(self) -> Result<Value> {
            let mut made = std::ptr::null_mut();
            // SAFETY: the environment is the one of the running callback, see `Maker`.
            checked(unsafe { sys::$function(self.0, &raw mut made) })?;
            Ok(made)
        })*
    };
}

impl Maker {
    pub fn of(env: &Env) -> Self {
        Self(env.raw())
    }

    makes! {
        number(f64) = napi_create_double;
        /// An array of a length.
        array(usize) = napi_create_array_with_length;
    }

    makes_alone! {
        null = napi_get_null;
        /// An empty object.
        object = napi_create_object;
    }

    #[allow(unsafe_code, reason = "Node-API's functions are unsafe")]
    pub fn text(self, text: &str) -> Result<Value> {
        let (mut made, start, length) =
            (std::ptr::null_mut(), text.as_ptr().cast(), text.len().cast_signed());
        // SAFETY: as in `makes`; the bytes are read during the call. ASCII is Latin-1, too.
        checked(unsafe {
            match text.is_ascii() {
                true => sys::napi_create_string_latin1(self.0, start, length, &raw mut made),
                false => sys::napi_create_string_utf8(self.0, start, length, &raw mut made),
            }
        })?;
        Ok(made)
    }

    #[allow(unsafe_code, reason = "Node-API's functions are unsafe")]
    pub fn list(self, items: &[Value]) -> Result<Value> {
        let list = self.array(items.len())?;
        for (place, &item) in (0..).zip(items) {
            // SAFETY: as in `makes`; the list and its item were made in this callback.
            checked(unsafe { sys::napi_set_element(self.0, list, place, item) })?;
        }
        Ok(list)
    }

    /// Defines a property as assigning does, except that `__proto__` is a name like any other.
    #[allow(unsafe_code, reason = "Node-API's functions are unsafe")]
    pub fn set(self, object: Value, name: Value, value: Value) -> Result<()> {
        let property = sys::napi_property_descriptor {
            utf8name: std::ptr::null(),
            name,
            method: None,
            getter: None,
            setter: None,
            value,
            attributes: sys::PropertyAttributes::writable
                | sys::PropertyAttributes::enumerable
                | sys::PropertyAttributes::configurable,
            data: std::ptr::null_mut(),
        };
        // SAFETY: as in `makes`; all three values were made in this callback.
        checked(unsafe { sys::napi_define_properties(self.0, object, 1, &raw const property) })
    }
}

#[allow(unsafe_code, reason = "napi declares its conversions unsafe")]
impl ToNapiValue for Made {
    unsafe fn to_napi_value(_: sys::napi_env, made: Self) -> Result<Value> {
        Ok(made.0)
    }
}
