//! What can be bound to a statement. A short list instead of generics in every query: it reads better and compiles faster.

use sqlx::Sqlite;
use sqlx::query::{Query, QueryAs};
use sqlx::sqlite::SqliteArguments;

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
    /// Ids for a statement's `id_rows!`.
    pub fn ids<T: Id>(ids: &[T]) -> Value {
        let numbers: Vec<i64> = ids.iter().map(|id| id.number()).collect();
        Value::Text(serde_json::json!(numbers).to_string())
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

pub(super) fn query(
    sql: &'static str,
    values: impl IntoIterator<Item = Value>,
) -> Query<'static, Sqlite, SqliteArguments> {
    values.into_iter().fold(sqlx::query(sql), |query, value| match value {
        Value::Null => query.bind(None::<i64>),
        Value::Int(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
        Value::Blob(bytes) => query.bind(bytes),
    })
}

pub(super) fn query_as<T: Record>(
    sql: &'static str,
    values: impl IntoIterator<Item = Value>,
) -> QueryAs<'static, Sqlite, T, SqliteArguments> {
    values.into_iter().fold(sqlx::query_as(sql), |query, value| match value {
        Value::Null => query.bind(None::<i64>),
        Value::Int(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
        Value::Blob(bytes) => query.bind(bytes),
    })
}
