//! The classes of the package that answers are made of, looked up once.

use std::collections::HashMap;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};
use uuid::Uuid;

/// Every class that an answer can have in it.
pub struct Classes {
    records: HashMap<String, Record>,
    enumerations: HashMap<String, Enumeration>,
    uuid: Uuids,
}

/// The members of an enumeration, by their slugs.
pub struct Enumeration(Vec<(String, Py<PyAny>)>);

/// A frozen dataclass with slots. An object is filled as one of a class that has the same slots and
/// is not frozen, and is then said to be one of the record's class: the class's own `__init__` sets
/// the same slots at five times the cost.
pub struct Record {
    class: Py<PyType>,
    unfrozen: Py<PyType>,
    fields: Vec<Field>,
}

/// A field of a record.
pub struct Field {
    name: String,
    slot: Py<PyString>,
    /// Whether a sequence in it is a tuple, and not a list.
    pub is_tuple: bool,
}

/// How a `uuid.UUID` is made: by its slots, which is four times as fast as by calling it, or by
/// calling it where a release of Python has other slots.
enum Uuids {
    Slots {
        new: Py<PyAny>,
        class: Py<PyType>,
        int: Py<PyAny>,
        is_safe: Py<PyAny>,
        safety: Py<PyAny>,
    },
    Call,
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
                if let Ok(class) = module.getattr(name.as_str())?.cast_into::<PyType>() {
                    classes.add(name, &class)?;
                }
            }
        }
        Ok(classes)
    }

    fn add(&mut self, name: String, class: &Bound<'_, PyType>) -> PyResult<()> {
        if class.hasattr("__dataclass_fields__")? {
            self.records.insert(name, Record::new(class)?);
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
        let Uuids::Slots { new, class, int, is_safe, safety } = &self.uuid else {
            return Ok(uuid.into_pyobject(py)?.into_any());
        };
        let made = new.bind(py).call1((class,))?;
        int.bind(py).call1((&made, uuid.as_u128()))?;
        is_safe.bind(py).call1((&made, safety))?;
        Ok(made)
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
        let class = module.getattr("UUID")?.cast_into::<PyType>()?;
        let setter = |slot| class.getattr(slot)?.getattr("__set__").map(Bound::unbind);
        let (Ok(int), Ok(is_safe)) = (setter("int"), setter("is_safe")) else {
            return Ok(Self::Call);
        };
        let new = py.get_type::<PyAny>().getattr("__new__")?.unbind();
        let safety = module.getattr("SafeUUID")?.getattr("unknown")?.unbind();
        Ok(Self::Slots { new, class: class.unbind(), int, is_safe, safety })
    }
}

impl Record {
    fn new(class: &Bound<'_, PyType>) -> PyResult<Self> {
        let py = class.py();
        let fields = py.import("dataclasses")?.call_method1("fields", (class,))?;
        let fields: Vec<_> =
            fields.try_iter()?.map(|field| Field::new(&field?)).collect::<PyResult<_>>()?;
        let slots = PyDict::new(py);
        slots.set_item("__slots__", PyTuple::new(py, fields.iter().map(|field| &field.slot))?)?;
        let unfrozen = py.get_type::<PyType>().call1((class.name()?, (), slots))?;
        let unfrozen = unfrozen.cast_into()?.unbind();
        Ok(Self { class: class.clone().unbind(), unfrozen, fields })
    }

    /// An object without values yet.
    pub fn empty<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.unfrozen.bind(py).call0()
    }

    /// The field at a place, which must be that of the name.
    pub fn field(&self, place: usize, name: &str) -> Option<&Field> {
        self.fields.get(place).filter(|field| field.name == name)
    }

    /// The name of the field at a place.
    pub fn name(&self, place: usize) -> Option<&str> {
        self.fields.get(place).map(|field| &*field.name)
    }

    /// Makes a filled object one of the class.
    pub fn freeze(&self, filled: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = filled.py();
        filled.setattr(intern!(py, "__class__"), self.class.bind(py))
    }
}

impl Field {
    fn new(field: &Bound<'_, PyAny>) -> PyResult<Self> {
        let name: String = field.getattr("name")?.extract()?;
        let slot = PyString::intern(field.py(), &name).unbind();
        let is_tuple = field.getattr("type")?.str()?.to_string_lossy().starts_with("tuple[");
        Ok(Self { name, slot, is_tuple })
    }

    /// Puts a value into the slot of an object.
    pub fn set<'py>(&self, of: &Bound<'py, PyAny>, value: Bound<'py, PyAny>) -> PyResult<()> {
        of.setattr(self.slot.bind(of.py()), value)
    }
}
