//! Where pictures are worked on: under a concurrency limit and a memory limit of its own, so that requests which ask for
//! anything else never wait behind pictures.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::cpu_pool;
use crate::error::{Error, Result};
use crate::fair_limit::{FairLimit, Tenant};

use super::image_header::{ImageHeader, MAX_MEMORY};

/// Memory is counted in pieces of this many bytes.
const UNIT: usize = 64 * 1024;
/// Pictures of one account, and of the visitors of its sites, at work at once. Further ones wait and delay nobody else.
const PER_TENANT: usize = 1;

/// Bounds the work on pictures: in number, by account, and in memory.
pub(super) struct DecodeLimit {
    fair_limit: FairLimit,
    /// What is free of [`MAX_MEMORY`].
    memory: Arc<Semaphore>,
    /// One picture a core.
    workers: Arc<Semaphore>,
}

impl Default for DecodeLimit {
    fn default() -> DecodeLimit {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        DecodeLimit {
            fair_limit: FairLimit::new(PER_TENANT),
            memory: Arc::new(Semaphore::new(MAX_MEMORY / UNIT)),
            workers: Arc::new(Semaphore::new(cores)),
        }
    }
}

impl DecodeLimit {
    /// Does the work on one picture on a worker thread, in turn, once the memory that it takes at most is free.
    ///
    /// # Errors
    /// Those of the work; `Unavailable` when too many pictures of this account wait already.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        tenant: Tenant,
        header: &ImageHeader,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = self.fair_limit.acquire(tenant).await?;
        let pieces = u32::try_from(header.memory.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let memory = self.memory.clone().acquire_many_owned(pieces).await.map_err(|_| Error::Unavailable)?;
        let worker = self.workers.clone().acquire_owned().await.map_err(|_| Error::Unavailable)?;
        // All of it goes along: a caller that leaves does not free what is still in use.
        let work = move || {
            let _permits = (permit, memory, worker);
            work()
        };
        cpu_pool::run(work).await.unwrap_or_else(|| {
            tracing::error!("an image decoder panicked");
            Err(Error::InvalidImage("the file is damaged"))
        })
    }
}
