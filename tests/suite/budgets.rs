//! What the product takes of its machine, as far as it holds on a busy one: CPU time and memory of a real server, counted
//! by `ocs bench`, and trips to the database. Rates and latencies are benchmarks and not asked for here.

use std::process::Command;

use serde_json::Value;

/// The bounds are for a debug build, which is some ten times slower; a mistake of the kind that they are for (a buffer for
/// each socket, a commit for each message) exceeds them many times over.
const CPU_OF_A_MESSAGE_US: f64 = 1_500.0;
const MEMORY_AT_START_MB: f64 = 15.0;
const MEMORY_AFTER_LOAD_MB: f64 = 64.0;
const MEMORY_OF_A_SOCKET: f64 = 12.0 * 1024.0;

fn bench(only: &str) -> impl Fn(&str) -> Value + use<> {
    let folder = tempfile::tempdir().expect("a folder");
    let json = folder.path().join("figures.json");
    let place = folder.path().to_str().expect("a path");
    let done = Command::new(env!("CARGO_BIN_EXE_ocs"))
        .args([
            "bench",
            "--seconds",
            "1",
            "--idle-seconds",
            "1",
            "--sockets",
            "400",
            "--folder",
            place,
            "--only",
            only,
            "--json",
        ])
        .arg(&json)
        .output()
        .expect("a run");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let report: Value = serde_json::from_slice(&std::fs::read(&json).expect("figures")).expect("JSON");
    move |name| {
        let mut figures = report["figures"].as_array().into_iter().flatten();
        figures.find(|figure| figure["name"] == name).unwrap_or_else(|| panic!("no {name} in {report:#}")).clone()
    }
}

fn assert_within(figure: &Value, field: &str, most: f64) {
    let value = figure[field].as_f64().unwrap_or_else(|| panic!("no {field} in {figure}"));
    assert!(figure["failed"] == 0 && value <= most, "{field} may be {most}: {figure:#}");
}

#[test]
fn a_message_takes_its_share_of_cpu_and_the_server_stays_small() {
    let figure = bench("fresh,send");
    assert_within(&figure("fresh"), "value", MEMORY_AT_START_MB);
    assert_within(&figure("send"), "server_cpu_us", CPU_OF_A_MESSAGE_US);
    assert_within(&figure("memory"), "value", MEMORY_AFTER_LOAD_MB);
}

#[test]
fn an_idle_visitor_takes_little_memory_and_all_come_back() {
    let figure = bench("idle,storm");
    assert_within(&figure("idle_memory"), "value", MEMORY_OF_A_SOCKET);
    assert!(figure("storm")["value"].as_f64().is_some_and(|seconds| seconds > 0.0));
}
