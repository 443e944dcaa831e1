//! The database under the stores: every statement is one that it takes, and a writer that went away leaves no trace.

use std::future::Future;
use std::task::{Context, Waker};

use ocs::clock::Clock;
use ocs::storage::{Folder, Statement, Store};
use ocs::values;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};

async fn database(folder: &tempfile::TempDir) -> Store {
    let folder = Folder::open(&folder.path().join("data")).expect("a data folder");
    Store::open(&folder, Clock::System).await.expect("a database")
}

fn statements() -> impl Iterator<Item = &'static str> {
    let nouns = [
        ocs::abuse::SQL,
        ocs::audit::SQL,
        ocs::accounts::SQL,
        ocs::sites::SQL,
        ocs::visitors::store::SQL,
        ocs::conversations::store::SQL,
        ocs::images::SQL,
        ocs::messages::store::SQL,
        ocs::search::SQL,
        ocs::search::stretches::SQL,
        ocs::search::people::store::SQL,
        ocs::events::store::SQL,
    ];
    ocs::storage::SQL.iter().copied().chain(nouns).flatten().copied()
}

#[tokio::test]
async fn every_statement_prepares() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = database(&folder).await;
    for sql in statements() {
        store.prepare(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    }
}

/// A build that does not read `.cargo/config.toml` has another engine, which works and is slower.
#[tokio::test]
async fn the_engine_is_built_as_the_project_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let options: Vec<(String,)> = database(&folder).await.all("PRAGMA compile_options", []).await.expect("options");
    let built = |with: &str| options.iter().any(|(option,)| option == with);
    assert!(built("ENABLE_FTS5") && built("DEFAULT_MEMSTATUS=0") && built("DEFAULT_PCACHE_INITSZ=0"), "{options:?}");
    assert!(!built("ENABLE_MEMORY_MANAGEMENT") && !built("ENABLE_API_ARMOR") && !built("ENABLE_FTS3"), "{options:?}");
}

/// What belongs to a site.
const OF_SITES: [&str; 14] = [
    "widget_keys",
    "chat_keys",
    "identity_secrets",
    "attacks",
    "visitors",
    "people",
    "people_words",
    "visitor_tokens",
    "conversations",
    "messages",
    "images",
    "events",
    "site_counters",
    "sites",
];

/// Those that name no site in what they ask for: found by a credential, a random name or an owner, of all sites for a
/// chore, or of the site itself.
const MAY_SPAN_SITES: [&str; 22] = [
    "WHERE key = $1",
    "WHERE hash = $1",
    "WHERE t.token_hash = $1",
    "name = $1",
    "owner_id = $1",
    "FROM sites WHERE id = $1",
    "UPDATE sites SET",
    "DELETE FROM sites WHERE id",
    "FROM sites WHERE owner_id > 0 ORDER BY id",
    // Deleted sites, which belong to nobody, for the task that purges them.
    "FROM sites WHERE owner_id = 0",
    "SELECT 'accounts', COUNT(*)",
    "UNION SELECT thumb_name FROM images",
    "FROM images WHERE NOT attached",
    "SELECT name, sha256 FROM images WHERE attached",
    "FROM attacks WHERE ended_at IS NULL",
    "INTO sites",
    // What indexes messages follows their numbers, and writes each under its own owner.
    "SELECT COALESCE(MAX(id), 0) FROM messages",
    "SELECT id FROM messages WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2",
    "FROM messages AS m\n    JOIN sites AS s ON s.id = m.site_id WHERE m.id > $1 ORDER BY m.id LIMIT $2",
    "INSERT INTO message_terms (rowid, terms) SELECT m.id,",
    // What indexes people of a database from before, each under its own owner.
    "WHERE NOT p.indexed",
    "FROM messages WHERE id >= $2 AND id < $3",
];

