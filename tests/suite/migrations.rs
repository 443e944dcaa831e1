//! Bringing a database up to date: it happens once and whole, or not at all.
//!
//! There are fewer migrations yet than ways to fail, so these tests make the list longer than it is.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ocs::clock::Clock;
use ocs::storage::{Contents, DataLock, Folder, MIGRATIONS, Migration, Store, Tx, inspect, newest_schema};

const NEXT: i64 = MIGRATIONS.len() as i64 + 1;
const ONE_MORE: Migration = Migration {
    schema: NEXT,
    name: "one_more",
    sql: "CREATE TABLE one_more (id INTEGER PRIMARY KEY NOT NULL);
          INSERT INTO one_more (id) SELECT 1 WHERE (SELECT COUNT(*) FROM accounts) = 1;
          UPDATE instance SET value = value || '+' WHERE name = 'epoch';",
};
/// Works long enough to be killed, and writes all the time.
const WITHOUT_END: Migration = Migration {
    schema: NEXT + 1,
    name: "without_end",
    sql: "CREATE TABLE without_end (text TEXT NOT NULL);
          WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers)
          INSERT INTO without_end SELECT hex(randomblob(500)) FROM numbers;",
};
/// The environment variable that tells [`a_process_that_migrates`] where and what.
const TOLD: &str = "OCS_TEST_MIGRATES";

fn longer(more: &[Migration]) -> Vec<Migration> {
    MIGRATIONS.iter().chain(more).copied().collect()
}

/// A data folder with a sample owner and chats.
fn demo() -> (tempfile::TempDir, Folder) {
    let place = tempfile::tempdir().expect("a folder");
    let data = place.path().join("data");
    let made = Command::new(env!("CARGO_BIN_EXE_ocs")).env_clear().args(["demo", "--data"]).arg(&data).output();
    assert!(made.expect("the program runs").status.success());
    (place, Folder::open(&data).expect("the data folder"))
}

async fn open(folder: &Folder, migrations: &[Migration]) -> Result<(), String> {
    match Store::open_at(folder, Clock::System, migrations).await {
        Ok(store) => {
            store.close().await;
            Ok(())
        }
        Err(error) => Err(format!("{error:?}")),
    }
}

async fn contents(folder: &Folder) -> Contents {
    inspect(&folder.database()).await.expect("a sound database")
}

fn copies(folder: &Folder) -> Vec<PathBuf> {
    let copies = std::fs::read_dir(folder.snapshots()).expect("the folder of copies");
    copies.map(|entry| entry.expect("a file").path()).collect()
}

/// The file of an ended server, byte by byte.
fn bytes(folder: &Folder) -> Vec<u8> {
    std::fs::read(folder.database()).expect("the database")
}

#[tokio::test]
async fn a_migration_leaves_a_copy_of_what_was_before() {
    let (_place, folder) = demo();
    let before = contents(&folder).await;
    open(&folder, &longer(&[ONE_MORE])).await.expect("migrates");
    let after = contents(&folder).await;
    assert_eq!((after.schema, after.epoch), (NEXT, format!("{}+", before.epoch)), "it was migrated once");
    let copy = folder.snapshots().join(format!("before-schema-{NEXT}.db"));
    assert_eq!(copies(&folder), std::slice::from_ref(&copy));
    assert_eq!(inspect(&copy).await.expect("a sound copy"), before);
    open(&folder, &longer(&[ONE_MORE])).await.expect("opens");
    assert_eq!(copies(&folder).len(), 1, "nothing was due any more");
}

#[tokio::test]
async fn a_migration_that_fails_leaves_the_database_as_it_was() {
    let (_place, folder) = demo();
    let before = contents(&folder).await;
    let fails = |sql| Migration { schema: NEXT + 1, name: "fails", sql };
    let midway = fails("CREATE TABLE half (id INTEGER); INSERT INTO half VALUES (1); INSERT INTO nowhere VALUES (1);");
    let orphans = fails("DELETE FROM visitors;");
    for failing in [midway, orphans] {
        for _ in 0..3 {
            let said = open(&folder, &longer(&[ONE_MORE, failing])).await.expect_err("fails");
            assert!(said.contains("nothing was changed"), "{said}");
            assert_eq!(contents(&folder).await, before, "not the step before it either");
        }
    }
    assert_eq!(copies(&folder).len(), 1, "each attempt replaces the copy of the one before");
    open(&folder, MIGRATIONS).await.expect("the program of before goes on");
    let mended = Migration { schema: NEXT + 1, name: "mended", sql: "CREATE TABLE mended (id INTEGER);" };
    open(&folder, &longer(&[ONE_MORE, mended])).await.expect("a mended program goes on");
    assert_eq!(contents(&folder).await.rows, before.rows);
}

