//! What can be bound to a statement. A short list instead of generics in every query: it reads better and compiles faster.

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::clock::Millis;
use crate::id::Id;

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

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
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