/// Every statement on what belongs to a site compares the site's number, so that a number of another site finds nothing.
#[test]
fn every_statement_carries_the_site() {
    let mut wrong = Vec::new();
    for sql in statements() {
        let words: Vec<&str> = sql.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let of_site = words
            .windows(2)
            .any(|two| matches!(two[0], "FROM" | "JOIN" | "INTO" | "UPDATE") && OF_SITES.contains(&two[1]));
        let carried = ["site_id = ", "site_id IN", "(site_id", "id, site_id", "GROUP BY +site_id"]
            .iter()
            .any(|part| sql.contains(part));
        if of_site && !carried && !MAY_SPAN_SITES.iter().any(|part| sql.contains(part)) {
            wrong.push(sql);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Parts of the statements that may read a whole table: those of commands and of copies, and those whose table or partial
/// index holds only what is yet to be done.
const MAY_SCAN: [&str; 10] = [
    "SELECT 'accounts', COUNT(*)",
    "UNION SELECT thumb_name FROM images",
    "FROM accounts WHERE id > 0 ORDER BY id",
    "FROM sites WHERE owner_id > 0 ORDER BY id",
    "DELETE FROM sessions\n",
    "FROM images WHERE NOT attached",
    "FROM leftover_files ORDER BY",
    "FROM attacks WHERE ended_at IS NULL",
    "SELECT name, sha256 FROM images WHERE attached",
    "WHERE NOT p.indexed",
];

/// Every statement finds its rows by an index, so that its price does not grow with what is stored.
#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = database(&folder).await;
    let mut conn = SqliteConnectOptions::new().filename(store.path()).connect().await.expect("a connection");
    let mut slow = Vec::new();
    for sql in statements().filter(|sql| !MAY_SCAN.iter().any(|part| format!("{sql}\n").contains(part))) {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(&mut conn).await.expect(sql);
        // The rows of a parameter, a count that stops at a thousand, the sites that a page of the inbox shows, and no table.
        let bounded = |line: &str| {
            line.contains("VIRTUAL TABLE") || matches!(line, "SCAN some" | "SCAN newest" | "SCAN CONSTANT ROW")
        };
        let scans = plan.into_iter().map(|(.., line)| line).filter(|line| line.starts_with("SCAN ") && !bounded(line));
        slow.extend(scans.map(|line| format!("{line}: {sql}")));
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}

async fn first_question(store: &Store) {
    let mut tx = store.begin().await.expect("a writer");
    let _: Option<(i64,)> = tx.one("SELECT 1", []).await.expect("an answer");
}

/// A request whose client hung up is dropped wherever it stands; so is a write in the middle of its beginning.
#[tokio::test]
async fn a_writer_dropped_while_it_begins_leaves_the_next_one_able_to_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = database(&folder).await;
    let mut dropped = 0;
    while dropped < 100 {
        let mut beginning = Box::pin(first_question(&store));
        // Now and then the engine is the faster one; that round shows nothing.
        dropped += usize::from(beginning.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(beginning);
        let next = store.begin().await.unwrap_or_else(|error| panic!("after {dropped} writers dropped: {error}"));
        next.commit().await.unwrap_or_else(|error| panic!("after {dropped} writers dropped: {error}"));
    }
}

const NOTE: &str = "INSERT INTO instance (name, value) VALUES ($1, $2)";
const NOTED: &str = "SELECT value FROM instance WHERE name = $1";

async fn noted(store: &Store, name: &str) -> Option<String> {
    let row: Option<(String,)> = store.one(NOTED, values![name]).await.expect("an answer");
    row.map(|(value,)| value)
}

/// Statements that travel together keep their order, their own values and their own answers.
#[tokio::test]
async fn statements_that_travel_together_are_answered_one_by_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = database(&folder).await;
    let mut tx = store.begin().await.expect("a writer");
    tx.later(NOTE, values!["first", "one"]);
    tx.later(NOTE, values!["second", "two"]);
    let ask = |name: &str| Statement::new(NOTED, values![name]);
    let mut answers = tx.ask([ask("second"), ask("missing"), ask("first")]).await.expect("answers");
    let values: Vec<Vec<(String,)>> = (0..3).map(|_| answers.rows().expect("rows")).collect();
    assert_eq!(values, [vec![("two".to_owned(),)], vec![], vec![("one".to_owned(),)]]);
    assert_eq!(noted(&store, "first").await, None, "nothing is seen before the commit");
    tx.commit().await.expect("a commit");
    assert_eq!(noted(&store, "first").await.as_deref(), Some("one"));
}

/// What was put off to the commit and is refused there undoes everything, and so does a statement that failed before.
#[tokio::test]
async fn a_statement_that_fails_spoils_its_whole_transaction() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = database(&folder).await;
    let mut tx = store.begin().await.expect("a writer");
    tx.run(NOTE, values!["once", "1"]).await.expect("a note");
    tx.later(NOTE, values!["once", "2"]);
    tx.commit().await.expect_err("a commit of what is refused");
    assert_eq!(noted(&store, "once").await, None);

    let mut tx = store.begin().await.expect("a writer");
    tx.run(NOTE, values!["once", "3"]).await.expect("a note");
    tx.run(NOTE, values!["once", "4"]).await.expect_err("a second note of that name");
    tx.run(NOTE, values!["other", "5"]).await.expect_err("a spoiled transaction");
    tx.commit().await.expect_err("a spoiled transaction");
    assert_eq!(noted(&store, "once").await, None);
    assert_eq!(noted(&store, "other").await, None);
}

/// A request that is dropped while its commit is under way: the commit ends all the same and is told.
#[tokio::test]
async fn a_commit_whose_caller_is_gone_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = database(&folder).await;
    let mut dropped = 0;
    for round in 0..50 {
        let mut tx = store.begin().await.expect("a writer");
        let (tell, told) = tokio::sync::oneshot::channel();
        tx.after_commit(move || tell.send(()).expect("a listener"));
        let name = format!("round {round}");
        tx.later(NOTE, values![&name, "done"]);
        let mut commit = Box::pin(tx.commit());
        // Now and then the writer is quicker than this thread.
        dropped += u32::from(commit.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(commit);
        told.await.expect("a commit that is told");
        assert_eq!(noted(&store, &name).await.as_deref(), Some("done"));
    }
    assert!(dropped > 25, "most commits were under way when they were dropped: {dropped} of 50");
}
