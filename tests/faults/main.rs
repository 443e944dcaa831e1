//! The fault suite: hurts a real server, heals it, and checks what it promises. It knows the public API, the command
//! line and the files on disk, and nothing of the program's insides. See docs/faults.md.

#[path = "../shared/console_path.rs"]
mod console_path;
mod backup;
mod burnt;
mod checker;
mod client;
mod clock;
mod crash;
mod disk;
mod driver;
mod history;
mod model;
mod neighbour;
mod network;
mod noise;
mod people;
mod races;
mod purged;
mod random;
mod reader;
mod scarce;
mod server;
mod shim;
mod starved;
mod storm;
mod strangers;
mod world;

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use random::Random;
use world::Run;

/// No test may take longer.
const LONGEST: Duration = Duration::from_secs(300);
/// In the long set, and where the caller says how many rounds.
const LONGEST_LONG: Duration = Duration::from_secs(3_600);

type Test = for<'a> fn(&'a Run) -> Pin<Box<dyn Future<Output = Result<String>> + 'a>>;

/// A test: its id, what is done, whether only the long set has it, and the test.
struct Entry(&'static str, &'static str, bool, Test);

macro_rules! tests {
    ($($id:literal $about:literal $set:ident $test:path;)*) => {
        &[$(Entry($id, $about, tests!(@ $set), |run| Box::pin($test(run)))),*]
    };
    (@ short) => { false };
    (@ long) => { true };
}

const TESTS: &[Entry] = tests! {
    "FT01" "kill -9 in the middle of a burst" short crash::killed;
    "FT02" "kill at named places of a send" short crash::killed_at_places;
    "FT03" "kill at named places of an upload" short crash::killed_in_uploads;
    "FT05" "power loss: what is not synced is gone" short crash::power_cut;
    "FT06" "the log or the database is torn, cut or gone" short disk::torn;
    "FT07" "a bit is flipped" short disk::flipped;
    "FT08" "the disk is full during a burst" short disk::full;
    "FT09" "there is no room for pictures alone" short scarce::no_room_for_pictures;
    "FT10" "the data volume turns read-only, and back" short disk::read_only;
    "FT11" "no file descriptors are left" short scarce::no_descriptors;
    "FT12" "uploads that never end, under a ceiling on memory" long starved::memory;
    "FT13" "a sync fails" short disk::sync_fails;
    "FT14" "the N-th write or sync fails, for each N" long disk::nth_call_fails;
    "FT15" "the wall clock jumps" short clock::jumps;
    "FT17" "a hundred sockets stop reading" short storm::slow_consumers;
    "FT18" "clients that send a byte now and then" short scarce::slow_producers;
    "FT19" "everybody comes back after a crash" short storm::everybody_back;
    "FT20" "thousands come back without manners" long storm::no_manners;
    "FT21" "SIGTERM during a burst" short crash::asked_to_stop;
    "FT22" "SIGTERM, then SIGKILL or SIGTERM again" short crash::stopped_impatiently;
    "FT25" "a backup under load, restored elsewhere" short backup::under_load;
    "FT26" "an older backup is restored" short backup::older;
    "FT27" "the database without its files" short scarce::files_gone;
    "FT30" "answers are lost after the commit" short network::answers_lost;
    "FT42" "every connection is cut every two seconds" long network::flapping;
    "FT49" "kill while a site is deleted" short scarce::killed_while_deleting;
    "FT50" "a thousand writers at once" short races::thousand_writers;
    "FT51" "a second process over the same folder" short races::second_process;
    "FT52" "everyday use for many minutes" long scarce::soak;
    "FT54" "the first message of a visitor through two connections at once" short races::first_message_twice;
    "FT55" "the same message through two connections at once" short races::same_id_twice;
    "FT56" "the processor is burnt by pictures and passwords" long burnt::processor;
    "FT58" "a request panics" short races::panic_in_a_request;
    "P08" "a neighbour that does as much as it can" long neighbour::noisy;
    "FT61" "strangers who cost as much as they can" long strangers::costly;
    "FT62" "a large site is purged beside people who chat" short purged::beside_chat;
    "FT60" "any interleaving shows the same log" short model::any_interleaving;
};

struct Asked {
    seed: u64,
    rounds: Option<u64>,
    only: Vec<String>,
    long: bool,
    list: bool,
}

/// None when the program is run without saying what: as one of many by `cargo test`.
fn asked() -> Result<Option<Asked>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let mut asked =
        Asked { seed: now.as_nanos() as u64 % 1_000_000, rounds: None, only: Vec::new(), long: false, list: false };
    let mut words = std::env::args().skip(1);
    let mut said = false;
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word} takes a value"));
        match word.as_str() {
            "short" => {}
            "long" => asked.long = true,
            "--list" => asked.list = true,
            "--seed" => asked.seed = value()?.parse()?,
            "--rounds" => asked.rounds = Some(value()?.parse()?),
            "--only" => asked.only.extend(value()?.split(',').map(str::to_owned)),
            other => bail!("{other}? Say: short | long, --only FT01,FT02, --seed N, --rounds N, --list"),
        }
        said = true;
    }
    Ok(said.then_some(asked))
}

fn main() -> ExitCode {
    let asked = match asked() {
        Ok(Some(asked)) => asked,
        Ok(None) => {
            println!("the fault suite runs with `make faults`");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::FAILURE;
        }
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("the suite cannot start its threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let failed = runtime.block_on(run_all(&asked));
    shim::tidy();
    server::tidy();
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run_all(asked: &Asked) -> usize {
    let is_asked = |entry: &&Entry| {
        if asked.only.is_empty() { asked.long || !entry.2 } else { asked.only.iter().any(|id| id == entry.0) }
    };
    println!("seed {}", asked.seed);
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    let start = Instant::now();
    for entry in TESTS.iter().filter(is_asked) {
        let Entry(id, about, _, test) = entry;
        if asked.list {
            println!("{id}  {about}");
            continue;
        }
        let began = Instant::now();
        // Each test has a sequence of its own, so that one alone repeats what it did among all.
        let own = id.bytes().fold(asked.seed, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let run = Run { random: Random::new(own), rounds: asked.rounds, long: asked.long };
        let limit = if asked.long || asked.rounds.is_some() { LONGEST_LONG } else { LONGEST };
        let outcome = match tokio::time::timeout(limit, test(&run)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(anyhow::anyhow!("not done within {limit:?}")),
        };
        let seconds = began.elapsed().as_secs_f64();
        match outcome {
            Ok(found) if found.starts_with("skipped") => {
                skipped += 1;
                println!("{id}  skip  {seconds:6.1} s  {about}: {found}");
            }
            Ok(found) => {
                passed += 1;
                println!("{id}  ok    {seconds:6.1} s  {about}: {found}");
            }
            Err(error) => {
                failed += 1;
                println!("{id}  FAIL  {seconds:6.1} s  {about}: {error:#}");
                println!("      again: --only {id} --seed {}", asked.seed);
            }
        }
    }
    if !asked.list {
        let also = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
        println!("{passed} passed, {failed} failed{also} in {:.0} s", start.elapsed().as_secs_f64());
    }
    failed
}
