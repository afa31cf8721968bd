//! The classes of the package from which answers are made, looked up once.

use std::ops::Deref;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyType};
use rustc_hash::FxHashMap;
use uuid::Uuid;

use crate::class::once;

/// Every class that an answer can contain.
pub struct Classes {
    records: FxHashMap<String, Record>,
    enumerations: FxHashMap<String, Enumeration>,
    uuid: Frozen,
    is_safe: Py<PyAny>,
}

/// The members of an enumeration, by their slugs.
pub struct Enumeration(Vec<(String, Py<PyAny>)>);

/// A frozen dataclass.
pub struct Record {
    class: Frozen,
    fields: Vec<Field>,
}

/// A field of a record.
pub struct Field {
    name: String,
    slot: Py<PyString>,
}

/// A frozen class whose objects have slots. Its `__init__` sets the slots one by one, at several
/// times the cost of doing it here. So an object is made and filled as one of a mutable subclass
/// that adds nothing, and then its class is changed to the frozen one.
pub struct Frozen {
    class: Py<PyType>,
    unfrozen: Py<PyType>,
}

impl Classes {
    pub fn get(py: Python<'_>) -> PyResult<&Self> {
        static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();
        once(py, &CLASSES, || Self::load(py))
    }

    fn load(py: Python<'_>) -> PyResult<Self> {
        let uuid = py.import("uuid")?;
        let mut classes = Self {
            records: FxHashMap::default(),
            enumerations: FxHashMap::default(),
            uuid: Frozen::new(uuid.getattr("UUID")?.cast()?)?,
            is_safe: uuid.getattr("SafeUUID")?.getattr("unknown")?.unbind(),
        };
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
        let made = self.uuid.empty(py)?;
        made.setattr(intern!(py, "int"), uuid.as_u128())?;
        made.setattr(intern!(py, "is_safe"), &self.is_safe)?;
        self.uuid.freeze(&made)?;
        Ok(made)
    }
}

impl Enumeration {
    /// The member with a slug, which mostly stands at the variant's place.
    pub fn member<'py>(
        &self,
        py: Python<'py>,
        place: u32,
        slug: &str,
    ) -> Option<Bound<'py, PyAny>> {
        let is_it = |member: &&(String, Py<PyAny>)| member.0 == slug;
        let at_its_place = self.0.get(place as usize).filter(is_it);
        let (_, member) = at_its_place.or_else(|| self.0.iter().find(is_it))?;
        Some(member.bind(py).clone())
    }
}

impl Record {
    fn new(class: &Bound<'_, PyType>) -> PyResult<Self> {
        let fields = class.py().import("dataclasses")?.call_method1("fields", (class,))?;
        let fields = fields.try_iter()?.map(|field| Field::new(&field?));
        Ok(Self { class: Frozen::new(class)?, fields: fields.collect::<PyResult<_>>()? })
    }

    /// The field at a place, if it has this name.
    pub fn field(&self, place: usize, name: &str) -> Option<&Field> {
        self.fields.get(place).filter(|field| field.name == name)
    }

    /// The name of the field at a place.
    pub fn name(&self, place: usize) -> Option<&str> {
        self.fields.get(place).map(|field| &*field.name)
    }
}

impl Deref for Record {
    type Target = Frozen;

    fn deref(&self) -> &Frozen {
        &self.class
    }
}

impl Frozen {
    fn new(class: &Bound<'_, PyType>) -> PyResult<Self> {
        let py = class.py();
        let object = py.get_type::<PyAny>();
        let body = PyDict::new(py);
        body.set_item("__slots__", ())?;
        // Setting is fast only if deleting is also that of `object`, because both are one slot in
        // C.
        for method in ["__init__", "__setattr__", "__delattr__"] {
            body.set_item(method, object.getattr(method)?)?;
        }
        let unfrozen = py.get_type::<PyType>().call1((class.name()?, (class,), body))?;
        Ok(Self { class: class.clone().unbind(), unfrozen: unfrozen.cast_into()?.unbind() })
    }

    /// An object without values yet.
    pub fn empty<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.unfrozen.bind(py).call0()
    }

    /// Changes the class of a filled object to the frozen one.
    pub fn freeze(&self, filled: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = filled.py();
        filled.setattr(intern!(py, "__class__"), self.class.bind(py))
    }
}

impl Field {
    fn new(field: &Bound<'_, PyAny>) -> PyResult<Self> {
        let name: String = field.getattr("name")?.extract()?;
        let slot = PyString::intern(field.py(), &name).unbind();
        Ok(Self { name, slot })
    }

    /// Puts a value into the slot of an object.
    pub fn set<'py>(&self, of: &Bound<'py, PyAny>, value: Bound<'py, PyAny>) -> PyResult<()> {
        of.setattr(self.slot.bind(of.py()), value)
    }
}
