//! The package's functions that make records, one for each record.

use std::collections::HashMap;

use napi::bindgen_prelude::{Function, FunctionRef, JsObjectValue, Object, Unknown};
use napi::{Env, Result};

use crate::raw::Arguments;

type Make = FunctionRef<Arguments, Unknown<'static>>;

/// Every factory, by the name of its record.
pub struct Factories(HashMap<String, Factory>);

/// A function that takes the fields of a record in their order.
pub struct Factory {
    fields: Vec<String>,
    make: Make,
}

impl Factories {
    /// Reads an object that has for each record its `fields`, in order, and the function `make`.
    pub fn of(given: Object<'_>) -> Result<Self> {
        let names = Object::keys(&given)?;
        let factories = names.into_iter().map(|name| {
            let factory: Object<'_> = given.get_named_property(&name)?;
            let make: Function<'_, Arguments, Unknown<'static>> =
                factory.get_named_property("make")?;
            let fields = factory.get_named_property("fields")?;
            Ok((name, Factory { fields, make: make.create_ref()? }))
        });
        factories.collect::<Result<_>>().map(Self)
    }

    pub fn get(&self, name: &str) -> Option<&Factory> {
        self.0.get(name)
    }
}

impl Factory {
    /// How many fields the record has.
    pub fn fields(&self) -> usize {
        self.fields.len()
    }

    /// The name of the field at a place.
    pub fn field(&self, place: usize) -> Option<&str> {
        self.fields.get(place).map(|field| &**field)
    }

    pub fn make<'env>(
        &self,
        env: &'env Env,
    ) -> Result<Function<'env, Arguments, Unknown<'static>>> {
        self.make.borrow_back(env)
    }
}
