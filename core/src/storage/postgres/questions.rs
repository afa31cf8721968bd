//! Translates each query of the contract into statements, and reads their answers.

use std::collections::{BTreeMap, BTreeSet};

use super::codec;
use super::pipeline::{Reply, Statement};
use super::session::Session;
use super::sql;
use crate::error::{Error, Result};
use crate::schema::{Row, Table, damaged};
use crate::storage::{Answer, Ask, Batch, Filter, Get, Inserted, Insertion, Scan, Tell};

/// The statements of a query, and a function that reads their answers.
pub(super) struct Question {
    pub statements: Vec<Statement>,
    pub read: Box<Read>,
}

type Read = dyn FnOnce(&mut Session<'_>, Vec<Reply>) -> Result<Answer>;

impl Question {
    fn new(
        statements: Vec<Statement>,
        read: impl FnOnce(&mut Session<'_>, Vec<Reply>) -> Result<Answer> + 'static,
    ) -> Self {
        Self { statements, read: Box::new(read) }
    }

    /// A query that finds rows.
    pub fn found(table: &'static Table, statements: Vec<Statement>) -> Self {
        Self::new(statements, |_, replies| {
            let rows = replies.iter().flat_map(|reply| &reply.rows);
            rows.map(|row| codec::row(table, row)).collect::<Result<_>>().map(Answer::Found)
        })
    }
}

impl Session<'_> {
    /// Translates a query. Planning a page may take a query of its own.
    pub(super) fn question(&mut self, ask: Ask) -> Result<Question> {
        Ok(match ask {
            Ask::Get(get) => self.get(get),
            Ask::Exist(get) => self.exist(get),
            Ask::Scan(scan) => Question::found(scan.table, vec![sql::scan(&scan)]),
            Ask::Any(scan) => any(&scan),
            Ask::Page(spec) => self.page(&spec)?,
            Ask::Count(filter, cap) => count(&filter, cap),
            Ask::Insert(insertion) => self.insert(insertion),
            Ask::Update(batch) => update(batch),
            Ask::Remove(scan) => remove(&scan),
        })
    }

    pub(super) fn write(&self, write: Tell) -> Vec<Statement> {
        match write {
            Tell::Put(batch) => self.spread().put(batch),
            Tell::Add(batch) => sql::add(batch),
            Tell::Delete(keys) => {
                if keys.table.key == ["agency"] {
                    self.connections().newest.forget();
                }
                self.spread().delete(keys)
            }
        }
    }

    fn get(&self, get: Get) -> Question {
        let (table, n) = (get.table, get.keys.len());
        let scattered = n > 1 && self.spread().is_scattered(table);
        if scattered && get.lock.is_none() && get.by == table.key {
            return find_scattered(table, get.keys);
        }
        let statements = self.spread().get(get);
        Question::new(statements, move |_, replies| placed(table, n, &replies).map(Answer::Rows))
    }

    fn exist(&self, get: Get) -> Question {
        let n = get.keys.len();
        let statements = self.spread().exist(get);
        Question::new(statements, move |_, replies| {
            let each = replies.len() == n;
            let mut exist = vec![false; n];
            for (statement, reply) in replies.iter().enumerate() {
                for row in &reply.rows {
                    let place = if each { statement } else { codec::place(row, 0)? };
                    *exist.get_mut(place).ok_or_else(damaged)? = true;
                }
            }
            Ok(Answer::Updated(exist))
        })
    }

    /// Inserts rows, and then reads the existing ones: a statement after an `INSERT` sees the
    /// commits that the `INSERT` waited for.
    fn insert(&self, insertion: Insertion) -> Question {
        let Insertion { table, rows, lock } = insertion;
        let keys: Vec<_> = rows.iter().map(|row| table.key_of(row)).collect();
        let get = move |keys| Get { table, by: table.key, keys, lock };
        let scattered = keys.len() > 1 && self.spread().inserts_scattered(table);
        if !scattered && self.spread().one_by_one(table, keys.len()) {
            let both = rows.into_iter().zip(keys).flat_map(|(row, key)| {
                let get = self.spread().get(get(vec![key]));
                std::iter::once(sql::insert(table, row)).chain(get)
            });
            return Question::new(both.collect(), move |_, replies| inserted_each(table, &replies));
        }
        let insert = if scattered { sql::insert_scattered } else { sql::insert_all };
        let mut statements = vec![insert(table, rows)];
        // If each row needs its own statement to be locked, only rows that existed already are
        // locked, later: most often there are none.
        if lock.is_some() && !scattered {
            statements.extend(self.spread().get(get(keys.clone())));
        }
        Question::new(statements, move |session, replies| {
            let done = inserted(table, &keys, &replies)?;
            let existing = match &replies[1..] {
                // Most often, no row existed already, so this is empty.
                [] => session.rows(get(refused(keys, &done)))?,
                locked => refused(placed(table, keys.len(), locked)?, &done),
            };
            let mut existing = existing.into_iter().map(existing_or_taken);
            let outcome = |done| if done { Some(Inserted::Done) } else { existing.next() };
            let outcomes: Option<_> = done.into_iter().map(outcome).collect();
            outcomes.map(Answer::Inserted).ok_or_else(damaged)
        })
    }
}

/// Reads rows that may be on different nodes, in one statement.
fn find_scattered(table: &'static Table, keys: Vec<Row>) -> Question {
    let find = sql::find_scattered(table, keys.clone());
    Question::new(vec![find], move |_, replies| {
        let rows = replies.iter().flat_map(|reply| &reply.rows);
        let by_key = |row| codec::row(table, row).map(|row| (table.key_of(&row), row));
        let found: BTreeMap<_, _> = rows.map(by_key).collect::<Result<_>>()?;
        Ok(Answer::Rows(keys.iter().map(|key| found.get(key).cloned()).collect()))
    })
}

/// The rows that were found for `keys` keys. Either each key had a statement of its own, or each
/// row is followed by the place of its key.
fn placed(table: &Table, keys: usize, replies: &[Reply]) -> Result<Vec<Option<Row>>> {
    let mut rows = vec![None; keys];
    for (n, reply) in replies.iter().enumerate() {
        for row in &reply.rows {
            let place = match replies.len() {
                each if each == keys => n,
                _ => codec::place(row, table.columns.len())?,
            };
            *rows.get_mut(place).ok_or_else(damaged)? = Some(codec::row(table, row)?);
        }
    }
    Ok(rows)
}

/// Whether each row was inserted.
fn inserted(table: &Table, keys: &[Row], replies: &[Reply]) -> Result<Vec<bool>> {
    let own = table.key.len() - sql::own(table.key).len();
    let new = replies.first().into_iter().flat_map(|reply| &reply.rows).map(codec::values);
    let mut new: BTreeSet<Row> = new.collect::<Result<_>>()?;
    // `remove`, because of two rows with one key the second one was not inserted.
    Ok(keys.iter().map(|key| new.remove(&key[own..])).collect())
}

/// The items that were not done.
fn refused<T>(all: Vec<T>, done: &[bool]) -> Vec<T> {
    all.into_iter().zip(done).filter(|(_, done)| !**done).map(|(one, _)| one).collect()
}

/// The outcomes of rows each of which was inserted and then read by its own statements.
fn inserted_each(table: &Table, replies: &[Reply]) -> Result<Answer> {
    let one = |both: &[Reply]| match both {
        [inserted, _] if inserted.affected == 1 => Ok(Inserted::Done),
        [_, found] => {
            let row = found.rows.first().map(|row| codec::row(table, row)).transpose()?;
            Ok(existing_or_taken(row))
        }
        _ => Err(damaged()),
    };
    replies.chunks(2).map(one).collect::<Result<_>>().map(Answer::Inserted)
}

fn existing_or_taken(row: Option<Row>) -> Inserted {
    row.map_or(Inserted::Taken, Inserted::Existing)
}

fn update(Batch { table, rows }: Batch) -> Question {
    let statements = rows.into_iter().map(|row| sql::update(table, row)).collect();
    Question::new(statements, |_, replies| {
        let stored = |reply: &Reply| match reply.affected {
            _ if reply.refused => Ok(false),
            1 => Ok(true),
            _ => Err(Error::storage("a row to update was not locked first, or does not exist")),
        };
        replies.iter().map(stored).collect::<Result<_>>().map(Answer::Updated)
    })
}

fn remove(scan: &Scan) -> Question {
    let affected = |replies: Vec<Reply>| replies.iter().map(|reply| reply.affected).sum();
    Question::new(vec![sql::remove(scan)], move |_, replies| Ok(Answer::Count(affected(replies))))
}

fn any(scan: &Scan) -> Question {
    let found = |replies: Vec<Reply>| replies.iter().map(|reply| reply.rows.len() as u64).sum();
    Question::new(vec![sql::any(scan)], move |_, replies| Ok(Answer::Count(found(replies))))
}

fn count(filter: &Filter, cap: u64) -> Question {
    let statements = if cannot_match(filter) { vec![] } else { vec![sql::count(filter, cap)] };
    Question::new(statements, |_, replies| {
        let found = replies.first().and_then(|reply| reply.rows.first());
        let count = found.map_or(Ok(0), |row| codec::integer(row, 0))?;
        Ok(Answer::Count(count.unsigned_abs()))
    })
}

/// Whether a term contains NUL: no stored text has this character, and the server refuses it.
pub(super) fn cannot_match(filter: &Filter) -> bool {
    filter.terms.iter().any(|term| term.contains('\0'))
}
