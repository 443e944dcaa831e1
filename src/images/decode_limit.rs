//! Limits on decoding images: concurrency by tenant, memory, and CPU. They are separate from those of requests, so that
//! other requests never wait for images.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::cpu_pool;
use crate::error::{Error, Result};
use crate::fair_limit::{FairLimit, Tenant};

use super::image_header::{ImageHeader, MAX_MEMORY};

/// Memory is counted in units of this many bytes.
const UNIT: usize = 64 * 1024;
/// Images of a tenant decoded at once. Further ones queue without delaying other tenants.
const PER_TENANT: usize = 1;

/// Limits decoding by tenant, by memory and by cores.
pub(super) struct DecodeLimit {
    fair_limit: FairLimit,
    /// Free units of [`MAX_MEMORY`].
    memory: Arc<Semaphore>,
    /// One image for each core.
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
    /// Runs `work` on the CPU pool, after the tenant's permit, the image's memory and a core are free.
    ///
    /// # Errors
    /// Those of `work`; `Unavailable` when too many images of the tenant wait already.
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
        // The permits move into the job: a dropped caller must not free what is still in use.
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
