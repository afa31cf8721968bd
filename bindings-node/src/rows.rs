//! Queries and writes as plain JavaScript objects, and their answers.

use std::ops::Bound;

use partnerkit::schema::{RESELLERS, Row, Table};
use partnerkit::storage::{
    Answer, Ask, Batch, Condition, Filter, Get, Inserted, Insertion, Is, Keys, Lock, PageSpec,
    Scan, Tell,
};

use crate::value::Js;

/// A query: its verb and its parameters.
pub fn question(ask: &Ask) -> Js {
    match ask {
        Ask::Get(Get { table, by, keys, lock }) | Ask::Exist(Get { table, by, keys, lock }) => on(
            "get",
            table,
            vec![("by", Js::texts(*by)), ("keys", Js::rows(keys)), ("lock", lock_slug(*lock))],
        ),
        Ask::Scan(scan) | Ask::Any(scan) => range("scan", scan),
        Ask::Page(PageSpec { filter, order, descending, after, limit }) => {
            let place = |(value, id): &(_, uuid::Uuid)| {
                Js::List(vec![Js::from(value), Js::Text(id.to_string())])
            };
            Js::Object(vec![
                ("verb", "page".into()),
                ("filter", conditions(filter)),
                ("order", Js::from(*order)),
                ("descending", Js::Bool(*descending)),
                ("after", after.as_ref().map(place).into()),
                ("limit", Js::Number((*limit).into())),
            ])
        }
        Ask::Count(filter, cap) => {
            let cap = Js::Integer(i64::try_from(*cap).unwrap_or(i64::MAX));
            Js::Object(vec![("verb", "count".into()), ("filter", conditions(filter)), ("cap", cap)])
        }
        Ask::Insert(Insertion { table, rows, lock }) => {
            on("insert", table, vec![("rows", Js::rows(rows)), ("lock", lock_slug(*lock))])
        }
        Ask::Update(batch) => stored("update", batch),
        Ask::Remove(scan) => range("remove", scan),
    }
}

/// A write, in the form of a query.
pub fn write(tell: &Tell) -> Js {
    match tell {
        Tell::Put(batch) => stored("put", batch),
        Tell::Add(batch) => stored("add", batch),
        Tell::Delete(Keys { table, keys }) => on("delete", table, vec![("keys", Js::rows(keys))]),
    }
}

/// The answers, one for each query; `None` if one is missing or has the wrong shape.
pub fn answers(questions: &[Ask], answers: Js) -> Option<Vec<Answer>> {
    let answers = each(answers, questions.len(), Some)?;
    questions.iter().zip(answers).map(|(question, answer)| read(question, answer)).collect()
}

fn read(question: &Ask, answer: Js) -> Option<Answer> {
    match question {
        Ask::Get(Get { table, keys, .. }) => each(answer, keys.len(), |row| match row {
            Js::Null => Some(None),
            row => row.into_row(table).map(Some),
        })
        .map(Answer::Rows),
        // Other languages have no verb of their own for it.
        Ask::Exist(Get { keys, .. }) => {
            each(answer, keys.len(), |row| Some(!matches!(row, Js::Null))).map(Answer::Updated)
        }
        Ask::Scan(Scan { table, limit, .. }) => found(answer, table, *limit),
        Ask::Any(Scan { table, limit, .. }) => match found(answer, table, *limit)? {
            Answer::Found(rows) => Some(Answer::Count(rows.len() as u64)),
            _ => None,
        },
        Ask::Page(PageSpec { limit, .. }) => found(answer, &RESELLERS, *limit),
        Ask::Insert(Insertion { table, rows, .. }) => each(answer, rows.len(), |row| match row {
            Js::Bool(true) => Some(Inserted::Done),
            Js::Bool(false) => Some(Inserted::Taken),
            row => row.into_row(table).map(Inserted::Existing),
        })
        .map(Answer::Inserted),
        Ask::Update(Batch { rows, .. }) => each(answer, rows.len(), |stored| match stored {
            Js::Bool(stored) => Some(stored),
            _ => None,
        })
        .map(Answer::Updated),
        Ask::Count(..) | Ask::Remove(_) => match answer {
            Js::Integer(count) => u64::try_from(count).ok().map(Answer::Count),
            _ => None,
        },
    }
}

fn each<A>(answer: Js, asked: usize, read: impl Fn(Js) -> Option<A>) -> Option<Vec<A>> {
    match answer {
        Js::List(items) if items.len() == asked => items.into_iter().map(read).collect(),
        _ => None,
    }
}

fn found(answer: Js, table: &Table, limit: u32) -> Option<Answer> {
    let Js::List(rows) = answer else { return None };
    if rows.len() > limit as usize {
        return None;
    }
    let rows: Option<Vec<Row>> = rows.into_iter().map(|row| row.into_row(table)).collect();
    rows.map(Answer::Found)
}

fn on(verb: &str, table: &Table, mut rest: Vec<(&'static str, Js)>) -> Js {
    let mut fields = vec![("verb", Js::from(verb)), ("table", Js::from(table.name))];
    fields.append(&mut rest);
    Js::Object(fields)
}

fn stored(verb: &str, Batch { table, rows }: &Batch) -> Js {
    on(verb, table, vec![("rows", Js::rows(rows))])
}

fn range(verb: &str, scan: &Scan) -> Js {
    let Scan { table, columns, equals, range: (from, to), reverse, limit, lock } = scan;
    on(
        verb,
        table,
        vec![
            ("columns", Js::texts(*columns)),
            ("equals", Js::row(equals)),
            ("range", Js::List(vec![bound(from), bound(to)])),
            ("reverse", Js::Bool(*reverse)),
            ("limit", Js::Number((*limit).into())),
            ("lock", lock_slug(*lock)),
        ],
    )
}

fn bound(bound: &Bound<Row>) -> Js {
    let (row, inclusive) = match bound {
        Bound::Unbounded => return Js::Null,
        Bound::Included(row) => (row, true),
        Bound::Excluded(row) => (row, false),
    };
    Js::Object(vec![("values", Js::row(row)), ("inclusive", Js::Bool(inclusive))])
}

fn conditions(Filter { agency, terms, conditions }: &Filter) -> Js {
    let condition = |Condition { column, is }: &Condition| {
        let (what, value) = match is {
            Is::Slug(slug) => ("slug", Js::from(*slug)),
            Is::AtLeast(value) => ("at_least", value.into()),
            Is::Below(value) => ("below", value.into()),
        };
        Js::Object(vec![("column", (*column).into()), ("what", what.into()), ("value", value)])
    };
    Js::Object(vec![
        ("agency", agency.as_str().into()),
        ("terms", Js::texts(terms)),
        ("conditions", Js::List(conditions.iter().map(condition).collect())),
    ])
}

fn lock_slug(lock: Option<Lock>) -> Js {
    let slug = |lock| match lock {
        Lock::KeyShare => "key_share",
        Lock::Share => "share",
        Lock::NoKeyUpdate => "no_key_update",
        Lock::Update => "update",
    };
    lock.map(slug).into()
}
