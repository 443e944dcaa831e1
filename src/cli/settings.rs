//! `ocs settings`: prints the table of settings, as an example file or as a documentation page.

use clap::Args;

use crate::config::{Config, Row, variable_of};
use crate::output::outln;

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Settings {
    /// Print an example file
    #[arg(long)]
    example: bool,
    /// Print a documentation page
    #[arg(long)]
    markdown: bool,
}

impl Settings {
    pub(super) fn run(self) -> anyhow::Result<()> {
        outln!("{}", if self.example { example() } else { markdown() }.trim_end());
        Ok(())
    }
}

/// `ocs.example.toml`: every setting with its default, commented out.
fn example() -> String {
    let mut out = String::from(
        "# Settings of ocs. Made by `ocs settings --example`. Every line is optional and shows the default.\n\
         # The same names work as variables (OCS_LISTEN) and on the command line (--set listen=…), which go first.\n",
    );
    for row in Config::table() {
        out.push('\n');
        row.doc.lines().for_each(|line| out.push_str(&format!("# {}\n", line.trim())));
        out.push_str(&format!("#{} = {}\n", row.key, toml::Value::from(row.default)));
    }
    out
}

/// `docs/configuration.md`.
fn markdown() -> String {
    let mut out = String::from(
        "# Settings\n\n\
         Generated from the program's own table by `ocs settings --markdown`.\n\n\
         Each setting can be in a TOML file (`ocs serve --config FILE`, or `OCS_CONFIG=FILE`), in an environment variable,\n\
         or on the command line (`--set key=value`). The command line overrides variables, variables override the file,\n\
         and the file overrides the default. An unknown setting in the file or on the command line is refused. A variable\n\
         that begins with `OCS_` and names no setting is ignored, because it belongs to another program; one that nearly\n\
         names a setting causes a warning.\n\n\
         | setting | variable | default | what it does |\n| --- | --- | --- | --- |\n",
    );
    for Row { key, doc, default } in Config::table() {
        let doc = doc.lines().map(str::trim).collect::<Vec<_>>().join(" ").replace('|', "\\|");
        let default = if default.is_empty() { "unset".to_owned() } else { format!("`{default}`") };
        out.push_str(&format!("| `{key}` | `{}` | {default} | {doc} |\n", variable_of(key)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If it fails, run `make bless`.
    #[test]
    fn the_written_pages_are_up_to_date() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |path: &str| std::fs::read_to_string(root.join(path)).expect(path);
        assert!(read("ocs.example.toml") == example(), "ocs.example.toml is stale");
        assert!(read("docs/configuration.md") == markdown(), "docs/configuration.md is stale");
    }

    #[test]
    fn the_example_is_read_back_as_the_defaults() {
        let folder = std::env::temp_dir().join(format!("ocs-example-{}.toml", std::process::id()));
        let example = example();
        let lines = example.lines().map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') => format!("{setting}\n"),
            _ => String::new(),
        });
        std::fs::write(&folder, lines.collect::<String>()).expect("writes");
        let read = Config::load(Some(&folder), std::iter::empty(), &[]).expect("reads");
        assert_eq!(read.effective(), Config::default().effective());
        std::fs::remove_file(folder).expect("removes");
    }
}
