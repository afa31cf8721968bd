//! The classes of the package that answers are made of, looked up once.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyType};
use uuid::Uuid;

/// Every class that an answer can have in it.
pub struct Classes {
    records: HashMap<String, Record>,
    enumerations: HashMap<String, Enumeration>,
    uuid: Uuids,
}

/// The members of an enumeration, by their slugs.
pub struct Enumeration(Vec<(String, Py<PyAny>)>);

/// How a `uuid.UUID` is made: by its slots, which is four times as fast as by calling it, or by
/// calling it where a release of Python has other slots.
enum Uuids {
    Slots { of: Record, safety: Py<PyAny> },
    Call,
}

/// A frozen dataclass with slots. An object of it is made empty and then filled slot by slot:
/// its own `__init__` does the same, at more than twice the cost.
pub struct Record {
    /// `object.__new__` and its argument.
    new: Py<PyAny>,
    class: Py<PyType>,
    pub fields: Vec<Field>,
}

/// A field of a record.
pub struct Field {
    pub name: String,
    /// Puts a value into the slot.
    set: Py<PyAny>,
    /// Whether a sequence in it is a tuple, and not a list.
    pub is_tuple: bool,
}

impl Classes {
    pub fn get(py: Python<'_>) -> PyResult<&Self> {
        static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();
        CLASSES.get_or_try_init(py, || Self::load(py))
    }

    fn load(py: Python<'_>) -> PyResult<Self> {
        let mut classes =
            Self { records: HashMap::new(), enumerations: HashMap::new(), uuid: Uuids::load(py)? };
        for module in ["partnerkit.records", "partnerkit.errors"] {
            let module = py.import(module)?;
            for name in module.getattr("__all__")?.cast_into::<PyList>()? {
                let name: String = name.extract()?;
                let class = module.getattr(name.as_str())?.cast_into::<PyType>()?;
                classes.add(name, &class)?;
            }
        }
        Ok(classes)
    }

    fn add(&mut self, name: String, class: &Bound<'_, PyType>) -> PyResult<()> {
        if class.hasattr("__dataclass_fields__")? {
            self.records.insert(name, Record::of_dataclass(class)?);
        } else if let Some(members) = class.getattr_opt("__members__")? {
            let members = members.call_method0("values")?.try_iter()?;
            let by_slug = members.map(|member| {
                let member = member?;
                Ok((member.getattr("value")?.extract()?, member.unbind()))
            });
            self.enumerations.insert(name, Enumeration(by_slug.collect::<PyResult<_>>()?));
        }
        Ok(())
    }

    /// The record of this name.
    pub fn record(&self, name: &str) -> Option<&Record> {
        self.records.get(name)
    }

    /// The members of the enumeration of this name.
    pub fn enumeration(&self, name: &str) -> Option<&Enumeration> {
        self.enumerations.get(name)
    }

    /// A `uuid.UUID`.
    pub fn uuid<'py>(&self, py: Python<'py>, uuid: Uuid) -> PyResult<Bound<'py, PyAny>> {
        let Uuids::Slots { of, safety } = &self.uuid else {
            return Ok(uuid.into_pyobject(py)?.into_any());
        };
        let object = of.empty(py)?;
        let values = [uuid.as_u128().into_pyobject(py)?.into_any(), safety.bind(py).clone()];
        for (field, value) in of.fields.iter().zip(values) {
            field.set(&object, value)?;
        }
        Ok(object)
    }
}

impl Enumeration {
    pub fn member<'py>(&self, py: Python<'py>, slug: &str) -> Option<Bound<'py, PyAny>> {
        let (_, member) = self.0.iter().find(|(known, _)| known == slug)?;
        Some(member.bind(py).clone())
    }
}

impl Uuids {
    fn load(py: Python<'_>) -> PyResult<Self> {
        let module = py.import("uuid")?;
        let class = module.getattr("UUID")?.cast_into()?;
        let slots = ["int", "is_safe"].map(|name| Field::new(&class, name.into(), false));
        let Ok(fields) = slots.into_iter().collect() else { return Ok(Self::Call) };
        let safety = module.getattr("SafeUUID")?.getattr("unknown")?.unbind();
        Ok(Self::Slots { of: Record::new(&class, fields)?, safety })
    }
}

impl Record {
    fn of_dataclass(class: &Bound<'_, PyType>) -> PyResult<Self> {
        let fields = class.py().import("dataclasses")?.call_method1("fields", (class,))?;
        let fields = fields.try_iter()?.map(|field| {
            let field = field?;
            let annotated = field.getattr("type")?.str()?.to_string();
            Field::new(class, field.getattr("name")?.extract()?, annotated.starts_with("tuple["))
        });
        Self::new(class, fields.collect::<PyResult<_>>()?)
    }

    fn new(class: &Bound<'_, PyType>, fields: Vec<Field>) -> PyResult<Self> {
        let new = class.py().import("builtins")?.getattr("object")?.getattr("__new__")?;
        Ok(Self { new: new.unbind(), class: class.clone().unbind(), fields })
    }

    /// An object without values yet.
    pub fn empty<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.new.bind(py).call1((self.class.bind(py),))
    }
}

impl Field {
    fn new(class: &Bound<'_, PyType>, name: String, is_tuple: bool) -> PyResult<Self> {
        let set = class.getattr(name.as_str())?.getattr("__set__")?.unbind();
        Ok(Self { name, set, is_tuple })
    }

    /// Puts a value into the slot of an object.
    pub fn set<'py>(&self, of: &Bound<'py, PyAny>, value: Bound<'py, PyAny>) -> PyResult<()> {
        self.set.bind(of.py()).call1((of, value)).map(drop)
    }
}