/// To change a table's columns SQLite lets one make it anew; what refers to it must not go with the old one.
#[tokio::test]
async fn a_table_that_is_made_anew_keeps_what_refers_to_it() {
    let (_place, folder) = demo();
    let before = contents(&folder).await;
    let anew = Migration {
        schema: NEXT,
        name: "visitors_anew",
        sql: "CREATE TABLE visitors_new AS SELECT * FROM visitors; DROP TABLE visitors;
              ALTER TABLE visitors_new RENAME TO visitors; CREATE UNIQUE INDEX visitors_id ON visitors (site_id, id);",
    };
    open(&folder, &longer(&[anew])).await.expect("migrates");
    assert_eq!(contents(&folder).await.rows, before.rows);
}

#[tokio::test]
async fn a_past_that_is_not_this_programs_is_refused_untouched() {
    let (_place, folder) = demo();
    let edited = Migration { sql: "CREATE TABLE another (id INTEGER);", ..MIGRATIONS[0] };
    let before = bytes(&folder);
    let said = open(&folder, &[edited]).await.expect_err("refused");
    assert!(said.contains("was changed after it was applied"), "{said}");
    assert_eq!(bytes(&folder), before);

    open(&folder, &longer(&[ONE_MORE])).await.expect("migrates");
    let (before, copy) = (bytes(&folder), copies(&folder));
    let said = open(&folder, MIGRATIONS).await.expect_err("refused");
    assert!(said.contains("newer than this program") && said.contains("snapshots/before-schema-"), "{said}");
    assert_eq!((bytes(&folder), copies(&folder)), (before, copy));
}

/// Before schema 4 the terms of messages were others: they go, and all messages are to be indexed again.
#[tokio::test]
async fn an_index_of_other_terms_is_emptied() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = Folder::open(&place.path().join("data")).expect("a data folder");
    let before = Store::open_at(&folder, Clock::System, &MIGRATIONS[..3]).await.expect("opens");
    let index = |tx: &mut Tx| {
        tx.run("INSERT INTO message_terms (rowid, terms) VALUES (7, '1o0worder')", [])?;
        tx.run("UPDATE instance SET value = '7' WHERE name = 'indexed_message'", [])
    };
    before.write(index).await.expect("a message's terms and a mark");
    before.close().await;
    let after = Store::open(&folder, Clock::System).await.expect("migrates");
    let left = "SELECT COUNT(*), (SELECT value FROM instance WHERE name = 'indexed_message') FROM message_terms";
    assert_eq!(after.one(left, []).await.expect("an answer"), Some((0_i64, "0".to_owned())));
}

/// FT04: killed in the middle of a migration, and the one before it done already.
#[tokio::test]
async fn a_server_killed_while_it_migrates_finds_the_database_as_it_was() {
    let (_place, folder) = demo();
    let before = contents(&folder).await;
    for _ in 0..3 {
        let mut child = start_migrating(&folder, "without_end");
        // So much was written that some of it is in the log on disk.
        wait_until(|| folder.database().with_extension("db-wal").metadata().is_ok_and(|log| log.len() > 4_000_000));
        child.kill().expect("kills");
        child.wait().expect("ends");
        open(&folder, MIGRATIONS).await.expect("the program of before goes on");
        assert_eq!(contents(&folder).await, before);
    }
    open(&folder, &longer(&[ONE_MORE])).await.expect("and a mended one");
    assert_eq!(contents(&folder).await.schema, NEXT);
}

/// FT04: two servers are started at once on an old database.
#[tokio::test]
async fn two_that_migrate_at_once_migrate_once() {
    let (_place, folder) = demo();
    let before = contents(&folder).await;
    let mut both = [start_migrating(&folder, "one_more"), start_migrating(&folder, "one_more")];
    for child in &mut both {
        assert!(child.wait().expect("ends").success());
    }
    assert_eq!(contents(&folder).await.epoch, format!("{}+", before.epoch));
}

fn start_migrating(folder: &Folder, which: &str) -> Child {
    let told = format!("{which} {}", folder.path().display());
    let name = "migrations::a_process_that_migrates";
    let mut run = Command::new(std::env::current_exe().expect("this test program"));
    run.args(["--ignored", "--exact", name]).env(TOLD, told).stdout(Stdio::null()).stderr(Stdio::null());
    run.spawn().expect("starts")
}

/// Not a test: what the tests above start as a process of its own, to kill it.
#[tokio::test]
#[ignore = "started by other tests"]
async fn a_process_that_migrates() {
    let Ok(told) = std::env::var(TOLD) else { return };
    let (which, data) = told.split_once(' ').expect("what and where");
    let folder = Folder::open(Path::new(data)).expect("the data folder");
    let migrations = match which {
        "without_end" => longer(&[ONE_MORE, WITHOUT_END]),
        _ => longer(&[ONE_MORE]),
    };
    // As the product does: the folder is taken before the database is opened.
    let mut lock = DataLock::take(&folder);
    wait_until(|| {
        if lock.is_err() {
            lock = DataLock::take(&folder);
        }
        lock.is_ok()
    });
    open(&folder, &migrations).await.expect("migrates");
}

#[track_caller]
fn wait_until(mut happened: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !happened() {
        assert!(Instant::now() < end, "it never happened");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn schemas_are_counted_from_one_without_a_gap() {
    let schemas: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.schema).collect();
    assert_eq!(schemas, (1..=newest_schema()).collect::<Vec<_>>());
}
