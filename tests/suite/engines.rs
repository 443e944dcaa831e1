//! The database under the stores: every statement is one that it takes, and a writer that went away leaves no trace.

use std::future::Future;
use std::task::{Context, Waker};

use ocs::clock::Clock;
use ocs::storage::{Folder, Store};

async fn database(folder: &tempfile::TempDir) -> Store {
    let folder = Folder::open(&folder.path().join("data")).expect("a data folder");
    Store::open(&folder, Clock::System).await.expect("a database")
}

#[tokio::test]
async fn every_statement_prepares() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = database(&folder).await;
    let nouns = [
        ocs::attacks::SQL,
        ocs::audit::SQL,
        ocs::accounts::SQL,
        ocs::sites::SQL,
        ocs::visitors::store::SQL,
        ocs::conversations::store::SQL,
        ocs::images::SQL,
        ocs::messages::store::SQL,
        ocs::events::store::SQL,
    ];
    for sql in ocs::storage::SQL.iter().copied().chain(nouns).flatten() {
        store.prepare(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    }
}

/// A request whose client hung up is dropped wherever it stands; so is a write in the middle of its beginning.
#[tokio::test]
async fn a_writer_dropped_while_it_begins_leaves_the_next_one_able_to_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = database(&folder).await;
    let mut dropped = 0;
    while dropped < 100 {
        let mut beginning = Box::pin(store.begin());
        // Now and then the engine is the faster one; that round shows nothing.
        dropped += usize::from(beginning.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(beginning);
        let next = store.begin().await.unwrap_or_else(|error| panic!("after {dropped} writers dropped: {error}"));
        next.commit().await.expect("a commit");
    }
}
