//! How far a plan is, from the weights of its steps and the real progress of the present one. Pure.

use plan::Plan;

/// Where a plan stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Meter {
    weights: Vec<u64>,
    present: usize,
    progress: Option<(u64, u64)>,
}

impl Meter {
    pub(crate) fn of(plan: &Plan) -> Self {
        Self {
            weights: plan.steps.iter().map(|step| step.weight.max(1)).collect(),
            present: 0,
            progress: None,
        }
    }

    pub(crate) fn start(&mut self, step: usize) {
        self.present = step;
        self.progress = None;
    }

    pub(crate) fn progress(&mut self, done: u64, total: u64) {
        self.progress = Some((done.min(total), total));
    }

    pub(crate) fn finish(&mut self, step: usize) {
        self.present = step + 1;
        self.progress = None;
    }

    pub(crate) fn present_progress(&self) -> Option<(u64, u64)> {
        self.progress
    }

    pub(crate) fn total(&self) -> u64 {
        self.weights.iter().fold(0, |sum, weight| sum.saturating_add(*weight))
    }

    /// Never more than [`Self::total`]; within a step its share of the step's weight.
    pub(crate) fn position(&self) -> u64 {
        let done =
            self.weights.iter().take(self.present).fold(0, |sum: u64, weight| sum.saturating_add(*weight));
        let share =
            self.weights.get(self.present).zip(self.progress).map_or(0, |(&weight, (part, whole))| {
                let share =
                    (u128::from(weight) * u128::from(part)).checked_div(u128::from(whole)).unwrap_or(0);
                u64::try_from(share).unwrap_or(weight)
            });
        done.saturating_add(share)
    }

    /// `7/11`: the steps that are complete.
    pub(crate) fn steps(&self) -> String {
        format!("{}/{}", self.present, self.weights.len())
    }
}

#[cfg(test)]
mod tests {
    use plan::{Action, Step};

    use super::*;

    fn plan(weights: &[u64]) -> Plan {
        let mut plan = Plan::new("slate-clean", "shop");
        plan.steps =
            weights.iter().map(|&weight| Step::new(Action::AwaitServer, "").weight(weight)).collect();
        plan
    }

    #[test]
    fn a_step_moves_within_its_weight() {
        let mut meter = Meter::of(&plan(&[10, 80, 10]));
        meter.finish(0);
        meter.start(1);

        meter.progress(3, 4);

        assert_eq!((meter.position(), meter.total(), meter.steps().as_str()), (70, 100, "1/3"));
    }

    #[test]
    fn more_than_all_of_a_step_is_all_of_it() {
        let mut meter = Meter::of(&plan(&[10, 10]));

        meter.progress(9, 3);
        assert_eq!(meter.position(), 10);
        meter.progress(0, 0);
        assert_eq!(meter.position(), 0);
    }

    #[test]
    fn huge_weights_do_not_overflow() {
        let mut meter = Meter::of(&plan(&[u64::MAX, u64::MAX]));
        meter.finish(0);

        meter.progress(u64::MAX, u64::MAX);

        assert_eq!(meter.position(), u64::MAX);
        assert_eq!(meter.total(), u64::MAX);
    }
}
