//! For the tests: does what its arguments say, in order, with a plan that is only made up.
//!
//! `plan` shows it, `yes:TEXT` and `name:NAME` ask, `start:0`, `progress:3/4`, `said:TEXT`, `finish:0`, `idle:0`,
//! `failed:0` and `ended` are events, `wait:PATH` reads a line there, `report`, `fault` and `dry-run` end it.

use std::error::Error;
use std::io::BufRead as _;
use std::process::ExitCode;
use std::time::Duration;

use plan::{
    Action, Confirm, Contents, DatabaseName, Event, Exit, Fact, Fault, Outcome, Plan, Question, Report, Rows,
    Step, Undo, VolumeName,
};
use terminal::{Color, Json, Options, Terminal};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut options = Options {
        command: "slate-clean",
        json: None,
        quiet: false,
        verbose: false,
        color: Color::Auto,
        can_ask: true,
    };
    let mut words = Vec::new();
    for word in std::env::args().skip(1) {
        match word.as_str() {
            "--json" => options.json = Some(Json::Object),
            "--json=stream" => options.json = Some(Json::Stream),
            "--quiet" => options.quiet = true,
            "--verbose" => options.verbose = true,
            "--color=always" => options.color = Color::Always,
            "--color=never" => options.color = Color::Never,
            "--hook" => options.can_ask = false,
            _ => words.push(word),
        }
    }
    let (mut terminal, plan) = (Terminal::new(options), sample()?);
    let mut present = 0;
    for word in &words {
        let (verb, rest) = word.split_once(':').unwrap_or((word, ""));
        if let Some(code) = asked(&mut terminal, verb, rest)? {
            return Ok(code);
        }
        if !ended(&mut terminal, &plan, verb)? {
            happened(&mut terminal, &plan, &mut present, (verb, rest))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A question, its answer on stdout, and the exit code that goes with it.
fn asked(terminal: &mut Terminal, verb: &str, rest: &str) -> Result<Option<ExitCode>, Box<dyn Error>> {
    let question = match verb {
        "yes" => Question::YesNo(rest.to_owned()),
        "name" => Question::Name { name: rest.to_owned(), prompt: format!("Type {rest} to reset it") },
        _ => return Ok(None),
    };
    let answer = terminal.ask(&question)?;
    println!("answer: {answer:?}");
    Ok(Some(match answer {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::from(130),
        None => ExitCode::from(3),
    }))
}

fn ended(terminal: &mut Terminal, plan: &Plan, verb: &str) -> Result<bool, Box<dyn Error>> {
    let outcome = Outcome { lines: vec!["a result".to_owned()], ..Outcome::detail("84.0 MB") };
    let outcomes = plan.steps.iter().map(|_| outcome.clone()).take(1).collect();
    let report = Report { outcomes, took: Duration::from_millis(4_300) };
    let fault = Fault::new(Exit::Failed, "volume `shop_pgdata` was not removed").state("it is untouched");
    match verb {
        "plan" => terminal.show(plan),
        "dry-run" => terminal.dry_run(plan, Confirm::Loss)?,
        "report" => terminal.report(plan, &report)?,
        "fault" => terminal.fault(&fault.hint("docker ps")),
        _ => return Ok(false),
    }
    Ok(true)
}

fn happened(
    terminal: &mut Terminal,
    plan: &Plan,
    present: &mut usize,
    (verb, rest): (&str, &str),
) -> Result<(), Box<dyn Error>> {
    let took = Duration::from_millis(250);
    match verb {
        "wait" => {
            let mut line = String::new();
            std::io::BufReader::new(std::fs::File::open(rest)?).read_line(&mut line)?;
        }
        "begin" => terminal.hear(&Event::Planned { plan }),
        "start" => {
            *present = rest.parse()?;
            terminal.hear(&Event::Started { step: *present });
        }
        "progress" => {
            let (done, total) = rest.split_once('/').ok_or("done/total")?;
            let (done, total) = (done.parse()?, total.parse()?);
            terminal.hear(&Event::Progress { step: *present, done, total });
        }
        "said" => terminal.hear(&Event::Said { step: *present, line: rest }),
        "finish" | "idle" => {
            let outcome =
                if verb == "idle" { Outcome::idle("as it was") } else { Outcome::detail("84.0 MB") };
            terminal.hear(&Event::Finished { step: rest.parse()?, outcome: &outcome, took });
        }
        "failed" => {
            let fault = Fault::new(Exit::Failed, "it failed");
            terminal.hear(&Event::Failed { step: rest.parse()?, fault: &fault });
        }
        "ended" => terminal.hear(&Event::Ended { took }),
        _ => return Err(format!("no such word: {verb}").into()),
    }
    Ok(())
}

fn sample() -> Result<Plan, Box<dyn Error>> {
    let name = |error: plan::BadName| error.to_string();
    let volume = VolumeName::new("shop_pgdata").map_err(name)?;
    let copy = VolumeName::new("shop_pgdata_kept_1").map_err(name)?;
    let database = DatabaseName::new("shop\u{1b}[2J\u{7}").map_err(name)?;
    let mut plan = Plan::new("slate-clean", "shop");
    plan.target = "Clean shop (compose project shop, Postgres 16.4)".into();
    plan.facts = vec![
        Fact::new("removes", "2 containers, volume `shop_pgdata` (84.0 MB)"),
        Fact::new("in it", "14 tables, 31,204 rows, last write 4 minutes ago"),
    ];
    plan.loss.databases.push(Contents {
        database: database.clone(),
        tables: 14,
        rows: Rows { count: 31_204, exact: true },
        bytes: 84_000_000,
        since: plan::Since::default(),
        last_write: None,
    });
    plan.steps = vec![
        Step::new(
            Action::CopyVolume {
                from: volume.clone(),
                to: copy.clone(),
                n: 1,
                image: "postgres:16".to_owned(),
            },
            "undo needs it",
        )
        .weight(80),
        Step::new(Action::RemoveVolume { volume }, "it is what `clean` is for")
            .undo(Undo::Copy { volume: copy })
            .weight(10),
        Step::new(Action::DropDatabase { database }, "it is replaced").weight(10),
    ];
    plan.closing = vec!["Your data is kept until 6 Dec: just db undo".to_owned()];
    Ok(plan)
}
