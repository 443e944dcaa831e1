//! The real program as a process of its own, for what is seen from outside alone: its log, its limits, a panic.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::world::Http;

/// The program, with its log in a file.
pub struct Program {
    child: Child,
    folder: tempfile::TempDir,
    /// What sends requests.
    pub http: Http,
    /// `127.0.0.1:port`.
    pub address: String,
}

impl Program {
    /// Starts it with this `log` setting.
    pub fn start(log: &str) -> Program {
        let folder = tempfile::tempdir().expect("a folder");
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let address = free.expect("a free port").to_string();
        let file = File::create(folder.path().join("log")).expect("a file");
        let child = Command::new(env!("CARGO_BIN_EXE_ocs"))
            .current_dir(folder.path())
            .env_clear()
            .args(["serve", "--data", "data", "--listen", &address, "--set", &format!("log={log}")])
            .stdout(file.try_clone().expect("a file"))
            .stderr(Stdio::from(file))
            .spawn()
            .expect("the program starts");
        let end = Instant::now() + Duration::from_secs(20);
        while !folder.path().join("data/ocs.sock").exists() || std::net::TcpStream::connect(&address).is_err() {
            assert!(Instant::now() < end, "the server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Program { child, folder, http: Http::to(&address), address }
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Everything it said.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.path().join("log")).expect("the log")).into_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
