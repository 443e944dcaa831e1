//! What differs between engines inside a statement, and nothing else: bulk rows, lists of ids, an index of terms.

use super::Value;

/// A parameter that holds a JSON array of arrays, as rows with one column `value`; read a cell with
/// `CAST(r.value ->> 0 AS BIGINT)`. One parameter and one statement serve any number of rows. In the engine's own form of
/// JSON: as text it would be written and read again for each cell.
#[macro_export]
macro_rules! bulk_rows {
    ($parameter:literal) => {
        concat!("jsonb_each(", $parameter, ")")
    };
}

/// A parameter that holds a JSON array of ids, made by [`Value::ids`](crate::storage::Value::ids), as a list to look in.
#[macro_export]
macro_rules! id_rows {
    ($parameter:literal) => {
        concat!("(SELECT CAST(r.value AS BIGINT) FROM json_each(", $parameter, ") AS r)")
    };
}

/// The rows of an index of terms that have all that a parameter names, which [`all_of_any`] writes; and the number of a row.
#[macro_export]
macro_rules! has_terms {
    ($index:literal, $parameter:literal) => {
        concat!($index, " MATCH ", $parameter)
    };
    (row) => {
        "rowid"
    };
}

/// Folds some of an index of terms together; a little each time, because the writer has others to serve.
#[macro_export]
macro_rules! fold_terms {
    ($index:literal) => {
        concat!("INSERT INTO ", $index, " (", $index, ", rank) VALUES ('merge', 30)")
    };
}

/// A term that an index is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// This term.
    Whole(String),
    /// Every term that begins so.
    Beginning(String),
}

/// The value for a statement's `has_terms!`: rows that have all terms of one of these lists. Terms consist of letters and
/// digits, so that none can end its quotes.
pub fn all_of_any(lists: &[Vec<Term>]) -> Value {
    let quoted = |term: &Term| match term {
        Term::Whole(term) => format!("\"{term}\""),
        Term::Beginning(term) => format!("\"{term}\"*"),
    };
    let all = |list: &Vec<Term>| format!("({})", list.iter().map(quoted).collect::<Vec<_>>().join(" AND "));
    Value::Text(lists.iter().map(all).collect::<Vec<_>>().join(" OR "))
}
