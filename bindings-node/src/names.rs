//! The names of fields: `camelCase` in JavaScript, `snake_case` in the core.

/// A name of a form that the form does not have begins with this character, which no name has, so
/// that it is not taken for the core's name of another field.
const UNKNOWN: char = '\0';

/// A name that a form does not have, marked as such.
pub fn unknown(name: &str) -> String {
    format!("{UNKNOWN}{name}")
}

/// The fields of a form: the name in JavaScript, the core's name, and the fields within, if the
/// field is a form, too. The tables are generated.
pub struct Names(pub &'static [(&'static str, &'static str, Option<&'static Names>)]);

impl Names {
    /// The core's name of a field, and the fields within. A name that the form does not have is
    /// marked, so that the core refuses it, even if it is the core's name of another field.
    pub fn of(&self, name: &str) -> (String, Option<&'static Names>) {
        match self.0.iter().find(|(known, ..)| *known == name) {
            Some((_, name, within)) => ((*name).to_owned(), *within),
            None => (unknown(name), None),
        }
    }
}

/// The core's path of a field, by its names in JavaScript: `contact.email`.
pub fn path(names: &'static Names, field: &str) -> String {
    let mut within = Some(names);
    let of = |name: &str| {
        let (name, next) = within.map_or((name.to_owned(), None), |names| names.of(name));
        within = next;
        name
    };
    field.split('.').map(of).collect::<Vec<_>>().join(".")
}

/// The path of a refused field by its names in JavaScript.
pub fn told(path: &str) -> String {
    if path.contains(UNKNOWN) { path.replace(UNKNOWN, "") } else { camel(path) }
}

/// `login_domain` is `loginDomain`.
fn camel(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut after = false;
    for c in name.chars() {
        match c {
            '_' => after = true,
            c if after => {
                camel.extend(c.to_uppercase());
                after = false;
            }
            c => camel.push(c),
        }
    }
    camel
}
