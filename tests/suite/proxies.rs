//! The proxies that docs/proxies.md describes, run as they are printed there: only ports, names and certificates differ.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A proxy in front of a server.
pub struct Proxy {
    child: Child,
    _folder: tempfile::TempDir,
    /// `127.0.0.1:port`.
    pub address: String,
}

/// The example of docs/proxies.md in this language.
fn documented(language: &str) -> String {
    let page = include_str!("../../docs/proxies.md");
    let begin = format!("```{language}\n");
    let (_, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("docs/proxies.md has no example for {language}"));
    rest.split_once("```").expect("an end of the example").0.to_owned()
}

fn free_address() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    free.expect("a free port").to_string()
}

impl Proxy {
    /// The documented nginx in front of `server`.
    pub fn nginx(server: &str) -> Proxy {
        let (folder, address) = (tempfile::tempdir().expect("a folder"), free_address());
        let home = folder.path().display();
        let sites: String = documented("nginx")
            .lines()
            .filter(|line| !line.contains("ssl_certificate"))
            .map(|line| match line.trim_start().split(' ').next() {
                Some("listen") => format!("listen {address};\n"),
                Some("server_name") => "server_name _;\n".to_owned(),
                _ => format!("{}\n", line.replace("127.0.0.1:8080", server)),
            })
            .collect();
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary: String = kinds.map(|kind| format!("{kind}_temp_path {home}/{kind};\n")).concat();
        let config = format!(
            "daemon off; master_process off; pid {home}/pid; error_log {home}/error.log;\nevents {{}}\n\
             http {{ access_log off;\n{temporary}{sites}}}\n"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, config).expect("written");
        let program =
            ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().find(|path| fs::exists(path).is_ok_and(|is| is));
        let mut command = Command::new(program.expect("nginx; scripts/install-test-tools installs it"));
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file);
        Proxy::start(command, folder, address)
    }

    /// The documented Caddy in front of `server`.
    pub fn caddy(server: &str) -> Proxy {
        let (folder, address) = (tempfile::tempdir().expect("a folder"), free_address());
        let site = documented("caddy").replace("chat.example {", &format!("http://{address} {{"));
        let config = format!("{{\n\tadmin off\n\tauto_https off\n}}\n{}", site.replace("127.0.0.1:8080", server));
        let file = folder.path().join("Caddyfile");
        fs::write(&file, config).expect("written");
        let mut command = Command::new("caddy");
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file).env("HOME", folder.path());
        Proxy::start(command, folder, address)
    }

    fn start(mut command: Command, folder: tempfile::TempDir, address: String) -> Proxy {
        let name = command.get_program().to_owned();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn();
        let child = child.unwrap_or_else(|error| panic!("{name:?}: {error}; scripts/install-test-tools installs it"));
        let mut proxy = Proxy { child, _folder: folder, address };
        let end = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(&proxy.address).is_err() {
            let ended = proxy.child.try_wait().expect("a process");
            assert!(ended.is_none() && Instant::now() < end, "{name:?} does not answer: {ended:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        proxy
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
