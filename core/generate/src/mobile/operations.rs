//! The methods of the handles.

use std::fmt::Write as _;

use super::Part;
use crate::rust::{Owned, header};
use crate::shared::forms;
use crate::surface::{Argument, Operation, Record};
use crate::types::Type;

pub fn text(part: &Part<'_>) -> Result<String, String> {
    let mut body = String::new();
    for (handle, operations) in [("Platform", &part.platform), ("Agency", &part.agency)] {
        let _ = writeln!(body, "#[uniffi::export]\nimpl {handle} {{");
        for operation in operations {
            body += &method(operation, part)?;
        }
        body += "}\n\n";
    }
    let mirrored = |records: &[&Record]| {
        let names = records.iter().map(|record| &*record.name);
        let names: Vec<_> = names
            .filter(|name| part.is_mirrored(name))
            .filter(|name| body.split(|c: char| !c.is_alphanumeric()).any(|word| word == *name))
            .collect();
        names.join(", ")
    };
    Ok(format!(
        "{}{}
        use crate::awaited::{{brief, long}};
        use crate::failures::PartnerKitError;
        use crate::forms::{{{}}};
        use crate::handles::{{Agency, Platform}};
        use crate::records::{{{}}};

        {body}",
        header("The operations of the handles, which are awaited."),
        part.imported(&body),
        mirrored(&part.forms),
        mirrored(&part.records),
    ))
}

fn method(operation: &Operation, part: &Part<'_>) -> Result<String, String> {
    let (mut taken, mut made, mut lent) = (Vec::new(), String::new(), Vec::new());
    for argument in &operation.arguments {
        let (owned, name) = (Owned::of(argument), &argument.name);
        taken.push(format!("{name}: {}", part.written(&argument.of)?));
        if let Type::Named(of) = &argument.of
            && part.is_mirrored(of)
        {
            let _ = writeln!(made, "let {name} = partnerkit::{of}::from({name});");
        }
        lent.push(owned.lent);
    }
    let optional = |argument: &&Argument| matches!(argument.of, Type::Optional(_));
    let left: Vec<_> = operation.arguments.iter().filter(optional).collect();
    let left: Vec<_> = left.iter().map(|argument| format!("{} = None", argument.name)).collect();
    let defaults = match left.as_slice() {
        [] => String::new(),
        left => format!("#[uniffi::method(default({}))]\n", left.join(", ")),
    };
    let answer = part.written(&operation.answer)?;
    let wrapped =
        if part.is_mirrored(&answer) { format!(".map({answer}::from)") } else { String::new() };
    Ok(format!(
        "{documentation}{defaults}pub async fn {name}(&self, {taken}) -> Result<{answer}, PartnerKitError> {{
            let it = self.0.clone();
            {made}{run}(move || it.{name}({lent}){wrapped}).await
        }}

        ",
        documentation = part.comment(&operation.documentation),
        name = operation.name,
        taken = taken.join(", "),
        run = if forms::hashes(operation, part.surface) { "long" } else { "brief" },
        lent = lent.join(", "),
    ))
}
