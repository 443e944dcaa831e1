//! Statements that go to the database together. The engine works on a thread of its own, and a trip there and back costs
//! more than a small statement does.

use std::fmt::Write;

use futures_util::TryStreamExt;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Either, Executor};

use super::value::{self, Value};
use super::{Record, dialect};
use crate::error::Result;

/// A statement with its values.
#[derive(Debug, Clone)]
pub struct Statement {
    sql: &'static str,
    values: Vec<Value>,
}

impl Statement {
    /// A statement with the values of its placeholders.
    pub fn new(sql: &'static str, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement { sql, values: values.into_iter().collect() }
    }
}

/// What statements answered, each with its rows and the number of rows it changed.
pub struct Answers(std::vec::IntoIter<(Vec<SqliteRow>, u64)>);

impl Answers {
    /// The rows of the next statement.
    pub fn rows<T: Record>(&mut self) -> Result<Vec<T>> {
        let (rows, _) = self.0.next().unwrap_or_default();
        rows.iter().map(|row| T::from_row(row).map_err(dialect::error)).collect()
    }

    /// How many rows the next statement changed.
    pub(super) fn changed(&mut self) -> u64 {
        self.0.next().map_or(0, |(_, changed)| changed)
    }
}

/// Statements on their way, in order. The first that fails is the last that runs.
#[derive(Default)]
pub(super) struct Trip {
    text: String,
    arguments: SqliteArguments,
    values: usize,
    statements: usize,
}

impl Trip {
    /// How many statements.
    pub(super) fn len(&self) -> usize {
        self.statements
    }

    pub(super) fn add(&mut self, statement: Statement) {
        if self.statements > 0 {
            self.text.push_str(";\n");
        }
        renumber(&mut self.text, statement.sql, self.values);
        self.values += statement.values.len();
        self.statements += 1;
        statement.values.into_iter().for_each(|value| value::bind(&mut self.arguments, value));
    }

    /// Runs them all and answers for the last `wanted` of them.
    pub(super) async fn run(self, conn: &mut SqliteConnection, wanted: usize) -> Result<Answers> {
        let mut answers = Vec::with_capacity(self.statements);
        let mut rows = Vec::new();
        let query = sqlx::query_with(AssertSqlSafe(self.text), self.arguments);
        let mut results = conn.fetch_many(query);
        // The last answer is the end: waiting for the stream's own end is a wait more.
        while answers.len() < self.statements
            && let Some(result) = results.try_next().await.map_err(dialect::error)?
        {
            match result {
                Either::Right(row) => rows.push(row),
                Either::Left(done) => answers.push((std::mem::take(&mut rows), done.rows_affected())),
            }
        }
        let unwanted = answers.len().saturating_sub(wanted);
        answers.drain(..unwanted);
        Ok(Answers(answers.into_iter()))
    }
}

/// Appends a statement whose first placeholder becomes the one after `offset`.
fn renumber(text: &mut String, sql: &str, offset: usize) {
    let mut parts = sql.split('$');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: usize = part[..digits].parse().unwrap_or(0);
        // Writing into a string cannot fail.
        let _ = write!(text, "${}{}", number + offset, &part[digits..]);
    }
}
