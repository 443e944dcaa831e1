//! The database under the stores: every statement is one that it takes, and a writer that went away leaves no trace.

use std::future::Future;
use std::task::{Context, Waker};

use ocs::clock::Clock;
use ocs::error::{Error, Result};
use ocs::storage::{Folder, Store, Tx};
use ocs::values;

async fn database(folder: &tempfile::TempDir) -> Store {
    let folder = Folder::open(&folder.path().join("data")).expect("a data folder");
    Store::open(&folder, Clock::System).await.expect("a database")
}

fn statements() -> impl Iterator<Item = &'static str> {
    let nouns = [
        ocs::abuse::SQL,
        ocs::audit::SQL,
        ocs::accounts::SQL,
        ocs::workspaces::SQL,
        ocs::members::SQL,
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
const OF_SITES: [&str; 13] = [
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
    "sites",
];

/// Those that name no site in what they ask for: found by a credential, a random name or an owner, of all sites for a
/// chore, or of the site itself.
const MAY_SPAN_SITES: [&str; 23] = [
    "WHERE key = $1",
    "WHERE hash = $1",
    "WHERE t.token_hash = $1",
    "name = $1",
    "workspace_id = $1",
    "FROM sites WHERE id = $1",
    "UPDATE sites SET",
    "DELETE FROM sites WHERE id",
    "FROM sites WHERE workspace_id > 0 ORDER BY id",
    // The list of workspaces, for the operator of the machine.
    "FROM workspaces AS w WHERE w.id > 0 ORDER BY w.id",
    // Deleted sites, which belong to nobody, for the task that purges them.
    "FROM sites WHERE workspace_id = 0",
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
        let carried =
            ["site_id = ", "site_id IN", "(site_id", "id, site_id", "= s.workspace_id", "GROUP BY +workspace_id"]
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
const MAY_SCAN: [&str; 12] = [
    "SELECT 'accounts', COUNT(*)",
    "UNION SELECT thumb_name FROM images",
    "SELECT photo FROM accounts",
    "FROM accounts WHERE id > 0 ORDER BY id",
    "WHERE m.role = 'owner' ORDER BY m.workspace_id, m.account_id",
    "FROM sites WHERE workspace_id > 0 ORDER BY id",
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
    let conn = rusqlite::Connection::open(store.path()).expect("a connection");
    let mut slow = Vec::new();
    for sql in statements().filter(|sql| !MAY_SCAN.iter().any(|part| format!("{sql}\n").contains(part))) {
        let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect(sql);
        let mut rows = explain.raw_query();
        let mut plan: Vec<String> = Vec::new();
        while let Some(row) = rows.next().expect(sql) {
            plan.push(row.get(3).expect(sql));
        }
        // All messages of a site, where not just the newest or the first of them are wanted.
        let of_all = [" (workspace_id=?)", " (workspace_id=? AND site_id=?)"];
        let walk = |line: &String| of_all.iter().any(|all| line.ends_with(all)) && line.contains("INDEX messages_");
        if !sql.contains("LIMIT") {
            slow.extend(plan.iter().filter(|line| walk(line)).map(|line| format!("{line}: {sql}")));
        }
        // The rows of a parameter, a count that stops at a thousand, the sites that a page of the inbox shows, and no table.
        let bounded = |line: &str| {
            line.contains("VIRTUAL TABLE") || matches!(line, "SCAN some" | "SCAN newest" | "SCAN CONSTANT ROW")
        };
        let scans = plan.into_iter().filter(|line| line.starts_with("SCAN ") && !bounded(line));
        slow.extend(scans.map(|line| format!("{line}: {sql}")));
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}

const NOTE: &str = "INSERT INTO instance (name, value) VALUES ($1, $2)";
const NOTED: &str = "SELECT value FROM instance WHERE name = $1";

async fn noted(store: &Store, name: &str) -> Option<String> {
    let row: Option<(String,)> = store.one(NOTED, values![name]).await.expect("an answer");
    row.map(|(value,)| value)
}

/// A request whose client hung up is dropped wherever it stands: before its transaction began, it is passed over; later, it
/// is committed whole and handed over.
#[tokio::test]
async fn a_write_whose_caller_is_gone_is_done_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = database(&folder).await;
    let (tell, told) = std::sync::mpsc::channel();
    let tell = std::sync::Mutex::new(tell);
    store.on_commit(move |name: String| tell.lock().expect("a sender").send(name).expect("a listener"));
    let mut dropped = 0;
    for round in 0..100 {
        let name = format!("round {round}");
        let (begin, begun) = std::sync::mpsc::channel();
        let written = name.clone();
        let mut write = Box::pin(store.write(move |tx| {
            begin.send(()).expect("a caller that waits for the beginning");
            tx.outcome::<String>().clone_from(&written);
            tx.run(NOTE, values![&written, "1"])?;
            tx.run(NOTE, values![format!("{written} again"), "2"])
        }));
        // Now and then the engine is the faster one; that round shows nothing.
        dropped += usize::from(write.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        begun.recv().expect("a transaction that began");
        drop(write);
        assert_eq!(told.recv().expect("a commit that is handed over"), name);
        assert_eq!(noted(&store, &name).await.as_deref(), Some("1"));
        assert_eq!(noted(&store, &format!("{name} again")).await.as_deref(), Some("2"));
    }
    assert!(dropped > 50, "most writes were under way when they were dropped: {dropped} of 100");
}

/// What was put off and is refused undoes everything, and so does a statement that failed before.
#[tokio::test]
async fn a_statement_that_fails_spoils_its_whole_transaction() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = database(&folder).await;
    let twice = |tx: &mut Tx| {
        tx.run(NOTE, values!["once", "1"])?;
        tx.enqueue(NOTE, values!["once", "2"]);
        Ok(())
    };
    let refused = store.write(twice).await.expect_err("a commit of what is refused");
    assert!(matches!(&refused, Error::Unique(columns) if columns == "instance.name"), "{refused:?}");
    assert_eq!(noted(&store, "once").await, None);

    let three = |tx: &mut Tx| {
        tx.run(NOTE, values!["once", "3"])?;
        tx.run(NOTE, values!["once", "4"]).expect_err("a second note of that name");
        tx.run(NOTE, values!["other", "5"]).expect_err("a spoiled transaction");
        Ok(())
    };
    store.write(three).await.expect_err("a spoiled transaction");
    assert_eq!(noted(&store, "once").await, None);
    assert_eq!(noted(&store, "other").await, None);
}

/// A defect in one body ends neither the thread that writes nor those that read, and leaves nothing behind.
#[tokio::test]
async fn a_body_that_panics_is_undone_and_the_next_one_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = database(&folder).await;
    let defect = |tx: &mut Tx| -> Result<()> {
        tx.run(NOTE, values!["defect", "1"])?;
        panic!("a defect of this test");
    };
    store.write(defect).await.expect_err("a panic");
    for _ in 0..8 {
        store.read(|_| -> Result<()> { panic!("a defect of this test") }).await.expect_err("a panic");
    }
    assert_eq!(noted(&store, "defect").await, None);
    store.write(|tx| tx.run(NOTE, values!["after", "1"])).await.expect("a writer that goes on");
    assert_eq!(noted(&store, "after").await.as_deref(), Some("1"));
}

/// A body of several statements sees one state of the database, whatever is committed between them.
#[tokio::test]
async fn a_read_sees_one_state_of_the_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = database(&folder).await;
    let (read, first_read) = tokio::sync::oneshot::channel();
    let (commit, committed) = std::sync::mpsc::channel();
    let mut read = Some(read);
    let both = store.read(move |reader| {
        let first: Option<(String,)> = reader.one(NOTED, values!["late"])?;
        read.take().expect("one run").send(()).expect("a test that waits");
        committed.recv().expect("a commit");
        let second: Option<(String,)> = reader.one(NOTED, values!["late"])?;
        Ok((first, second))
    });
    let write = async {
        first_read.await.expect("a first read");
        store.write(|tx| tx.run(NOTE, values!["late", "1"])).await.expect("a commit");
        commit.send(()).expect("a reader");
    };
    let (seen, ()) = tokio::join!(both, write);
    assert_eq!(seen.expect("a read"), (None, None));
    assert_eq!(noted(&store, "late").await.as_deref(), Some("1"));
}

/// Another program that locks the database for a while makes writes fail, and only those that came meanwhile.
#[tokio::test]
async fn a_writer_goes_on_after_another_program_held_the_lock() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = database(&folder).await;
    let other = rusqlite::Connection::open(store.path()).expect("a connection");
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let refused = store.write(|tx| tx.run(NOTE, values!["meanwhile", "1"])).await;
    assert!(matches!(refused, Err(Error::Unavailable)), "{refused:?}");
    other.execute_batch("ROLLBACK").expect("the lock is free");
    store.write(|tx| tx.run(NOTE, values!["after", "1"])).await.expect("a writer that goes on");
    assert_eq!(noted(&store, "meanwhile").await, None);
    assert_eq!(noted(&store, "after").await.as_deref(), Some("1"));
}
