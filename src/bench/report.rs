//! The figures, as a table for people and as JSON for programs.

use std::fmt::Write;

use serde::Serialize;

use super::load::Measured;
use super::machine::Cpu;
use crate::output::outln;

/// One figure of the report.
#[derive(Debug, Serialize)]
pub struct Figure {
    /// Scenario.
    name: &'static str,
    /// Description.
    what: String,
    /// Unit of `value`.
    unit: &'static str,
    /// The figure itself.
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<Latency>,
    /// Failed requests; a figure with failures is not reliable.
    failed: u64,
    /// CPU time of the server for each success, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_cpu_us: Option<f64>,
    /// Cores used by other processes meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    foreign_cores: Option<f64>,
    /// Stored messages, in scenarios that vary them.
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<i64>,
}

#[derive(Debug, Serialize)]
struct Latency {
    p50: f64,
    p90: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

impl Figure {
    /// A rate with latencies.
    pub fn rate(name: &'static str, what: impl Into<String>, measured: &Measured) -> Figure {
        Figure::of(name, what, "/s", measured.rate(), Some(measured))
    }

    /// Latencies only; the value is the median in milliseconds.
    pub fn latency(name: &'static str, what: impl Into<String>, measured: &Measured) -> Figure {
        let median = measured.latency.value_at_quantile(0.5) as f64 / 1e3;
        Figure::of(name, what, "ms", median, Some(measured))
    }

    /// A plain number.
    pub fn value(name: &'static str, what: impl Into<String>, unit: &'static str, value: f64) -> Figure {
        Figure::of(name, what, unit, value, None)
    }

    fn of(
        name: &'static str,
        what: impl Into<String>,
        unit: &'static str,
        value: f64,
        of: Option<&Measured>,
    ) -> Figure {
        let at = |measured: &Measured, quantile| measured.latency.value_at_quantile(quantile) as f64 / 1e3;
        let latency_ms = of.map(|measured| Latency {
            p50: at(measured, 0.5),
            p90: at(measured, 0.9),
            p99: at(measured, 0.99),
            p999: at(measured, 0.999),
            max: at(measured, 1.0),
        });
        let failed = of.map_or(0, |measured| measured.failed);
        Figure {
            name,
            what: what.into(),
            unit,
            value,
            latency_ms,
            failed,
            server_cpu_us: None,
            foreign_cores: None,
            messages: None,
        }
    }

    /// Adds the number of stored messages.
    pub fn at(mut self, messages: i64) -> Figure {
        self.what = format!("{}; {messages} messages stored", self.what);
        self.messages = Some(messages);
        self
    }

    /// Adds the CPU time of the server and the foreign load.
    pub fn with_cpu(mut self, done: u64, before: &Cpu, pid: Option<u32>) -> Figure {
        let now = Cpu::now(pid);
        if pid.is_some() && done > 0 {
            self.server_cpu_us = Some(now.of_process(before) * 1e6 / done as f64);
        }
        self.foreign_cores = Some(now.foreign_cores(before));
        self
    }
}

/// All figures of a run, in order.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    version: &'static str,
    cores: usize,
    figures: Vec<Figure>,
}

impl Report {
    /// Adds a figure and prints it.
    pub fn add(&mut self, figure: Figure) {
        eprintln!("{:<14} {:>12.1} {}", figure.name, figure.value, figure.unit);
        self.figures.push(figure);
    }

    /// As JSON.
    pub fn json(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let whole = Report { version: env!("CARGO_PKG_VERSION"), cores, figures: Vec::new() };
        let mut value = serde_json::to_value(whole).unwrap_or_default();
        value["figures"] = serde_json::to_value(&self.figures).unwrap_or_default();
        format!("{value:#}\n")
    }

    /// Prints the table.
    pub fn print(&self) {
        outln!("{}", self.table());
    }

    fn table(&self) -> String {
        let mut text = String::new();
        let head = ["scenario", "value", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "CPU µs", "failed", "foreign"];
        let _ = writeln!(
            text,
            "{:<14} {:>15} {:>9} {:>9} {:>9} {:>9} {:>8} {:>7} {:>7}  what",
            head[0], head[1], head[2], head[3], head[4], head[5], head[6], head[7], head[8]
        );
        for figure in &self.figures {
            let value = format!("{:.1} {}", figure.value, figure.unit);
            let _ = write!(text, "{:<14} {value:>15}", figure.name);
            match &figure.latency_ms {
                Some(Latency { p50, p99, p999, max, .. }) => {
                    let _ = write!(text, " {p50:>9.2} {p99:>9.2} {p999:>9.2} {max:>9.2}");
                }
                None => {
                    let _ = write!(text, "{:>40}", "");
                }
            }
            let cpu = figure.server_cpu_us.map(|cpu| format!("{cpu:.0}")).unwrap_or_default();
            let foreign = figure.foreign_cores.map(|cores| format!("{cores:.2}")).unwrap_or_default();
            let _ = writeln!(text, " {cpu:>8} {:>7} {foreign:>7}  {}", figure.failed, figure.what);
        }
        text.push_str(
            "\nEach answer is counted after it came. \"foreign\": cores that other programs kept busy; above 0.2 the \
             latencies are noise.",
        );
        text
    }
}
