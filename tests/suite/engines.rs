//! Every statement of the product is one that the engine takes.

use ocs::clock::Clock;
use ocs::storage::{Folder, Store};

#[tokio::test]
async fn every_statement_prepares() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = Folder::open(&folder.path().join("data")).expect("a data folder");
    let store = Store::open(&folder, Clock::System).await.expect("a database");
    let nouns = [
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
