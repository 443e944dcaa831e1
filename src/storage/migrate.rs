//! Migrations: one list makes new databases and brings old ones up to date.

use std::borrow::Cow;
use std::path::Path;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnection;

use crate::clock::Millis;
use crate::error::{Error, Result};

use super::{Folder, dialect, value};

/// Number, name and text of each migration, oldest first. A released one is never edited.
pub const MIGRATIONS: &[(i64, &str, &str)] = &[(1, "start", include_str!("../../migrations/sqlite/0001_start.sql"))];

pub(super) async fn run(conn: &mut SqliteConnection, folder: &Folder, now: Millis) -> Result<()> {
    conn.ensure_migrations_table("_sqlx_migrations").await.map_err(explain)?;
    let applied = conn.list_applied_migrations("_sqlx_migrations").await.map_err(explain)?;
    let due = MIGRATIONS.iter().filter(|(version, ..)| applied.iter().all(|done| done.version != *version)).count();
    if due == 0 && applied.len() <= MIGRATIONS.len() {
        return Ok(());
    }
    if !applied.is_empty() {
        let target = folder.snapshots().join(format!("before-migration-{}.db", now.to_file_text()));
        snapshot(conn, &target).await?;
        tracing::info!(snapshot = %target.display(), due, "database copied before migrating");
    }
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        Migration::new(*version, Cow::Borrowed(name), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    migrator.run_direct(None, conn, false).await.map_err(explain)
}

/// Writes a consistent copy of the whole database into a new file.
pub async fn snapshot(conn: &mut SqliteConnection, target: &Path) -> Result<()> {
    let target = target.to_str().ok_or_else(|| Error::Internal("a path that is not UTF-8".into()))?;
    value::query("VACUUM INTO $1", [target.into()]).execute(conn).await.map_err(dialect::error)?;
    Ok(())
}

/// The database's epoch, made on the first start.
pub(super) async fn epoch(conn: &mut SqliteConnection) -> Result<String> {
    const ENSURE: &str = "INSERT INTO instance (name, value) VALUES ('epoch', $1) ON CONFLICT (name) DO NOTHING";
    const READ: &str = "SELECT value FROM instance WHERE name = 'epoch'";
    let fresh = crate::secret::random_text(8);
    value::query(ENSURE, [fresh.into()]).execute(&mut *conn).await.map_err(dialect::error)?;
    let (epoch,): (String,) = sqlx::query_as(READ).fetch_one(conn).await.map_err(dialect::error)?;
    Ok(epoch)
}

fn explain(error: MigrateError) -> Error {
    match error {
        MigrateError::VersionMissing(version) => Error::Internal(format!(
            "this database has schema {version}, which is newer than this program; use the newer ocs or restore a backup"
        )),
        MigrateError::VersionMismatch(version) => Error::Internal(format!(
            "migration {version} was changed after it was applied; restore the original program"
        )),
        other => Error::Internal(format!("migrating failed, nothing was changed: {other}")),
    }
}
