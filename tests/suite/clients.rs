//! The compatible API as scripts of other languages call it, and the code that the console prints for signing identities,
//! run by the languages themselves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hyper::Method;
use serde_json::json;

use crate::world::World;

/// Runs a program to its end and returns the lines that it printed.
pub async fn lines_of(program: &'static str, set: impl FnOnce(&mut Command) + Send + 'static) -> Vec<String> {
    let ran = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(program);
        set(&mut command);
        command.output().unwrap_or_else(|error| panic!("{program}: {error}; scripts/install-test-tools installs it"))
    });
    let output = ran.await.expect("a program that ends");
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

/// What a language's script sends is what Otto reads, to the letter.
async fn replies(program: &'static str, script: &'static str, least: usize) {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    let limits = json!({ "messages_per_minute": 20, "api_per_minute": 1000, "image_bytes": 65_536 });
    otto.configure(&shop, json!({ "limits": limits })).await;
    world.visitor(&shop, "vera").await.send("v1", "Hello").await.ok();
    let conversation = otto.inbox("").await[0]["id"].as_i64().expect("a number");
    let (address, key) = (format!("http://{}", world.address()), shop.chat_key.clone());
    let sent = lines_of(program, move |command| {
        let script = format!("{}/tests/clients/{script}", env!("CARGO_MANIFEST_DIR"));
        command.args([script, address, key, conversation.to_string()]);
    });
    let sent = sent.await;
    assert!(sent.len() >= least, "{sent:?}");
    let thread = otto.thread(&shop, conversation).await;
    // Pictures have no text.
    let texts: Vec<&String> = thread[1..].iter().filter(|text| !text.is_empty()).collect();
    assert_eq!(texts, sent.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn php_replies_with_curl_streams_and_guzzle() {
    replies("php", "reply.php", 10).await;
}

#[tokio::test]
async fn python_replies_with_urllib_and_requests() {
    replies("python3", "reply.py", 5).await;
}

#[tokio::test]
async fn node_replies_with_fetch() {
    replies("node", "reply.mjs", 6).await;
}

#[tokio::test]
async fn ruby_replies_with_net_http() {
    replies("ruby", "reply.rb", 3).await;
}

#[tokio::test]
async fn curl_replies() {
    replies("bash", "reply.sh", 6).await;
}

#[path = "../../web/console/src/routes/(console)/sites/[id]/security/signing/token.rs"]
mod printed;

/// Ids that somebody's own site may have for its visitors.
const IDS: [&str; 6] =
    ["user_1", "otto+shop@shop.example", r#"O'Brien "the" \\ slash/"#, "Åsa 你好 🙂", "</script>&amp;%00", r"\u0041\n"];

/// What a language's printed code signs opens a session where nothing else does.
async fn signs(program: &'static str, set: impl FnOnce(&mut Command, &Path) + Send + 'static) {
    let world = World::new().await;
    let otto = world.owner("otto").await;
    let shop = otto.site("Shop").await;
    otto.configure(&shop, json!({ "identity_mode": "signed_only" })).await;
    let made = otto.call(Method::POST, &format!("sites/{}/identity-secrets", shop.id), json!({})).await.ok();
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    let printed = lines_of(program, move |command| {
        set(command, &folder());
        command.env("CHAT_IDENTITY_SECRET", secret);
    });
    let tokens: Vec<String> = printed.await.into_iter().filter(|line| line.contains("eyJ")).collect();
    assert_eq!(tokens.len(), IDS.len(), "{tokens:?}");
    for (id, token) in IDS.iter().zip(tokens) {
        let fields = json!({ "external_id": id, "anonymous": false, "identity_token": token.trim() });
        let refused = world.arrive(&shop, fields, None).await.err();
        assert!(refused.is_none(), "{program} {id}: {refused:?}");
    }
}

/// Where the printed code is.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("web/console/src/routes/(console)/sites/[id]/security/signing")
}

/// In a form that every shell and language takes for what it is.
fn ids_in_hex() -> impl Iterator<Item = String> {
    IDS.iter().map(|id| id.bytes().map(|byte| format!("{byte:02x}")).collect())
}

#[tokio::test]
async fn php_signs() {
    const RUN: &str = "require $argv[1];
        foreach (array_slice($argv, 2) as $id) echo ocs_identity_token(hex2bin($id)), PHP_EOL;";
    signs("php", |command, folder| {
        command.args(["-r", RUN, "--"]).arg(folder.join("token.php")).args(ids_in_hex());
    })
    .await;
}

#[tokio::test]
async fn node_signs() {
    const RUN: &str = "import { pathToFileURL } from 'node:url';
        const { ocsIdentityToken } = await import(pathToFileURL(process.argv[1]));
        for (const id of process.argv.slice(2)) console.log(ocsIdentityToken(Buffer.from(id, 'hex').toString()));";
    signs("node", |command, folder| {
        command.args(["--input-type=module", "-e", RUN]).arg(folder.join("token.mjs")).args(ids_in_hex());
    })
    .await;
}

#[tokio::test]
async fn python_signs() {
    const RUN: &str = "import sys; exec(open(sys.argv[1]).read())
for id in sys.argv[2:]: print(ocs_identity_token(bytes.fromhex(id).decode()))";
    signs("python3", |command, folder| {
        command.args(["-c", RUN]).arg(folder.join("token.py")).args(ids_in_hex());
    })
    .await;
}

#[tokio::test]
async fn ruby_signs() {
    const RUN: &str = "load ARGV[0]
        ARGV.drop(1).each { |id| puts ocs_identity_token([id].pack('H*').force_encoding('UTF-8')) }";
    signs("ruby", |command, folder| {
        command.args(["-e", RUN]).arg(folder.join("token.rb")).args(ids_in_hex());
    })
    .await;
}

#[tokio::test]
async fn go_signs() {
    const MAIN: &str = "package main\nimport (\n\"encoding/hex\"\n\"fmt\"\n\"os\"\n)\nfunc main() {
        for _, id := range os.Args[1:] {
            raw, _ := hex.DecodeString(id)
            token, _ := OCSIdentityToken(string(raw))
            fmt.Println(token)
        }
    }";
    let scratch = tempfile::tempdir().expect("a folder");
    let printed = fs::read_to_string(folder().join("token.go")).expect("the printed code");
    let files = [("token.go", printed.replacen("package identity", "package main", 1)), ("main.go", MAIN.to_owned())];
    for (name, code) in files {
        fs::write(scratch.path().join(name), code).expect("a file");
    }
    let path = scratch.path().to_owned();
    signs("go", move |command, _| {
        command.current_dir(&path).env("GO111MODULE", "off").env("GOCACHE", path.join("cache"));
        command.args(["run", "token.go", "main.go"]).args(ids_in_hex());
    })
    .await;
}

#[tokio::test]
async fn java_signs() {
    const MAIN: &str = "final class Main {
        public static void main(String[] ids) throws Exception {
            for (String id : ids) {
                byte[] raw = java.util.HexFormat.of().parseHex(id);
                System.out.println(OcsIdentity.token(new String(raw, java.nio.charset.StandardCharsets.UTF_8)));
            }
        }
    }";
    let scratch = tempfile::tempdir().expect("a folder");
    let path = scratch.path().to_owned();
    fs::write(path.join("Main.java"), MAIN).expect("a file");
    let (into, main) = (path.clone(), path.join("Main.java"));
    let compiled = lines_of("javac", move |command| {
        command.arg("-d").arg(into).args(["-encoding", "UTF-8"]).arg(folder().join("OcsIdentity.java")).arg(main);
    });
    compiled.await;
    signs("java", move |command, _| {
        command.arg("-cp").arg(path).arg("Main").args(ids_in_hex());
    })
    .await;
}

#[tokio::test]
async fn rust_signs() {
    let this: &'static str = Box::leak(std::env::current_exe().expect("a program").display().to_string().into());
    signs(this, |command, _| {
        command.args(["--ignored", "--exact", "clients::print_what_rust_signs", "--nocapture"]);
    })
    .await;
}

#[test]
#[ignore = "run by rust_signs, with the secret in its environment"]
fn print_what_rust_signs() {
    for id in IDS {
        println!("\n{}", printed::ocs_identity_token(id).expect("a token"));
    }
}
