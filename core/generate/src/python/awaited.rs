//! Rewrites an example with blocking calls into one with awaited calls.

/// The texts with which a call begins on a handle that every example has.
const HANDLES: [&str; 3] = ["agency.", "platform.", "partnerkit.Platform."];

/// The calls that return a handle.
const ANSWERS_HANDLE: [&str; 5] =
    [".create_agency(", ".ensure_agency(", ".agency(", ".acting_as(", "partnerkit.Platform.open("];

/// Methods that do not use the store, and so are not awaited.
const AT_ONCE: [&str; 2] = ["acting_as", "login_url"];

/// The code with `await` before each call on a handle.
pub fn awaited(code: &str) -> String {
    let own = code.lines().filter_map(named_handle);
    let handles: Vec<_> = HANDLES.map(str::to_owned).into_iter().chain(own).collect();
    awaited_on(&handles, code).replace("partnerkit.Platform", "partnerkit.AsyncPlatform")
}

/// The text with which a call begins on the handle that this line stores in a variable, if it does.
fn named_handle(line: &str) -> Option<String> {
    let (name, made) = line.split_once(" = ")?;
    let made = made.split("  #").next().unwrap_or(made);
    let begins = ANSWERS_HANDLE.iter().find_map(|call| Some(made.find(call)? + call.len() - 1))?;
    (closing(made, begins)? == made.len()).then(|| format!("{}.", name.trim()))
}

fn awaited_on(handles: &[String], code: &str) -> String {
    let mut text = String::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let in_word = text.ends_with(|c: char| c.is_alphanumeric() || "_.\"'".contains(c));
        match call(handles, rest).filter(|_| !in_word) {
            Some((call, after)) => {
                text += &asked(handles, call, after);
                rest = after;
            }
            None => {
                text.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    text
}

/// A call on a handle that has to be awaited, and what follows it.
fn call<'c>(handles: &[String], code: &'c str) -> Option<(&'c str, &'c str)> {
    let handle = handles.iter().find(|handle| code.starts_with(&***handle))?;
    let mut at = handle.len();
    loop {
        let opens = at + code[at..].find(|c: char| !c.is_alphanumeric() && c != '_')?;
        if !code[opens..].starts_with('(') {
            return None;
        }
        let closes = closing(code, opens)?;
        if !AT_ONCE.contains(&&code[at..opens]) {
            return Some(code.split_at(closes));
        }
        at = closes + code[closes..].strip_prefix('.').map(|_| 1)?;
    }
}

/// The end of the parenthesis that is opened here. Parentheses within string literals must be
/// balanced.
fn closing(code: &str, opens: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in code[opens..].char_indices() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if depth == 0 {
            return Some(opens + at + 1);
        }
    }
    None
}

fn asked(handles: &[String], call: &str, after: &str) -> String {
    let opens = call.find('(').unwrap_or(call.len());
    let (before, arguments) = call.split_at(opens);
    let call = format!("await {before}{}", awaited_on(handles, arguments));
    if after.starts_with(['.', '[']) { format!("({call})") } else { call }
}

#[cfg(test)]
mod tests {
    use super::awaited;

    #[test]
    fn calls_on_handles_are_awaited() {
        for (code, expected) in [
            ("agency.unlock(acme.id)", "await agency.unlock(acme.id)"),
            ("x = agency.page().next", "x = (await agency.page()).next"),
            ("assert agency.id == acme.agency", "assert agency.id == acme.agency"),
            ("platform.login_url('acme')", "platform.login_url('acme')"),
            ("agency.acting_as('x').unlock(1)", "await agency.acting_as('x').unlock(1)"),
            (
                "platform.sign_in(platform.agency('a').id)",
                "await platform.sign_in((await platform.agency('a')).id)",
            ),
            (
                "copy = partnerkit.Platform.open('memory:')",
                "copy = await partnerkit.AsyncPlatform.open('memory:')",
            ),
            (
                "there = platform.agency('a')  # is there\nthere.overview()",
                "there = await platform.agency('a')  # is there\nawait there.overview()",
            ),
            (
                "found = platform.agency('a').overview()\nfound.totals()",
                "found = (await platform.agency('a')).overview()\nfound.totals()",
            ),
        ] {
            assert_eq!(awaited(code), expected);
        }
    }
}
