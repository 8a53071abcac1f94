//! A plan at work: a bar on a terminal, else a line for each finished step and a sign of life every ten seconds.

use std::io::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use plan::{Action, Outcome, Plan};

use crate::meter::Meter;
use crate::sheet::Sheet;
use crate::text::{cut, gerund, padded, visible, width};
use crate::written;

/// A plan that is done before this shows no bar: it would only flash.
const QUICK: Duration = Duration::from_millis(150);
const HEARTBEAT: Duration = Duration::from_secs(10);
/// From here on a step's bar tells how long it works.
const LONG: Duration = Duration::from_secs(2);
const SECOND: Duration = Duration::from_secs(1);

/// How a plan's progress is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) sheet: Sheet,
    pub(crate) draws: bool,
    pub(crate) verbose: bool,
}

/// A plan at work. Dropped, it takes its bar away.
#[derive(Debug)]
pub(crate) struct Progress {
    shared: Arc<Shared>,
    watch: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    live: Mutex<Live>,
    changed: Condvar,
}

#[derive(Debug)]
struct Live {
    manner: Manner,
    meter: Meter,
    actions: Vec<Action>,
    verbs: usize,
    gerunds: usize,
    begun: Instant,
    present: Option<Present>,
    bar: Option<ProgressBar>,
    ended: bool,
}

#[derive(Debug)]
struct Present {
    step: usize,
    since: Instant,
    /// When it is time for a sign of life.
    next: Instant,
}

impl Progress {
    pub(crate) fn begin(plan: &Plan, manner: Manner) -> Self {
        let gerunds = plan.steps.iter().map(|step| width(&gerund(step.action.doing().0)));
        let live = Live {
            manner,
            meter: Meter::of(plan),
            actions: plan.steps.iter().map(|step| step.action.clone()).collect(),
            verbs: written::verbs(plan),
            gerunds: gerunds.max().unwrap_or(0),
            begun: Instant::now(),
            present: None,
            bar: None,
            ended: plan.steps.is_empty(),
        };
        let shared = Arc::new(Shared { live: Mutex::new(live), changed: Condvar::new() });
        let watched = Arc::clone(&shared);
        let watch = thread::Builder::new().name("progress".to_owned()).spawn(move || watched.watch()).ok();
        Self { shared, watch }
    }

    pub(crate) fn start(&self, step: usize) {
        let since = Instant::now();
        self.change(|live| {
            live.meter.start(step);
            let first = if live.manner.draws { LONG } else { HEARTBEAT };
            live.present = Some(Present { step, since, next: since + first });
            if live.belongs_to_a_person() {
                live.clear();
            }
            live.draw();
        });
    }

    pub(crate) fn progress(&self, done: u64, total: u64) {
        // The watch need not know: no time of it changes.
        let mut live = self.shared.lock();
        live.meter.progress(done, total);
        live.draw();
    }

    pub(crate) fn said(&self, line: &str) {
        let state = self.shared.lock();
        let Manner { sheet, verbose, .. } = state.manner;
        if verbose {
            let shown = format!("  | {}", visible(line));
            let shown = sheet.width.map_or(shown.clone(), |columns| cut(&shown, columns));
            state.print(&format!("{}\n", sheet.paint.dim(&shown)));
        }
    }

    pub(crate) fn finish(&self, step: usize, outcome: &Outcome, took: Duration) {
        self.change(|live| {
            live.meter.finish(step);
            live.present = None;
            if (!outcome.idle || live.manner.verbose)
                && let Some(action) = live.actions.get(step)
            {
                live.print(&written::finished(live.manner.sheet, live.verbs, action, outcome, took));
            }
            live.draw();
        });
    }

    pub(crate) fn amended(&self, action: &Action) {
        let live = self.shared.lock();
        if live.manner.verbose {
            live.print(&written::amended(live.manner.sheet, live.verbs, action));
        }
    }

    /// Takes the bar away; nothing is drawn from here on.
    pub(crate) fn end(&mut self) {
        self.change(|live| {
            live.clear();
            live.ended = true;
        });
        if let Some(watch) = self.watch.take() {
            let _ = watch.join();
        }
    }

