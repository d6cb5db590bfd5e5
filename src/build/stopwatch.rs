//! How long a build takes and what takes it: asked of a clock that is handed in, told to whoever wants to know.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A clock: time since any fixed moment.
pub type Ticks = dyn Fn() -> Duration + Send + Sync;

/// Measures one build. Never part of a result.
pub struct Stopwatch {
    ticks: Box<Ticks>,
    stages: Mutex<Vec<(&'static str, Duration)>>,
    outputs: Mutex<Vec<(Duration, String)>>,
    templates: Mutex<BTreeMap<String, Spent>>,
}

/// What one template took, with all that it calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// How often it was rendered.
    pub times: usize,
    /// In all.
    pub all: Duration,
}

/// What was measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    /// Stages in order, with what each took.
    pub stages: Vec<(&'static str, Duration)>,
    /// Outputs, slowest first.
    pub outputs: Vec<(Duration, String)>,
    /// Layouts, partials and shortcodes, most time first.
    pub templates: Vec<(String, Spent)>,
}

impl std::fmt::Debug for Stopwatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stopwatch").finish_non_exhaustive()
    }
}

/// Notes are whole after every statement: a panic elsewhere does not spoil them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stopwatch {
    /// A stopwatch on this clock.
    pub fn new(ticks: Box<Ticks>) -> Self {
        Self { ticks, stages: Mutex::default(), outputs: Mutex::default(), templates: Mutex::default() }
    }

    /// A stage begins; the one before it ends.
    pub fn stage(&self, name: &'static str) {
        lock(&self.stages).push((name, (self.ticks)()));
    }

    /// What was measured, with the stage that is running until now.
    pub fn times(&self) -> Times {
        let begun = lock(&self.stages).clone();
        let ends = begun.iter().skip(1).map(|(_, at)| *at).chain([(self.ticks)()]);
        let stages = begun.iter().zip(ends).map(|((name, from), to)| (*name, to.saturating_sub(*from))).collect();
        let mut outputs = lock(&self.outputs).clone();
        outputs.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let mut templates: Vec<_> = lock(&self.templates).iter().map(|(name, spent)| (name.clone(), *spent)).collect();
        templates.sort_by(|a, b| b.1.all.cmp(&a.1.all).then_with(|| a.0.cmp(&b.0)));
        Times { stages, outputs, templates }
    }

    fn template(&self, name: &str, took: Duration) {
        let mut templates = lock(&self.templates);
        if !templates.contains_key(name) {
            templates.insert(name.to_owned(), Spent::default());
        }
        if let Some(spent) = templates.get_mut(name) {
            spent.times += 1;
            spent.all += took;
        }
    }
}

/// A stage begins, where somebody watches.
pub(crate) fn stage(watch: Option<&Stopwatch>, name: &'static str) {
    if let Some(watch) = watch {
        watch.stage(name);
    }
}

/// Does something for an output.
pub(crate) fn output<T>(watch: Option<&Stopwatch>, path: &str, work: impl FnOnce() -> T) -> T {
    let Some(watch) = watch else { return work() };
    let from = (watch.ticks)();
    let done = work();
    let took = (watch.ticks)().saturating_sub(from);
    lock(&watch.outputs).push((took, path.to_owned()));
    done
}

/// Renders a template.
pub(crate) fn template<T>(watch: Option<&Stopwatch>, name: &str, work: impl FnOnce() -> T) -> T {
    let Some(watch) = watch else { return work() };
    let from = (watch.ticks)();
    let done = work();
    watch.template(name, (watch.ticks)().saturating_sub(from));
    done
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn stages_outputs_and_templates_are_told_slowest_first() {
        let now = AtomicU64::new(0);
        let watch = Stopwatch::new(Box::new(move || Duration::from_millis(now.fetch_add(1, Ordering::Relaxed))));
        watch.stage("a");
        output(Some(&watch), "x", || ());
        output(Some(&watch), "y", || template(Some(&watch), "page", || ()));
        watch.stage("b");
        let times = watch.times();
        let ms = Duration::from_millis;
        assert_eq!(times.stages, [("a", ms(7)), ("b", ms(1))]);
        assert_eq!(times.outputs, [(ms(3), "y".to_owned()), (ms(1), "x".to_owned())]);
        assert_eq!(times.templates, [("page".to_owned(), Spent { times: 1, all: ms(1) })]);
    }
}
