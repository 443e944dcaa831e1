//! What can be bound to a statement. A short list instead of generics in every query: it reads better and compiles faster.

use sqlx::query::{Query, QueryAs};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, Sqlite};

use crate::clock::Millis;
use crate::id::Id;

use super::Record;

/// One bound value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// Integers, ids, times, booleans as 0 and 1.
    Int(i64),
    /// Text, JSON included.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// Rows for a statement's `bulk_rows!`: a list of tuples.
    pub fn json(rows: &impl serde::Serialize) -> Value {
        // Tuples of numbers and text, which always serialise.
        Value::Text(serde_json::to_string(rows).unwrap_or_default())
    }

    /// Ids for a statement's `id_rows!`.
    pub fn ids<T: Id>(ids: &[T]) -> Value {
        let numbers: Vec<i64> = ids.iter().map(|id| id.number()).collect();
        Value::json(&numbers)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}
impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Int(flag.into())
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}
impl From<&String> for Value {
    fn from(text: &String) -> Value {
        Value::Text(text.clone())
    }
}
impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Value {
        Value::Blob(bytes)
    }
}
impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Value {
        Value::Blob(bytes.to_vec())
    }
}
impl From<[u8; 32]> for Value {
    fn from(bytes: [u8; 32]) -> Value {
        Value::Blob(bytes.to_vec())
    }
}
impl From<Millis> for Value {
    fn from(moment: Millis) -> Value {
        Value::Int(moment.0)
    }
}
impl<T: Id> From<T> for Value {
    fn from(id: T) -> Value {
        Value::Int(id.number())
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

/// The values of a statement, in the order of its placeholders.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::storage::Value::from($value)),*] };
}

/// Appends a value to those of a statement.
pub(super) fn bind(arguments: &mut SqliteArguments, value: Value) {
    let bound = match value {
        Value::Null => arguments.add(None::<i64>),
        Value::Int(number) => arguments.add(number),
        Value::Text(text) => arguments.add(text),
        Value::Blob(bytes) => arguments.add(bytes),
    };
    bound.expect("integers, text and bytes have nothing to encode");
}

fn arguments(values: impl IntoIterator<Item = Value>) -> SqliteArguments {
    values.into_iter().fold(SqliteArguments::default(), |mut arguments, value| {
        bind(&mut arguments, value);
        arguments
    })
}

pub(super) fn query(
    sql: &'static str,
    values: impl IntoIterator<Item = Value>,
) -> Query<'static, Sqlite, SqliteArguments> {
    sqlx::query_with(sql, arguments(values))
}

pub(super) fn query_as<T: Record>(
    sql: &'static str,
    values: impl IntoIterator<Item = Value>,
) -> QueryAs<'static, Sqlite, T, SqliteArguments> {
    sqlx::query_as_with(sql, arguments(values))
}
