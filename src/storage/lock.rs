//! One process per data folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};

use super::Folder;

/// Why the folder could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process serves it.
    #[error(
        "another ocs process ({holder}) is using this data folder; stop it first, or start with another --data folder"
    )]
    Held {
        /// What the holder wrote about itself: "process 1234".
        holder: String,
    },
    /// The lock file cannot be made or read.
    #[error("the lock file cannot be used: {0}")]
    Io(#[from] std::io::Error),
}

/// The data folder is ours while this lives. The operating system frees it when the process ends, however it ends.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes the folder or says who has it.
    pub fn take(folder: &Folder) -> Result<DataLock, LockError> {
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(folder.lock())?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder)?;
                return Err(LockError::Held { holder: holder.trim().to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "process {}", std::process::id())?;
        Ok(DataLock { _file: file })
    }
}