    fn change(&self, change: impl FnOnce(&mut Live)) {
        change(&mut self.shared.lock());
        self.shared.changed.notify_all();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until something is due, or until something changes what is due.
    fn watch(&self) {
        let mut live = self.lock();
        while !live.ended {
            let now = Instant::now();
            live = match live.due() {
                Some(due) if due <= now => {
                    live.tick(now);
                    live
                }
                Some(due) => {
                    let waited = self.changed.wait_timeout(live, due - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(live).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl Live {
    /// When there is something to show that no event brings.
    fn due(&self) -> Option<Instant> {
        let present = self.present.as_ref()?;
        match (self.manner.draws, &self.bar) {
            _ if self.belongs_to_a_person() => None,
            (true, None) => Some(self.begun + QUICK),
            _ => Some(present.next),
        }
    }

    fn tick(&mut self, now: Instant) {
        let progress = self.meter.present_progress();
        let Some(present) = &mut self.present else { return };
        if self.manner.draws {
            if self.bar.is_none() {
                self.bar = Some(bar(self.meter.total(), self.manner.sheet.width));
            } else {
                present.next = now + SECOND;
            }
            self.draw();
        } else {
            present.next = now + HEARTBEAT;
            let running = now - present.since;
            if let Some(action) = self.actions.get(present.step) {
                let line = written::heartbeat(action, running, progress);
                self.print(&format!("{line}\n"));
            }
        }
    }

    fn draw(&self) {
        let Some(bar) = &self.bar else { return };
        if let Some((action, running)) = self.present_action() {
            let (verb, what) = action.doing();
            bar.set_prefix(padded(&gerund(verb), self.gerunds));
            bar.set_message(self.message(&what, running));
        }
        bar.set_position(self.meter.position());
    }

    /// `7/11   volume shop_pgdata`, and how long it works once that is long.
    fn message(&self, what: &str, running: Duration) -> String {
        let steps = self.meter.steps();
        let seconds = if running >= LONG { format!("  {} s", running.as_secs()) } else { String::new() };
        format!("{steps}{seconds}   {}", visible(what))
    }

    fn present_action(&self) -> Option<(&Action, Duration)> {
        let present = self.present.as_ref()?;
        Some((self.actions.get(present.step)?, present.since.elapsed()))
    }

    /// The terminal is somebody else's while it runs: nothing is drawn.
    fn belongs_to_a_person(&self) -> bool {
        self.present_action().is_some_and(|(action, _)| matches!(action, Action::OpenPsql { .. }))
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Whole lines, above the bar where there is one.
    fn print(&self, text: &str) {
        // A stderr that is gone is no reason to leave a plan half done.
        let print = || io::stderr().lock().write_all(text.as_bytes()).is_ok();
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        };
    }
}

fn bar(total: u64, columns: Option<usize>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    match ProgressStyle::with_template(&template(columns.unwrap_or(80))) {
        Ok(style) => bar.with_style(style.progress_chars("█░")),
        Err(_) => bar,
    }
}

/// The bar gives way first: what is worked on says more.
fn template(columns: usize) -> String {
    match columns {
        0..30 => "{wide_msg}".to_owned(),
        30..70 => format!("{{prefix}}  {{bar:{}}}  {{wide_msg}}", columns / 5),
        _ => "{prefix}  {bar:24}  {wide_msg}".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use plan::Step;

    use super::*;
    use crate::paint::Paint;

    fn live(draws: bool, action: Action) -> Live {
        let mut plan = Plan::new("slate-up", "shop");
        plan.steps = vec![Step::new(action, "")];
        let sheet = Sheet { width: Some(80), paint: Paint { on: false } };
        let begun = Instant::now();
        Live {
            manner: Manner { sheet, draws, verbose: false },
            meter: Meter::of(&plan),
            actions: plan.steps.iter().map(|step| step.action.clone()).collect(),
            verbs: 8,
            gerunds: 8,
            begun,
            present: Some(Present { step: 0, since: begun, next: begun + LONG }),
            bar: None,
            ended: false,
        }
    }

    #[test]
    fn after_each_tick_the_next_is_a_while_away() {
        for draws in [true, false] {
            let mut live = live(draws, Action::AwaitServer);
            let mut last = live.begun;

            for _ in 0..3 {
                let due = live.due().unwrap();
                assert!(due >= last + QUICK, "it would spin");
                live.tick(due);
                last = due;
            }
        }
    }

    #[test]
    fn a_bar_waits_until_a_plan_is_not_quick() {
        let live = live(true, Action::AwaitServer);

        assert!(live.due().unwrap() - live.begun >= Duration::from_millis(100));
    }

    #[test]
    fn nothing_is_due_while_a_person_has_the_terminal() {
        let database = plan::DatabaseName::new("shop").unwrap();
        let live = live(true, Action::OpenPsql { database, arguments: Vec::new() });

        assert_eq!(live.due(), None);
    }
}
