//! Reads rows into types. Columns are read in the order of the statement; debug builds check their names too.

use rusqlite::Row;
use rusqlite::types::{FromSqlError, FromSqlResult, ValueRef};

use crate::clock::Millis;
use crate::id::Id;

/// A type that one column can be read into.
pub trait Column: Sized {
    /// Reads one value.
    ///
    /// # Errors
    /// When the value has another type.
    fn read(value: ValueRef<'_>) -> FromSqlResult<Self>;
}

impl Column for i64 {
    fn read(value: ValueRef<'_>) -> FromSqlResult<i64> {
        value.as_i64()
    }
}
impl Column for bool {
    fn read(value: ValueRef<'_>) -> FromSqlResult<bool> {
        value.as_i64().map(|number| number != 0)
    }
}
impl Column for String {
    fn read(value: ValueRef<'_>) -> FromSqlResult<String> {
        value.as_str().map(str::to_owned)
    }
}
impl Column for Vec<u8> {
    fn read(value: ValueRef<'_>) -> FromSqlResult<Vec<u8>> {
        value.as_blob().map(<[u8]>::to_vec)
    }
}
impl Column for Millis {
    fn read(value: ValueRef<'_>) -> FromSqlResult<Millis> {
        value.as_i64().map(Millis)
    }
}
impl<T: Id> Column for T {
    fn read(value: ValueRef<'_>) -> FromSqlResult<T> {
        value.as_i64().map(T::from_number)
    }
}
impl<T: Column> Column for Option<T> {
    fn read(value: ValueRef<'_>) -> FromSqlResult<Option<T>> {
        if value == ValueRef::Null { Ok(None) } else { T::read(value).map(Some) }
    }
}

/// The columns of a row that have not been read yet.
pub struct Columns<'row> {
    row: &'row Row<'row>,
    next: usize,
}

impl<'row> Columns<'row> {
    pub(super) fn of(row: &'row Row<'row>) -> Columns<'row> {
        Columns { row, next: 0 }
    }

    /// Reads the next column.
    ///
    /// # Errors
    /// When there is none, or it has another type.
    pub fn take<T: Column>(&mut self) -> rusqlite::Result<T> {
        let index = self.next;
        self.next += 1;
        let value = self.row.get_ref(index)?;
        T::read(value).map_err(|error| match error {
            FromSqlError::InvalidType => {
                let name = self.row.as_ref().column_name(index).unwrap_or_default().to_owned();
                rusqlite::Error::InvalidColumnType(index, name, value.data_type())
            }
            other => rusqlite::Error::FromSqlConversionFailure(index, value.data_type(), Box::new(other)),
        })
    }

    /// Reads the next column, which the statement must call `name`.
    ///
    /// # Errors
    /// As [`Self::take`].
    ///
    /// # Panics
    /// In debug builds, when the statement calls it otherwise.
    pub fn named<T: Column>(&mut self, name: &str) -> rusqlite::Result<T> {
        debug_assert_eq!(
            self.row.as_ref().column_name(self.next),
            Ok(name),
            "the statement's columns are in another order"
        );
        self.take()
    }
}

/// A type that a row, or the next columns of one, can be read into. Made by [`record!`](crate::record) for structs; tuples
/// are records by themselves.
pub trait Record: Sized + Send + 'static {
    /// Reads the next columns.
    ///
    /// # Errors
    /// When a column is missing or has another type.
    fn read(columns: &mut Columns<'_>) -> rusqlite::Result<Self>;
}

/// Reads rows into a struct: `record!(Account { id, email, name })` lists all of its fields in the order of the statement's
/// columns, which have the same names. Fields after a semicolon are records of several columns themselves:
/// `record!(Row { id; key, grant })`.
#[macro_export]
macro_rules! record {
    ($type:ident { $($field:ident),* $(,)? $(; $($nested:ident),* $(,)?)? }) => {
        impl $crate::storage::Record for $type {
            fn read(columns: &mut $crate::storage::Columns<'_>) -> rusqlite::Result<Self> {
                $(let $field = columns.named(stringify!($field))?;)*
                $($(let $nested = $crate::storage::Record::read(columns)?;)*)?
                Ok($type { $($field,)* $($($nested),*)? })
            }
        }
    };
}

macro_rules! tuples {
    ($($($name:ident)+;)+) => { $(
        impl<$($name: Column + Send + 'static),+> Record for ($($name,)+) {
            fn read(columns: &mut Columns<'_>) -> rusqlite::Result<Self> {
                Ok(($(columns.take::<$name>()?,)+))
            }
        }
    )+ };
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}
