//! The data folder: everything the product keeps, in one place.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The data folder and the names of what lies in it.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Opens the folder. Where nothing is in it yet, it becomes readable by its owner alone (mode 0700), also when somebody
    /// else made it; what an operator opened later stays as it is, and `ocs doctor` says so.
    ///
    /// # Errors
    /// It is not a folder, or cannot be made.
    pub fn open(path: &Path) -> io::Result<Folder> {
        if path.exists() && !path.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is a file; name a folder with --data"));
        }
        fs::create_dir_all(path)?;
        let folder = Folder(path.to_owned());
        if !folder.database().exists() {
            make_private(path)?;
        }
        for inner in [folder.images(), folder.snapshots()] {
            fs::create_dir_all(inner)?;
        }
        Ok(folder)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.0.join("ocs.db")
    }

    /// A server was at work here, and its database is gone or empty. A fresh one would look as if all were lost.
    /// The lock is made before the database, and the key after it; to be asked before the lock is taken.
    pub fn lost_its_database(&self) -> bool {
        let empty = fs::metadata(self.database()).map_or(true, |file| file.len() == 0);
        empty && self.lock().exists() && self.master_key().exists()
    }

    /// Images and thumbnails.
    pub fn images(&self) -> PathBuf {
        self.0.join("images")
    }

    /// Copies made before migrations.
    pub fn snapshots(&self) -> PathBuf {
        self.0.join("snapshots")
    }

    /// Held by the one process that serves this folder.
    pub fn lock(&self) -> PathBuf {
        self.0.join("ocs.lock")
    }

    /// Where a running server takes commands from its own machine's operator.
    pub fn socket(&self) -> PathBuf {
        self.0.join("ocs.sock")
    }

    /// The key that seals secrets; back it up apart from the database.
    pub fn master_key(&self) -> PathBuf {
        self.0.join("master.key")
    }

    /// Certificates and the ACME account.
    pub fn certificates(&self) -> PathBuf {
        self.0.join("certificates")
    }
}

#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}
